"""HTTP/1.1 framing for the loopback relay: httptools parses (strictly), this gives messages with streamed bodies."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

import httptools

LARGEST_HEAD = 64 * 1024
PIECE = 64 * 1024


class BadMessage(Exception):
    """What came is not the HTTP we speak; the text says what is wrong."""


@dataclass(slots=True)
class Head:
    """First line and headers. Header names are lower case."""

    method: str = ""
    target: str = ""
    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    upgrade: bool = False

    def all(self, name: str) -> list[str]:
        """Return the values of a header."""
        return [value for key, value in self.headers if key == name]

    def one(self, name: str) -> str:
        """Return a header's value, empty when it is absent. Raises ``BadMessage`` when it stands twice."""
        values = self.all(name)
        if len(values) > 1:
            raise BadMessage(f"the header {name} stands twice")
        return values[0] if values else ""


class Message:
    """An incoming message: the head, then the body piece by piece. ``complete`` tells a whole one from a cut one."""

    _parser: httptools.HttpRequestParser | httptools.HttpResponseParser

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.head = Head()
        self.complete = False
        self._reader = reader
        self._pieces: deque[bytes] = deque()
        self._head_done = False
        self._size = 0

    async def read_head(self) -> Head | None:
        """Return the head, or None when the other side closed without a word. Raises ``BadMessage``."""
        while not self._head_done:
            if not await self._more():
                if self._size:
                    raise BadMessage("the message ended inside its head")
                return None
            if not self._head_done and self._size > LARGEST_HEAD:
                raise BadMessage("the head is larger than 64 KiB")
        return self.head

    async def read_piece(self) -> bytes:
        """Return the next piece of the body, empty at its end."""
        while not self._pieces and not self.complete and await self._more():
            pass
        return self._pieces.popleft() if self._pieces else b""

    async def _more(self) -> bool:
        data = await self._reader.read(PIECE)
        if not data:
            return False
        self._size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.head.upgrade = True
            self._head_done = True
        except httptools.HttpParserError as error:
            raise BadMessage(f"not HTTP/1.1: {error}") from error
        return True

    # What follows is called by the parser.

    def on_header(self, name: bytes, value: bytes) -> None:
        self.head.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        self.complete = self._head_done


class Request(Message):
    """The one request of a connection."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        super().__init__(reader)
        self._parser = self._request = httptools.HttpRequestParser(self)

    def on_message_begin(self) -> None:
        if self._head_done:
            raise BadMessage("a second request on one connection")

    def on_url(self, url: bytes) -> None:
        self.head.target += url.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.head.method = self._request.get_method().decode("ascii")
        self._head_done = True


class Response(Message):
    """The final response; interim ones (100 Continue) are passed over."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        super().__init__(reader)
        self._parser = self._response = httptools.HttpResponseParser(self)

    def on_message_begin(self) -> None:
        if not self._head_done:
            self.head = Head()

    def on_headers_complete(self) -> None:
        self.head.status = self._response.get_status_code()
        self._head_done = self.head.status >= 200
