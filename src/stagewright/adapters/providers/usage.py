"""Reads what a call used from the bytes that pass by. It changes none of them and holds at most one event."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

LONGEST_EVENT = 16 * 1024 * 1024
MOST_TOKENS = 10**12
ENDS = frozenset({"response.completed", "response.incomplete", "response.failed", "message_stop"})


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. ``sent`` holds what was written to and read from a cache; ``cached`` is what was read."""

    sent: int
    cached: int
    answered: int


class _Details(msgspec.Struct):
    cached_tokens: int | None = None


class _Counts(msgspec.Struct):
    """Both APIs' words; Anthropic's ``input_tokens`` leave the cache out, OpenAI's do not."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: _Details | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


class _Holder(msgspec.Struct):
    usage: _Counts | None = None


class _Event(msgspec.Struct):
    type: str = ""
    usage: _Counts | None = None
    response: _Holder | None = None
    message: _Holder | None = None


class UsageReader:
    """Fed with an answer's bytes; ``usage`` is what is known so far, ``finished`` that nothing more will come."""

    def __init__(self) -> None:
        self._events = _Events()
        self._known = _Counts()
        self.finished = False

    @property
    def usage(self) -> Usage | None:
        """Return the newest figures, None before any."""
        counts = self._known
        if counts.input_tokens is None and counts.output_tokens is None:
            return None
        read = counts.cache_read_input_tokens or 0
        details = counts.input_tokens_details
        cached = read + ((details.cached_tokens or 0) if details is not None else 0)
        sent = (counts.input_tokens or 0) + (counts.cache_creation_input_tokens or 0) + read
        return Usage(_bounded(sent), _bounded(cached), _bounded(counts.output_tokens or 0))

    def feed(self, piece: bytes) -> None:
        """Read a piece of an event stream."""
        for data in self._events.feed(piece):
            self._take(data)

    def feed_whole(self, body: bytes) -> None:
        """Read a whole JSON answer."""
        self._take(body)
        self.finished = True

    def _take(self, data: bytes) -> None:
        if b'"usage"' not in data and b"message_stop" not in data:
            return
        try:
            event = msgspec.json.decode(data, type=_Event)
        except msgspec.MsgspecError:
            return
        for holder in (event.message, event.response, event):
            if holder is not None and holder.usage is not None:
                self._learn(holder.usage)
        self.finished = self.finished or event.type in ENDS

    def _learn(self, counts: _Counts) -> None:
        """Later figures replace earlier ones: they are sums over the call."""
        for name in _Counts.__struct_fields__:
            value = getattr(counts, name)
            if value is not None:
                setattr(self._known, name, value)


class _Events:
    """Splits server-sent events: gives the data of each, however the pieces were cut."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._held = 0
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        if b"\n" in piece:
            first, *lines = piece.split(b"\n")
            yield from self._line(b"".join((*self._rest, first)))
            piece = lines.pop()
            for line in lines:
                yield from self._line(line)
            self._rest, self._held = [], 0
        self._held += len(piece)
        if self._held <= LONGEST_EVENT:  # a longer line is no event of ours: what is kept of it will not parse
            self._rest.append(piece)

    def _line(self, line: bytes) -> Iterator[bytes]:
        line = line.removesuffix(b"\r")
        if line:
            name, _, value = line.partition(b":")
            if name == b"data" and self._size <= LONGEST_EVENT:
                self._data.append(value.removeprefix(b" "))
                self._size += len(value)
            return
        if self._data:
            yield b"\n".join(self._data)
        self._data, self._size = [], 0


def _bounded(count: int) -> int:
    return min(MOST_TOKENS, max(0, count))
