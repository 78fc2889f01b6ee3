"""One request of the engine passed on with the token, and its answer passed back, both streamed."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from stagewright.processes.runner.http1 import BadMessage, Head, Request, Response
from stagewright.processes.runner.settings import is_loopback

T = TypeVar("T")
Hold = Callable[[], Awaitable[None]]

CONNECT_SECONDS = 10.0
LINGER_SECONDS = 1.0
LARGEST_CALL = 4 * 1024 * 1024
HELD_TOOL = "environment_redeploy"
HOP = ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade")
FRAMING = (*HOP, "content-length")
CREDENTIALS = ("authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie")
NOT_FORWARDED = frozenset((*FRAMING, *CREDENTIALS, "host", "expect", "forwarded"))
NOT_RETURNED = frozenset((*FRAMING, "set-cookie", "www-authenticate", "proxy-authenticate", "alt-svc"))


@dataclass(frozen=True, slots=True)
class Route:
    """``prefix`` here is ``target`` there. A ``tools`` route is that one path only; ``model`` has paths below it."""

    kind: Literal["tools", "model"]
    prefix: str
    target: str
    token: str = field(repr=False)


class RelayRefusal(Exception):
    """An answer of the relay itself."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: int, text: str) -> None:
    """Answer with a status and a sentence; then read on a little, or closing would take the answer away again."""
    body = json.dumps({"error": {"type": "relay", "message": text}}).encode()
    head = f"HTTP/1.1 {status} Refused\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    with contextlib.suppress(OSError):
        writer.write(f"{head}connection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.write_eof()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while await reader.read(LARGEST_CALL):
                pass


class Exchange:
    """One request passed on and its answer passed back."""

    def __init__(
        self, route: Route, target: str, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._route = route
        self._target = urlsplit(target)
        self._request = request
        self._reader = reader
        self._writer = writer
        self._response: Response | None = None
        self._upstream: asyncio.StreamWriter | None = None

    async def pass_on(self, hold: Hold | None) -> tuple[int, Head]:
        """Send the request with the token; return the status and head of the answer."""
        body = None
        if self._route.kind == "tools" and self._request.head.method == "POST":
            body = await self._whole_body()
            if hold is not None and _redeploys(body):
                await hold()
        if self._request.head.one("expect").lower() == "100-continue" and body is None:
            self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, upstream = await self._connect()
            self._upstream = upstream
            upstream.write(self._request_head(body))
            if body is not None:
                upstream.write(body)
            else:
                with contextlib.suppress(ConnectionError):  # an early answer, such as 413, still counts
                    await self._stream_up()
            await upstream.drain()
            self._response = Response(reader)
            head = await self._unless_gone(self._response.read_head())
        except asyncio.CancelledError:
            self._close_upstream()
            raise
        except (OSError, TimeoutError, BadMessage) as error:
            self._close_upstream()
            raise RelayRefusal(502, f"the platform's {self._route.kind} door cannot be reached: {error}") from error
        if head is None:
            self._close_upstream()
            raise RelayRefusal(502, f"the platform's {self._route.kind} door closed without an answer")
        return head.status, head

    async def pass_back(self) -> None:
        """Stream the answer to the engine; cut the connection when the answer was cut."""
        assert self._response is not None
        try:
            head = self._response.head
            empty = self._request.head.method == "HEAD" or head.status in (204, 304)
            length = head.one("content-length")
            self._writer.write(_response_head(head, length, empty))
            await self._writer.drain()
            if not empty:
                await self._unless_gone(self._stream_down(chunked=not length))
            await self._writer.drain()
        except (OSError, BadMessage):
            self._writer.transport.abort()
        finally:
            self._close_upstream()

    async def _stream_down(self, *, chunked: bool) -> None:
        assert self._response is not None
        while piece := await self._response.read_piece():
            self._writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            await self._writer.drain()
        framed = self._response.head.all("content-length") or self._response.head.all("transfer-encoding")
        if framed and not self._response.complete:
            raise BadMessage("the answer was cut")
        if chunked:
            self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()

    async def _stream_up(self) -> None:
        assert self._upstream is not None
        chunked = bool(self._request.head.all("transfer-encoding"))
        while piece := await self._request.read_piece():
            self._upstream.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            await self._upstream.drain()
        if not self._request.complete:
            raise BadMessage("the request was cut")
        if chunked:
            self._upstream.write(b"0\r\n\r\n")

    async def _whole_body(self) -> bytes:
        body = bytearray()
        while piece := await self._request.read_piece():
            body += piece
            if len(body) > LARGEST_CALL:
                raise RelayRefusal(413, "a tool call is at most 4 MiB")
        if not self._request.complete:
            raise BadMessage("the request was cut")
        return bytes(body)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, secure = self._target.hostname or "", self._target.scheme == "https"
        if not secure and not is_loopback(host):
            raise OSError("plain http is taken on loopback only; use an https address")
        context = ssl.create_default_context() if secure else None
        return await asyncio.open_connection(host, self._target.port or (443 if secure else 80), ssl=context)

    def _request_head(self, body: bytes | None) -> bytes:
        head = self._request.head
        path = (self._target.path or "/") + (f"?{self._target.query}" if self._target.query else "")
        lines = [f"{head.method} {path} HTTP/1.1", f"host: {self._target.netloc}"]
        lines += [
            f"{name}: {value}"
            for name, value in head.headers
            if name not in NOT_FORWARDED and not name.startswith("x-forwarded-")
        ]
        lines += [f"authorization: Bearer {self._route.token}", "connection: close"]
        if body is not None:
            lines.append(f"content-length: {len(body)}")
        elif head.all("transfer-encoding"):
            lines.append("transfer-encoding: chunked")
        elif length := head.one("content-length"):
            lines.append(f"content-length: {length}")
        return "\r\n".join((*lines, "", "")).encode("latin-1")

    async def _unless_gone(self, work: Coroutine[Any, Any, T]) -> T:
        """Await, but stop when the engine hangs up: nobody would read the answer."""
        task, gone = asyncio.create_task(work), asyncio.create_task(self._hang_up())
        try:
            await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise ConnectionResetError("the engine hung up")
            return task.result()
        finally:
            for left in (task, gone):
                left.cancel()
            await asyncio.gather(task, gone, return_exceptions=True)

    async def _hang_up(self) -> None:
        while await self._reader.read(1024):
            pass

    def _close_upstream(self) -> None:
        if self._upstream is not None:
            self._upstream.close()


def _response_head(head: Head, length: str, empty: bool) -> bytes:
    lines = [f"HTTP/1.1 {head.status} -"]
    lines += [f"{name}: {value}" for name, value in head.headers if name not in NOT_RETURNED]
    if length:
        lines.append(f"content-length: {length}")
    elif not empty:
        lines.append("transfer-encoding: chunked")
    return "\r\n".join((*lines, "connection: close", "", "")).encode("latin-1")


def _redeploys(body: bytes) -> bool:
    """Return whether an MCP message calls the tool that must not run before the session is saved."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return False
    for call in value if isinstance(value, list) else [value]:
        params = call.get("params") if isinstance(call, dict) and call.get("method") == "tools/call" else None
        if isinstance(params, dict) and params.get("name") == HELD_TOOL:
            return True
    return False
