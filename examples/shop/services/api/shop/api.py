"""The API: books and orders as JSON, and whether it is well."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from shop.database import connect


class Handler(BaseHTTPRequestHandler):
    """Answers GET requests."""

    def do_GET(self) -> None:
        """Answer by path."""
        if self.path == "/healthz":
            return self._answer({"ok": True})
        if self.path == "/api/banner":
            return self._answer({"text": os.environ.get("BANNER", "")})
        if self.path == "/api/articles":
            with connect() as db:
                rows = db.execute("select id, name, price from articles order by name").fetchall()
            return self._answer([{"id": key, "name": name, "price": str(price)} for key, name, price in rows])
        return self.send_error(404)

    def _answer(self, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
