"""What a socket still has to be sent: bounded, and written by one task (access.md §8.5)."""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from stagewright.kit.http.asgi import Send


@dataclass(frozen=True, slots=True)
class Limits:
    """What one socket may hold back, ask, and take."""

    messages: int = 1000
    bytes: int = 2 * 1024 * 1024
    blocked: timedelta = timedelta(seconds=10)
    overflows: int = 3
    overflow_window: timedelta = timedelta(seconds=60)
    hello: timedelta = timedelta(seconds=5)
    asks_per_second: int = 20
    sockets_per_user: int = 20
    connects_per_minute: int = 30


Message = str | bytes


class Outbox:
    """Messages in order. What was promised first (``begin``) goes out before what is pushed meanwhile."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._queue: deque[Message] = deque()
        self._bytes = 0
        self._greeting: str | None = None
        self._first: Iterator[str] | None = None
        self._begun = False
        self._wake = asyncio.Event()
        self.closing: tuple[int, str] | None = None

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def catching_up(self) -> bool:
        """Say whether frames of the past are still to be written."""
        return self._first is not None

    @property
    def roomy(self) -> bool:
        """Say whether less than half of the room is taken: what can wait goes in only then."""
        return len(self._queue) * 2 < self._limits.messages and self._bytes * 2 < self._limits.bytes

    def push(self, message: Message) -> bool:
        """Queue a message; False when there is no room, and nothing was queued."""
        if len(self._queue) >= self._limits.messages or self._bytes + len(message) > self._limits.bytes:
            return False
        self._queue.append(message)
        self._bytes += len(message)
        if self._begun:
            self._wake.set()
        return True

    def begin(self, greeting: str, first: Iterable[str]) -> None:
        """Open the way: the greeting and ``first``, each part made at its turn, go before everything pushed so far."""
        self._greeting, self._first, self._begun = greeting, iter(first), True
        self._wake.set()

    def empty(self) -> None:
        """Forget everything that was not written, but the greeting."""
        self._queue.clear()
        self._bytes, self._first = 0, None

    def close(self, code: int, reason: str) -> None:
        """End the socket with ``code``; nothing that waits is written any more."""
        self.empty()
        self.closing = self.closing or (code, reason)
        self._wake.set()

    async def run(self, send: Send) -> None:
        """Write until the socket is closed; a write that is blocked for too long closes it."""
        while self.closing is None:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._write(send)
            except TimeoutError:
                self.close(4408, "too slow")
        code, reason = self.closing
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await send({"type": "websocket.close", "code": code, "reason": reason})

    async def _write(self, send: Send) -> None:
        while (message := self._next()) is not None:
            async with asyncio.timeout(self._limits.blocked.total_seconds()):
                kind = "text" if isinstance(message, str) else "bytes"
                await send({"type": "websocket.send", kind: message})

    def _next(self) -> Message | None:
        message: str | None
        if self.closing is not None:
            return None
        if self._greeting is not None:
            message, self._greeting = self._greeting, None
            return message
        if self._first is not None:
            message = next(self._first, None)
            if message is not None:
                return message
            self._first = None
        if not self._queue:
            return None
        found = self._queue.popleft()
        self._bytes -= len(found)
        return found
