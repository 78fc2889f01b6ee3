"""The outermost layer: loopback hosts only, the request journal, and injected faults.

The forge has no passwords and a control door, so a page of another site must not reach it through a browser: requests
for another host name are refused (DNS rebinding), and so are form posts that do not come from the forge's own pages.
"""

import asyncio
import json
import re
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stagewright.processes.devforge.faults import Fault
from stagewright.processes.devforge.state import Forge

LOOPBACK = {"127.0.0.1", "localhost", "[::1]", "::1"}
DROP = "devforge.drop"  # ASGI extension of our protocol class: closes the connection
MOST_BODY = 32 * 1024 * 1024
KEPT_TEXT = 65_536
SECRET_HEADERS = ("authorization", "cookie", "proxy-authorization")
CONTROL = "/_control"
API = "/api"
GIT_PATH = re.compile(r"/[^/]+/[^/]+/(info/refs|git-upload-pack|git-receive-pack)")


class Door:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, forge: Forge) -> None:
        self._app = app
        self._forge = forge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, unless it is refused or a fault meets it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = _refusal(scope)
        if refusal is not None:
            await _answer(send, 403, refusal)
            return
        path = scope["path"]
        if not GIT_PATH.fullmatch(path):
            receive, body = await _buffered(receive)
            if body is None:
                await _answer(send, 413, "The body is larger than 32 MiB.")
                return
        else:
            body = b""
        if path.startswith(CONTROL):
            await self._app(scope, receive, send)
            return
        fault = self._forge.faults.take(scope["method"], path)
        entry = self._note(scope, body, fault)
        scope.setdefault("state", {})["fault"] = fault
        await self._serve(scope, receive, _noting(send, entry), fault)
        entry["login"] = scope["state"].get("login")

    async def _serve(self, scope: Scope, receive: Receive, send: Send, fault: Fault | None) -> None:
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.kind == "delay":
            await asyncio.sleep(fault.delay_ms / 1000)
            await self._app(scope, receive, send)
        elif fault.kind == "drop_before":
            await _drop(scope, receive)
        elif fault.kind == "drop_after":
            await self._app(scope, receive, _nowhere)
            await _drop(scope, receive)
        elif fault.kind == "status":
            if fault.after:
                await self._app(scope, receive, _nowhere)
            await _answer(send, fault.status, "An injected fault of the practice forge.")
        elif scope["path"].startswith(API):
            await self._app(scope, receive, send)  # the API answers rate limits itself, with its headers
        else:
            await _answer(send, 429, "Too many requests.", {"retry-after": str(fault.retry_after or 60)})

    def _note(self, scope: Scope, body: bytes, fault: Fault | None) -> dict[str, Any]:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        entry: dict[str, Any] = {
            "at": self._forge.now().isoformat(),
            "method": scope["method"],
            "path": scope["path"],
            "query": scope["query_string"].decode("latin-1"),
            "headers": {name: value for name, value in headers.items() if name not in SECRET_HEADERS},
            "authorized_by": headers.get("authorization", "").partition(" ")[0].lower() or None,
            "body": _readable(body),
            "fault": None if fault is None else fault.kind,
            "login": None,
            "status": None,
        }
        self._forge.requests.append(entry)
        return entry


def _refusal(scope: Scope) -> str | None:
    """Say why a request is not for us; None when it is."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get(b"host", "")
    if urlsplit(f"//{host}").hostname not in LOOPBACK:
        return "The practice forge answers on loopback addresses only."
    by_browser = not scope["path"].startswith(f"{API}/") and scope["method"] not in ("GET", "HEAD")
    if not by_browser:
        return None
    origin, site = headers.get(b"origin"), headers.get(b"sec-fetch-site", "same-origin")
    if site not in ("same-origin", "none") or (origin is not None and urlsplit(origin).netloc != host):
        return "This request came from a page of another site."
    return None


async def _buffered(receive: Receive) -> tuple[Receive, bytes | None]:
    """Read the whole body; the application gets it again from what is returned. None: too large."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MOST_BODY:
            return receive, None
    whole, given = bytes(body), False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": whole, "more_body": False}

    return again, whole


def _noting(send: Send, entry: dict[str, Any]) -> Send:
    async def noted(message: Message) -> None:
        if message["type"] == "http.response.start":
            entry["status"] = message["status"]
        await send(message)

    return noted


async def _nowhere(message: Message) -> None:
    """Swallow what the application answers."""


async def _drop(scope: Scope, receive: Receive) -> None:
    """Close the connection without an answer."""
    scope["extensions"][DROP]()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer(send: Send, status: int, message: str, headers: dict[str, str] | None = None) -> None:
    body = json.dumps({"message": message}).encode()
    shown = {"content-type": "application/json; charset=utf-8", "content-length": str(len(body))} | (headers or {})
    pairs = [(name.encode(), value.encode()) for name, value in shown.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


def _readable(body: bytes) -> Any:
    """Return a body for the journal: JSON where it is, else its text, cut."""
    if not body:
        return None
    try:
        return _without_secrets(json.loads(body))
    except ValueError:
        return body[:KEPT_TEXT].decode(errors="replace")


def _without_secrets(value: Any) -> Any:
    """Blank the secrets of hooks: the journal is for reading."""
    if isinstance(value, dict):
        return {name: "***" if name == "secret" else _without_secrets(inner) for name, inner in value.items()}
    return [_without_secrets(inner) for inner in value] if isinstance(value, list) else value
