"""The REST client: one connection, one error mapping, no redirect followed, no secret printed."""

import http.client
import json
import re
import ssl
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from stagewright.processes.cli.build import API, VERSION
from stagewright.processes.cli.exits import FAILED, LATER, SIGN_IN, Failure, Problem
from stagewright.processes.cli.target import Target

TIMEOUT = 30.0
TRIES = 3
LONGEST_PATIENCE = 5.0  # seconds a request waits by itself for a limit to open
PAUSE = 0.3
PAGE = 200
LARGEST = 64 * 1024 * 1024
SECRET = re.compile(r"secret|token|private_key|^value$", re.IGNORECASE)
ONE_TIME = re.compile(r"(?<![\w-])[\w-]{43}(?![\w-])")  # the form of our codes, also within addresses
PUBLIC = frozenset({"confirm_token", "tokens_in", "tokens_out", "tokens_cached", "token_id"})
BROKEN = (http.client.RemoteDisconnected, http.client.IncompleteRead, ConnectionResetError, BrokenPipeError)

Params = Mapping[str, Any]


class Answer(NamedTuple):
    """An answer of the server."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the document, None for an empty body. Raise ``Failure`` when it is none."""
        if not self.body:
            return None
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Failure(FAILED, "the server's answer is no JSON: is this address a Stagewright server?") from error


class Client:
    """Speaks to one server. Paths begin below ``/api/v1`` unless they begin with it."""

    def __init__(self, target: Target, *, debug: bool = False, timeout: float = TIMEOUT) -> None:
        self.target = target
        self._debug = debug
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None

    def get(self, path: str, **params: Any) -> Any:
        """Read a resource."""
        return self.request("GET", path, params=params).json()

    def post(self, path: str, body: Any = None, **params: Any) -> Any:
        """Send a verb; it is safe to send again because it carries a key."""
        key = {"Idempotency-Key": str(uuid.uuid4())}
        return self.request("POST", path, params=params, body=body or {}, headers=key).json()

    def poll(self, body: Any) -> Any:
        """Ask the feed for what is new; this post changes nothing and takes no key."""
        return self.request("POST", "/realtime/poll", body=body, repeatable=True).json()

    def items(self, path: str, *, limit: int, cursor: str | None = None, **params: Any) -> "Items":
        """Read up to ``limit`` items of a list, page after page."""
        found: list[dict[str, Any]] = []
        while True:
            size = min(PAGE, limit - len(found))
            page = self.get(path, **params, limit=size, cursor=cursor)
            found += page["items"]
            cursor = page.get("next_cursor")
            if cursor is None or len(found) >= limit:
                return Items(found, cursor)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
    ) -> Answer:
        """Send a request and return a good answer. Raise ``Problem`` for what the server refuses, else ``Failure``."""
        sent = {**self._headers(body), **(headers or {})}
        repeatable = repeatable or method in ("GET", "PUT", "DELETE", "HEAD") or "Idempotency-Key" in sent
        address = self._address(path, params or {})
        content = None if body is None else json.dumps(body).encode()
        answer = self._send_until(method, address, content, sent, repeatable)
        if answer.status >= 400:
            raise Problem(answer.status, _document(answer))
        if answer.status >= 300:
            where = answer.headers.get("location", "elsewhere")
            raise Failure(FAILED, f"the server at {self.target.host} sends us to {where}", hint="use that as --host")
        return answer

    def _send_until(
        self, method: str, address: str, content: bytes | None, headers: Mapping[str, str], repeatable: bool
    ) -> Answer:
        for turn in range(1, TRIES + 1):
            try:
                answer = self._send(method, address, content, headers)
            except BROKEN as error:
                self.close()
                if not repeatable or turn == TRIES:
                    raise self._unreachable(error) from error
                time.sleep(PAUSE)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                raise self._unreachable(error) from error
            else:
                wait = _retry_after(answer)
                if not repeatable or wait is None or wait > LONGEST_PATIENCE or turn == TRIES:
                    return answer
                time.sleep(wait)
        raise AssertionError("the last turn returns or raises")

    def _send(self, method: str, address: str, content: bytes | None, headers: Mapping[str, str]) -> Answer:
        connection = self._connected()
        if self._debug:
            shown = {name: "***" if name == "Authorization" else value for name, value in headers.items()}
            _note(f"> {method} {self.target.host}{address} {shown} {len(content or b'')} bytes")
        connection.request(method, address, content, dict(headers))
        reply = connection.getresponse()
        body = reply.read(LARGEST)
        answer = Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, body)
        if self._debug:
            _note(f"< {reply.status} {_shown(answer)}")
        return answer

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            parts = urlsplit(self.target.host)
            host = parts.hostname or ""
            if parts.scheme == "https":
                trust = ssl.create_default_context(cafile=self.target.ca_file)
                self._connection = http.client.HTTPSConnection(host, parts.port, timeout=self._timeout, context=trust)
            else:
                self._connection = http.client.HTTPConnection(host, parts.port, timeout=self._timeout)
        return self._connection

    def _headers(self, body: Any) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": f"stagewright-cli/{VERSION}"}
        if self.target.token is not None:
            headers["Authorization"] = f"Bearer {self.target.token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        return headers

    def _address(self, path: str, params: Params) -> str:
        full = path if path.startswith((API, "/auth", "/healthz", "/schema")) else API + path
        pairs = [(name, item) for name, value in params.items() for item in _values(value)]
        return quote(full, safe="/:%@") + (f"?{urlencode(pairs)}" if pairs else "")

    def _unreachable(self, error: Exception) -> Failure:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if isinstance(error, ssl.SSLError):
            return Failure(LATER, f"{self.target.host}: the TLS connection fails: {why}", hint="stagewright doctor")
        return Failure(LATER, f"{self.target.host} does not answer: {why}", hint="is `stagewright up` running there?")

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Items(NamedTuple):
    """The items of a list, and where it goes on."""

    found: list[dict[str, Any]]
    next_cursor: str | None

    def __iter__(self) -> Iterator[Any]:
        """Go over the items."""
        return iter(self.found)


def connect(target: Target, *, debug: bool) -> Client:
    """Return a client of ``target``. Raise ``Failure`` when there is no token."""
    if target.token is None:
        raise Failure(SIGN_IN, f"not signed in at {target.host}", hint="stagewright login --with-token")
    return Client(target, debug=debug)


def _values(value: Any) -> list[str]:
    if value is None or value == ():
        return []
    many = value if isinstance(value, list | tuple) else [value]
    return [("true" if item else "false") if isinstance(item, bool) else str(item) for item in many]


def _document(answer: Answer) -> Mapping[str, Any]:
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"detail": f"the server answered {answer.status}"}


def _retry_after(answer: Answer) -> float | None:
    """Return how long to wait before the same request may succeed, None when it may not."""
    given = answer.headers.get("retry-after", "")
    return float(given) if answer.status in (429, 503) and given.isdigit() else None


def _note(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _shown(answer: Answer) -> str:
    try:
        return json.dumps(_masked(json.loads(answer.body or b"null")))
    except ValueError:
        return f"{len(answer.body)} bytes"


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: "***" if SECRET.search(name) and name not in PUBLIC and isinstance(item, str) else _masked(item)
            for name, item in value.items()
        }
    if isinstance(value, str):
        return ONE_TIME.sub("***", value)
    return [_masked(item) for item in value] if isinstance(value, list) else value
