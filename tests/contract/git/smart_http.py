"""A real git remote over smart HTTP, with the faults a test wants: ``git http-backend`` behind a small server."""

import base64
import os
import subprocess
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

LIMIT = 20.0


@dataclass
class Behaviour:
    """What the server does beside serving."""

    tokens: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    authorised: list[str] = field(default_factory=list)
    hold: threading.Event | None = None
    held: threading.Event = field(default_factory=threading.Event)
    answers: dict[str, int] = field(default_factory=dict)
    drop_after: str | None = None
    cut_answer: bytes | None = None


class SmartHttp:
    """Serves the bare repositories under ``root`` on loopback."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.behaviour = Behaviour()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        """Return the address under which ``root`` is served."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """Stop serving and wait for requests in flight."""
        if self.behaviour.hold is not None:
            self.behaviour.hold.set()
        self._server.shutdown()
        self._thread.join(LIMIT)
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                _serve(owner, self, b"")

            def do_POST(self) -> None:
                _serve(owner, self, _body(self))

            def log_message(self, *_: Any) -> None:
                """Keep the test's output clean."""

        return Handler


def _body(request: BaseHTTPRequestHandler) -> bytes:
    if request.headers.get("Transfer-Encoding") != "chunked":
        return request.rfile.read(int(request.headers.get("Content-Length", "0")))
    got = b""
    while size := int(request.rfile.readline().strip(), 16):
        got += request.rfile.read(size)
        request.rfile.readline()
    request.rfile.readline()
    return got


def _serve(owner: SmartHttp, request: BaseHTTPRequestHandler, body: bytes) -> None:
    behaviour = owner.behaviour
    behaviour.asked.append(request.path)
    for part, status in behaviour.answers.items():
        if part in request.path:
            _answer(request, status, {}, b"no\n")
            return
    secret = _secret(request)
    if secret not in behaviour.tokens:
        _answer(request, 401, {"WWW-Authenticate": 'Basic realm="forge"'}, b"")
        return
    behaviour.authorised.append(request.path)
    if behaviour.hold is not None and request.command == "POST" and "receive-pack" in request.path:
        behaviour.held.set()
        behaviour.hold.wait(LIMIT)
    status, headers, out = _backend(owner.root, request, body)
    if behaviour.drop_after is not None and behaviour.drop_after in request.path and request.command == "POST":
        request.close_connection = True
        return
    if behaviour.cut_answer is not None and "git-receive-pack" in request.path and request.command == "POST":
        out = behaviour.cut_answer
    _answer(request, status, headers, out)


def _secret(request: BaseHTTPRequestHandler) -> str:
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    return base64.b64decode(text).decode().partition(":")[2] if kind == "Basic" else ""


def _backend(root: Path, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(request.path)
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "REQUEST_METHOD": request.command,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REMOTE_USER": "someone",
    }
    done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, timeout=LIMIT)
    head, _, out = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
    status = int(headers.pop("Status", "200 OK").split()[0])
    return status, headers, out


def _answer(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], out: bytes) -> None:
    request.send_response(status)
    for name, value in (headers | {"Content-Length": str(len(out))}).items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(out)
