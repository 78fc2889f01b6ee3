"""Finds many byte strings at once, and the place where one may have begun at the end of what is known so far."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from stagewright.kit.redact import formats

START = 4  # patterns are found by this many first bytes, then compared whole


class Span(NamedTuple):
    """A place of a secret in the data, and what it is."""

    start: int
    end: int
    kind: str


class Matcher:
    """Immutable: the forms of all values at one moment. Built anew when the values change."""

    def __init__(self, forms: Iterable[tuple[bytes, str]]) -> None:
        self._kinds = dict(forms)
        self._sorted = sorted(self._kinds)
        self._by_start: dict[bytes, list[bytes]] = defaultdict(list)
        for form in sorted(self._sorted, key=len, reverse=True):
            self._by_start[form[:START]].append(form)
        self._starts = _pattern(self._by_start)
        self.longest = max(map(len, self._sorted), default=0)

    def spans(self, data: bytes) -> list[Span]:
        """Return every place of a secret, in order. Places may overlap."""
        found = [*self._values(data), *_formats(data)]
        found.sort()
        return found

    def _values(self, data: bytes) -> Iterator[Span]:
        if self._starts is None:
            return
        hit = self._starts.search(data)
        while hit is not None:
            start = hit.start()
            for form in self._by_start[hit.group()]:
                if data.startswith(form, start):
                    yield Span(start, start + len(form), self._kinds[form])
                    break
            hit = self._starts.search(data, start + 1)

    def begun(self, data: bytes) -> int:
        """Return the first place from which the end of ``data`` may be the beginning of a secret, else its length."""
        hit = formats.begun().search(data, max(0, len(data) - formats.LONGEST))
        place = len(data) if hit is None else hit.start()
        for start in self._places(data, max(0, len(data) - self.longest + 1)):
            if start >= place:
                break
            if self._is_beginning(data[start:]):
                return start
        return place

    def _places(self, data: bytes, start: int) -> Iterator[int]:
        """Return where the first bytes of a value stand, then the last places, too near the end for all of them."""
        last = max(start, len(data) - START + 1)
        while self._starts is not None and (hit := self._starts.search(data, start)) is not None:
            if hit.start() >= last:
                break
            yield hit.start()
            start = hit.start() + 1
        yield from range(last, len(data))

    def _is_beginning(self, tail: bytes) -> bool:
        place = bisect_left(self._sorted, tail)
        while place < len(self._sorted) and self._sorted[place].startswith(tail):
            if len(self._sorted[place]) > len(tail):
                return True
            place += 1
        return False


def _formats(data: bytes) -> Iterator[Span]:
    hit = formats.WHOLE.search(data)
    while hit is not None:
        yield Span(hit.start(), hit.end(), formats.name_at(data, hit.start()))
        hit = formats.WHOLE.search(data, hit.start() + 1)


def _pattern(starts: Iterable[bytes]) -> "re.Pattern[bytes] | None":
    """Return the pattern of all ``starts``, grouped by first byte, so that the search can skip quickly."""
    groups: dict[bytes, list[bytes]] = defaultdict(list)
    for start in sorted(starts):
        groups[start[:1]].append(start[1:])
    if not groups:
        return None
    alternatives = []
    for first, rests in groups.items():
        alternatives.append(re.escape(first) + b"(?:" + b"|".join(map(re.escape, rests)) + b")")
    return re.compile(b"|".join(alternatives))
