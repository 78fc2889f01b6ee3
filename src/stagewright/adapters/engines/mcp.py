"""A small MCP client over HTTP: initialise, list, call. For rehearsals and start checks; the relay adds the token."""

import asyncio
import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

PROTOCOL = "2025-06-18"
OPEN_SECONDS = 10.0
CALL_SECONDS = 60.0
LONGEST_REPLY = 4 * 1024 * 1024


class ToolsUnreachable(Exception):
    """The tools door does not answer, refuses us, or does not speak MCP."""


@dataclass(frozen=True, slots=True)
class ToolReply:
    """What a tool answered. ``pending`` says that a person must act, so the turn has to end."""

    ok: bool
    text: str
    pending: bool = False


class ToolsClient:
    """Speaks JSON-RPC to one MCP door. Every call is bounded; a session header is kept if the server gives one."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._session = ""
        self._version = ""
        self._last_id = 0

    async def open(self) -> None:
        """Initialise. Raises ``ToolsUnreachable``."""
        about = {"protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": {"name": "stagewright", "version": "1"}}
        reply = await self._request("initialize", about, OPEN_SECONDS)
        result = reply.get("result")
        if not isinstance(result, dict):
            raise ToolsUnreachable(f"the tools door refused to initialise: {_error_text(reply)}")
        self._version = str(result.get("protocolVersion", PROTOCOL))
        await asyncio.to_thread(self._post, {"jsonrpc": "2.0", "method": "notifications/initialized"}, OPEN_SECONDS)

    async def list_tools(self) -> tuple[str, ...]:
        """Return the names of all tools, sorted. Raises ``ToolsUnreachable``."""
        names: list[str] = []
        cursor: str | None = None
        while True:
            reply = await self._request("tools/list", {"cursor": cursor} if cursor else {}, OPEN_SECONDS)
            result = reply.get("result")
            if not isinstance(result, dict):
                raise ToolsUnreachable(f"the tools door gave no list: {_error_text(reply)}")
            names += [str(tool.get("name", "")) for tool in result.get("tools", []) if isinstance(tool, dict)]
            cursor = result.get("nextCursor")
            if not cursor:
                return tuple(sorted(names))

    async def call(self, name: str, arguments: dict[str, Any]) -> ToolReply:
        """Call a tool. A refusal is a reply that is not ``ok``. Raises ``ToolsUnreachable``."""
        reply = await self._request("tools/call", {"name": name, "arguments": arguments}, CALL_SECONDS)
        result = reply.get("result")
        if not isinstance(result, dict):
            return ToolReply(ok=False, text=_error_text(reply))
        structured = result.get("structuredContent")
        pending = isinstance(structured, dict) and structured.get("status") == "pending"
        texts = [str(part.get("text", "")) for part in result.get("content", []) if isinstance(part, dict)]
        return ToolReply(ok=not result.get("isError", False), text="\n".join(texts), pending=pending)

    async def _request(self, method: str, params: dict[str, Any], seconds: float) -> dict[str, Any]:
        self._last_id += 1
        body = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        reply = await asyncio.to_thread(self._post, body, seconds)
        if reply is None:
            raise ToolsUnreachable(f"the tools door answered {method} with nothing")
        return reply

    def _post(self, body: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        host = self._url.hostname or "127.0.0.1"
        connection = http.client.HTTPConnection(host, self._url.port or 80, timeout=seconds)
        headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
        if self._session:
            headers["mcp-session-id"] = self._session
        if self._version:
            headers["mcp-protocol-version"] = self._version
        try:
            connection.request("POST", self._url.path or "/", json.dumps(body).encode(), headers)
            answer = connection.getresponse()
            text = answer.read(LONGEST_REPLY)
        except (OSError, http.client.HTTPException) as error:
            raise ToolsUnreachable(f"the tools door does not answer: {type(error).__name__}") from error
        finally:
            connection.close()
        self._session = answer.getheader("mcp-session-id") or self._session
        return _parse(answer.status, answer.getheader("content-type") or "", text)


def _parse(status: int, content_type: str, text: bytes) -> dict[str, Any] | None:
    if status not in (200, 202):
        raise ToolsUnreachable(f"the tools door answered with status {status}")
    if not text.strip():
        return None
    events = [text]
    if content_type.startswith("text/event-stream"):
        events = [line[5:] for line in text.splitlines() if line.startswith(b"data:")]
    for event in events:
        try:
            message = json.loads(event)
        except ValueError as error:
            raise ToolsUnreachable("the tools door answered something that is not JSON") from error
        if isinstance(message, dict) and "id" in message and ("result" in message or "error" in message):
            return message
    return None


def _error_text(reply: dict[str, Any]) -> str:
    error = reply.get("error")
    return str(error.get("message", "no reason given")) if isinstance(error, dict) else "no reason given"


async def reachable(url: str) -> str | None:
    """Return None when the tools door at ``url`` initialises, else the reason."""
    try:
        await ToolsClient(url).open()
    except ToolsUnreachable as error:
        return str(error)
    return None
