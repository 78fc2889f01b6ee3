"""What the model stubs share: a loopback HTTP server, scenarios chosen by a marker in the prompt, requests kept.

A stub holds no conversation: the step is derived from the request, so one server serves parallel sessions, resumes
and retries. A scenario is a list of steps, a step a list of actions (dictionaries, see each stub).
"""

import json
import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Action = Mapping[str, Any]
Scenario = Sequence[Sequence[Action]]
MARKER = re.compile(r"\[\[scenario:([a-z0-9-]+)\]\]")


@dataclass(frozen=True)
class Seen:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class ModelStub:
    """Use as a context manager; then ``url`` is where it listens. ``key``: refuse requests that do not carry it."""

    scenarios: Mapping[str, Scenario] = field(default_factory=dict)
    key: str = ""
    requests: list[Seen] = field(default_factory=list)
    url: str = ""
    spent: tuple[int, int] = (0, 0)
    _failures: Counter[str] = field(default_factory=Counter)
    _server: ThreadingHTTPServer | None = None

    def __enter__(self) -> "ModelStub":
        stub = self

        class Handler(StubHandler):
            pass

        Handler.stub = stub
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def posts(self) -> list[Seen]:
        """Return the requests for a model's answer."""
        return [seen for seen in self.requests if seen.method == "POST"]

    def serve(self, handler: "StubHandler", seen: Seen) -> None:
        """Answer one request. Each stub speaks its own API here."""
        raise NotImplementedError

    def authorised(self, seen: Seen) -> bool:
        """Say whether the request carries the key, as a bearer or in ``x-api-key``."""
        given = {seen.headers.get("authorization", "").removeprefix("Bearer "), seen.headers.get("x-api-key", "")}
        return not self.key or self.key in given

    def spend(self, tokens_in: int, tokens_out: int) -> None:
        """Count what an answer costs."""
        self.spent = (self.spent[0] + tokens_in, self.spent[1] + tokens_out)

    def still_fails(self, action: Action, *where: object) -> bool:
        """Count a ``fail`` action at its place and say whether it is still to fail."""
        place = json.dumps(where)
        self._failures[place] += 1
        return self._failures[place] <= int(action.get("times", 1_000_000))


class StubHandler(BaseHTTPRequestHandler):
    """Reads requests, keeps them, and writes JSON or server-sent events."""

    protocol_version = "HTTP/1.1"
    stub: ModelStub

    def do_POST(self) -> None:
        self._take("POST")

    def do_GET(self) -> None:
        self._take("GET")

    def do_HEAD(self) -> None:
        self._take("HEAD")

    def _take(self, method: str) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(method, self.path, headers, json.loads(raw) if raw else {})
        self.stub.requests.append(seen)
        try:
            self.stub.serve(self, seen)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def send_json(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        """Send a whole JSON answer."""
        payload = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(payload)

    def send_events(self, events: Iterable[Mapping[str, Any]], *, dropped: bool = False) -> None:
        """Send server-sent events in chunks; ``dropped`` breaks the connection instead of ending the body."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for event in events:
            data = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()
        if dropped:
            self.close_connection = True
            return
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        return


def choose_step(scenario: Scenario, done: int, calls: Sequence[str]) -> int:
    """Return the step to play when ``done`` calls are answered; ``calls`` names the actions that are calls."""
    for number, step in enumerate(scenario):
        count = sum(1 for action in step if any(name in action for name in calls))
        if not count or done < count or number == len(scenario) - 1:
            return number
        done -= count
    return 0


def sleep_for(step: Sequence[Action]) -> None:
    """Wait as long as the step's ``sleep`` actions say."""
    time.sleep(sum(action.get("sleep", 0) for action in step))


def new_id(prefix: str) -> str:
    """Return a random id as the provider would."""
    return f"{prefix}_{uuid.uuid4().hex[:24]}"


def tokens(value: Any) -> int:
    """Return a made-up token count: a quarter of the length."""
    return len(value if isinstance(value, str) else json.dumps(value)) // 4
