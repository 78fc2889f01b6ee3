"""The last rows of the journal, kept for sockets that come back: 50,000 rows, 32 MiB."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from stagewright.kit.feed import Snapshot
from stagewright.processes.gateway.realtime.frames import Line


@dataclass(slots=True)
class _Batch:
    since: Snapshot
    lines: list[Line] = field(default_factory=list)
    size: int = 0
    until: Snapshot | None = None


class Memory:
    """Whole batches, oldest first. What is not held any more is read from the database."""

    def __init__(self, start: Snapshot, *, most_rows: int = 50_000, most_bytes: int = 32 * 1024 * 1024) -> None:
        self._most_rows, self._most_bytes = most_rows, most_bytes
        self._batches: deque[_Batch] = deque()
        self._open = _Batch(start)
        self._rows = self._bytes = 0

    def add(self, lines: Sequence[Line]) -> None:
        """Keep lines of the batch under way. One that is too large by itself is given up as a whole."""
        size = sum(line.size for line in lines)
        self._open.lines += lines
        self._open.size += size
        self._rows += len(lines)
        self._bytes += size
        while self._batches and self._full:
            self._forget(self._batches.popleft())

    def complete(self, until: Snapshot) -> None:
        """End the batch under way: from now on its lines are found."""
        batch, self._open = self._open, _Batch(until)
        batch.until = until
        if self._full:
            self._forget(batch)
        elif batch.lines:
            self._batches.append(batch)

    def since(self, seen: Snapshot) -> Iterator[Line] | None:
        """Return the lines that ``seen`` did not see, in order; None when older ones may be missing here."""
        oldest = self._batches[0].since if self._batches else self._open.since
        if not seen.covers(oldest):
            return None
        return self._lines(seen)

    def _lines(self, seen: Snapshot) -> Iterator[Line]:
        for batch in self._batches:
            if batch.until is not None and not seen.covers(batch.until):
                yield from (line for line in batch.lines if not seen.saw(line.tx))

    @property
    def _full(self) -> bool:
        return self._rows > self._most_rows or self._bytes > self._most_bytes

    def _forget(self, batch: _Batch) -> None:
        self._rows -= len(batch.lines)
        self._bytes -= batch.size
