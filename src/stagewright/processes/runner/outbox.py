"""Messages to the platform, numbered when first sent and kept until acknowledged. The stream asks for the next."""

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from stagewright.kit.redact import Redactor
from stagewright.processes.runner.logs import LogBuffer
from stagewright.wire.v1 import common_pb2, stream_pb2

WINDOW_MESSAGES = 64
WINDOW_BYTES = 2 * 1024 * 1024
LOG_LIMITS = {"engine": 7 * 1024 * 1024, "runner": 1024 * 1024}
LONGEST_BLOCK_SECONDS = 5.0
LONGEST_EVENT_BYTES = 14 * 1024  # the journal takes 16 KiB with what the platform adds


class Outbox:
    """At-least-once sending: everything unacknowledged is sent again, in order, on the next stream."""

    def __init__(self, attempt: common_pb2.Attempt, redactor: Redactor) -> None:
        self._attempt = attempt
        self._redactor = redactor
        self._logs = {name: LogBuffer(redactor, limit) for name, limit in LOG_LIMITS.items()}
        self._waiting: deque[stream_pb2.RunnerMessage] = deque()
        self._heartbeat: stream_pb2.RunnerMessage | None = None
        self._unacked: deque[stream_pb2.RunnerMessage] = deque()
        self._unacked_bytes = 0
        self._next_unsent = 0
        self._numbered = 0
        self._patience = LONGEST_BLOCK_SECONDS
        self._flushing = False
        self.last_acked = 0
        self.news = asyncio.Event()
        self.moved = asyncio.Event()

    def event(self, kind: str, **body: Any) -> None:
        """Put a runner event (`runs.md` 12, marked R). The body is redacted."""
        text = self._redactor(json.dumps(body, ensure_ascii=False))
        if len(text.encode()) > LONGEST_EVENT_BYTES:
            text = json.dumps({"truncated": True, "keys": sorted(body)[:50]})
        message = self._message()
        message.event.kind, message.event.at, message.event.body = kind, now_text(), text
        self._put(message)

    def usage(self, model: str, counts: Mapping[str, int]) -> None:
        """Put what the engine spent since its previous report."""
        message = self._message()
        message.usage.model = model
        for name, value in counts.items():
            setattr(message.usage, name, value)
        self._put(message)

    def beat(self, *, engine_alive: bool) -> None:
        """Put a heartbeat in the place of one that was not sent yet."""
        message = self._message()
        message.heartbeat.at, message.heartbeat.engine_alive = now_text(), engine_alive
        self._heartbeat = message
        self.news.set()

    async def log(self, stream: str, data: bytes) -> None:
        """Put log bytes. Waits at most 5 s in all while the buffer stays full, then the middle is dropped."""
        buffer = self._logs[stream]
        while buffer.full and self._patience > 0:
            self.moved.clear()
            started = time.monotonic()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._patience):
                    await self.moved.wait()
            self._patience -= time.monotonic() - started
        if buffer.size < LOG_LIMITS[stream] // 4:
            self._patience = LONGEST_BLOCK_SECONDS
        buffer.write(data)
        self.news.set()

    def flush_logs(self) -> None:
        """Send what logs hold back as a possible beginning of a secret: a turn or the attempt ended."""
        for buffer in self._logs.values():
            buffer.flush()
        self.news.set()

    def next(self) -> stream_pb2.RunnerMessage | None:
        """Return the next message to send, or None when nothing is due or the window is full."""
        if self._next_unsent == len(self._unacked) and not self._number_one():
            return None
        message = self._unacked[self._next_unsent]
        self._next_unsent += 1
        return message

    def delay(self) -> float | None:
        """Return after how many seconds ``next`` may have something although nothing new was put."""
        if self._window_full():
            return None
        dues = [due for buffer in self._logs.values() if (due := buffer.due(time.monotonic())) is not None]
        return min(dues, default=None)

    def rewind(self) -> None:
        """Send everything unacknowledged again: the stream is a new one."""
        self._next_unsent = 0
        self.news.set()

    def acknowledged(self, number: int) -> None:
        """Forget messages up to ``number``."""
        while self._unacked and self._unacked[0].number <= number:
            self._unacked_bytes -= self._unacked.popleft().ByteSize()
            self._next_unsent = max(0, self._next_unsent - 1)
        self.last_acked = max(self.last_acked, min(number, self._numbered))
        self.news.set()
        self.moved.set()

    @property
    def waits_for_ack(self) -> bool:
        """Return whether something was sent that is not acknowledged."""
        return self._next_unsent > 0

    @property
    def drained(self) -> bool:
        """Return whether nothing is left to send or to be acknowledged."""
        return not (self._unacked or self._waiting or any(buffer.size for buffer in self._logs.values()))

    async def drain(self, seconds: float) -> bool:
        """Wait until everything is acknowledged; return whether it was in time."""
        self.flush_logs()
        try:
            async with asyncio.timeout(seconds):
                while not self.drained:
                    self.moved.clear()
                    await self.moved.wait()
        except TimeoutError:
            return False
        return True

    def _message(self) -> stream_pb2.RunnerMessage:
        return stream_pb2.RunnerMessage(attempt=self._attempt)

    def _put(self, message: stream_pb2.RunnerMessage) -> None:
        self._waiting.append(message)
        self.news.set()

    def _window_full(self) -> bool:
        return len(self._unacked) >= WINDOW_MESSAGES or self._unacked_bytes >= WINDOW_BYTES

    def _number_one(self) -> bool:
        message = None if self._window_full() else self._take()
        if message is None:
            return False
        self._numbered += 1
        message.number = self._numbered
        self._unacked.append(message)
        self._unacked_bytes += message.ByteSize()
        self.moved.set()
        return True

    def _take(self) -> stream_pb2.RunnerMessage | None:
        if self._heartbeat is not None:
            message, self._heartbeat = self._heartbeat, None
            return message
        if self._waiting:
            return self._waiting.popleft()
        for name, buffer in self._logs.items():
            if buffer.due(time.monotonic()) == 0.0 and (chunk := buffer.take()):
                message = self._message()
                message.log.stream, message.log.at, message.log.data = name, now_text(), chunk
                return message
        return None


def now_text() -> str:
    """Return the present as RFC 3339 in UTC."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
