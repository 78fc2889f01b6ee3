"""After a deploy: the API answers, and the articles can be read."""

import json
import os
import urllib.request

if __name__ == "__main__":
    for path in ("/healthz", "/api/articles"):
        with urllib.request.urlopen(os.environ["API_URL"] + path, timeout=10) as answer:
            json.load(answer)
            print(path, answer.status)
