"""Log bytes on their way out: bounded, redacted when sent, cut between characters. Full means the middle is dropped."""

import time
from collections import deque

from stagewright.kit.redact import Redactor, StreamRedactor

CHUNK = 64 * 1024
LINGER_SECONDS = 0.1


class LogBuffer:
    """One log stream of the attempt. Keeps the oldest and the newest half of ``limit`` bytes."""

    def __init__(self, redactor: Redactor, limit: int) -> None:
        self._live = redactor
        self._redactor = StreamRedactor(redactor, "log")
        self._half = limit // 2
        self._head: deque[bytes] = deque()
        self._tail: deque[bytes] = deque()
        self._head_size = self._tail_size = 0
        self._dropped = 0
        self._ready = b""
        self._since: float | None = None
        self._flushed = True

    @property
    def size(self) -> int:
        """Return how many bytes wait."""
        return self._head_size + self._tail_size + len(self._ready)

    @property
    def full(self) -> bool:
        """Return whether the next chunk would push others out."""
        return self._tail_size + CHUNK > self._half

    def write(self, data: bytes) -> None:
        """Take bytes. Never blocks; drops the oldest of the newer half when there is no room."""
        if data and self._since is None:
            self._since = time.monotonic()
        for start in range(0, len(data), CHUNK):
            self._write_piece(data[start : start + CHUNK])

    def _write_piece(self, piece: bytes) -> None:
        self._flushed = False
        if not self._tail and self._head_size < self._half:
            self._head.append(piece)
            self._head_size += len(piece)
            return
        self._tail.append(piece)
        self._tail_size += len(piece)
        while self._tail_size > self._half:
            lost = self._tail.popleft()
            self._tail_size -= len(lost)
            self._dropped += len(lost)

    def due(self, now: float) -> float | None:
        """Return in how many seconds a chunk should go out, None when there is nothing to send."""
        if self._ready or self._head_size + self._tail_size >= CHUNK // 2:
            return 0.0
        return None if self._since is None else max(0.0, self._since + LINGER_SECONDS - now)

    def take(self) -> bytes:
        """Return the next chunk, redacted; empty when what waits may still become a secret."""
        while len(self._ready) < CHUNK and (piece := self._next_piece()) is not None:
            self._ready += self._redactor.feed(piece)
        if not self._head and not self._tail:
            self._since = None
        chunk = cut_between_characters(self._ready, CHUNK)
        self._ready = self._ready[len(chunk) :]
        return chunk

    def flush(self) -> None:
        """Let go of what was held back as a possible beginning of a secret: the stream pauses or ends here."""
        if self._flushed:
            return
        while (piece := self._next_piece()) is not None:
            self._ready += self._redactor.feed(piece)
        self._ready += self._redactor.flush()
        self._since = None
        self._flushed = True

    def _next_piece(self) -> bytes | None:
        """Return the oldest piece. What follows a gap is never joined to what was passed on before it."""
        if not self._head:
            return self._marker() if self._dropped else None
        piece = self._head.popleft()
        self._head_size -= len(piece)
        if not self._head and not self._dropped:
            self._promote_tail()
        return piece

    def _promote_tail(self) -> None:
        self._head, self._tail = self._tail, deque()
        self._head_size, self._tail_size = self._tail_size, 0

    def _marker(self) -> bytes:
        """Return the line that stands for what was dropped. A secret cut through by the gap leaves neither of its ends:
        its beginning was held back and is forgotten, its end is on the rest of a line, which is dropped too."""
        self._redactor = StreamRedactor(self._live, "log")
        skipped = 0
        while self._tail and skipped < CHUNK:
            first = self._tail.popleft()
            line_end = first.find(b"\n") + 1
            skipped += line_end or len(first)
            if line_end:
                self._tail.appendleft(first[line_end:])
                break
        self._tail_size -= skipped
        marker = f"\n[stagewright: {self._dropped + skipped} bytes of output dropped here]\n".encode()
        self._dropped = 0
        self._promote_tail()
        return marker


def cut_between_characters(data: bytes, limit: int) -> bytes:
    """Return at most ``limit`` first bytes of ``data``, not ending inside a UTF-8 character."""
    if len(data) <= limit:
        return data
    end = limit
    while end > limit - 4 and data[end] & 0xC0 == 0x80:
        end -= 1
    return data[:end] if data[end] & 0xC0 != 0x80 else data[:limit]
