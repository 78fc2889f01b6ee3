"""A program that plays a CLI's recorded output again: ``replay.py <recordings> [the CLI's own arguments]``.

The prompt on standard input names the case. Standard library only: the engine starts it in a clean environment.
"""

import json
import os
import re
import signal
import sys
from pathlib import Path


def main() -> int:
    """Print what was printed, write what was written, end as it ended."""
    recordings, arguments = Path(sys.argv[1]), sys.argv[2:]
    if arguments == ["--version"]:
        print(json.loads((recordings / "first.json").read_text())["version"])
        return 0
    found = re.search(r"\[\[scenario:([a-z0-9-]+)\]\]", sys.stdin.read())
    if found is None:
        raise SystemExit("replay: the prompt names no case")
    recording = json.loads(filled((recordings / f"{found[1]}.json").read_text()))
    for relative, text in recording["files"].items():
        path = Path(os.environ["HOME"], relative)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    sys.stderr.write(recording["stderr"])
    for line in recording["stdout"]:
        print(line, flush=True)
    if recording["result"] is not None and "-o" in arguments:
        Path(arguments[arguments.index("-o") + 1]).write_text(recording["result"])
    if recording["exit"] is None:
        Path("..", "begun").write_text("as the command did")
        signal.pause()
    return int(recording["exit"])


def filled(text: str) -> str:
    """Put this run's paths where the recording has marks."""
    repo = os.getcwd()
    marks = {"{{repo}}": repo, "{{home}}": os.environ["HOME"], "{{folder}}": re.sub(r"[^A-Za-z0-9]", "-", repo)}
    for mark, value in marks.items():
        text = text.replace(mark, value)
    return text


if __name__ == "__main__":
    sys.exit(main())
