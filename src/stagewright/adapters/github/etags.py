"""Answers kept to be asked for again for free: a bounded store, least lately used out first."""

from collections import OrderedDict
from dataclasses import dataclass

MOST_ENTRIES = 1000
MOST_BYTES = 32 << 20
LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer and its tag."""

    etag: str
    body: bytes
    next: str | None


class ETags:
    """Kept answers by whose they are and where from."""

    def __init__(self, *, most_entries: int = MOST_ENTRIES, most_bytes: int = MOST_BYTES) -> None:
        self._kept: OrderedDict[tuple[str, str], Kept] = OrderedDict()
        self._bytes = 0
        self._most_entries = most_entries
        self._most_bytes = most_bytes

    def find(self, whose: str, url: str) -> Kept | None:
        """Return what is kept, and keep it longer."""
        kept = self._kept.get((whose, url))
        if kept is not None:
            self._kept.move_to_end((whose, url))
        return kept

    def keep(self, whose: str, url: str, kept: Kept) -> None:
        """Keep an answer, dropping others for it."""
        self.drop(whose, url)
        if len(kept.body) > min(LARGEST, self._most_bytes):
            return
        self._kept[(whose, url)] = kept
        self._bytes += len(kept.body)
        while len(self._kept) > self._most_entries or self._bytes > self._most_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped.body)

    def drop(self, whose: str, url: str) -> None:
        """Forget an answer."""
        dropped = self._kept.pop((whose, url), None)
        if dropped is not None:
            self._bytes -= len(dropped.body)
