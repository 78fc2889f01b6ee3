"""Keyset pages: what a list handler asks its view for, and the page it answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from stagewright.kit.http.cursors import Cursors, Key
from stagewright.kit.http.models import Page

T = TypeVar("T")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Paging:
    """One request for a page. ``sort`` begins with ``-`` for descending; filters are what the cursor is bound to."""

    cursors: Cursors
    limit: int
    cursor: str | None
    sort: str
    filters: Mapping[str, Any]

    @property
    def after(self) -> tuple[Key, ...] | None:
        """Return the sort values after which the page begins; None for the first page. Raises ``CursorMismatch``."""
        return self.cursors.decode(self.cursor, self.sort, self.filters) if self.cursor else None

    @property
    def fetch(self) -> int:
        """Return how many rows to read: one more than the page shows, to know whether another follows."""
        return self.limit + 1

    def page(
        self, rows: Sequence[T], key: Callable[[T], tuple[Key, ...]], view: Callable[[T], V], *, as_of: datetime
    ) -> Page[V]:
        """Make the page of ``rows``, which were read with ``fetch`` as limit."""
        shown = rows[: self.limit]
        more = len(rows) > self.limit
        cursor = self.cursors.encode(self.sort, key(shown[-1]), self.filters) if more else None
        return Page(items=[view(row) for row in shown], next_cursor=cursor, as_of=as_of)

    def slice(
        self, rows: Sequence[T], key: Callable[[T], tuple[Key, ...]], view: Callable[[T], V], *, as_of: datetime
    ) -> Page[V]:
        """Make the page of a list that is short by nature and was read whole, in the order of ``key``."""
        after = self.after
        rest = sorted(rows, key=key)
        if after is not None:
            rest = [row for row in rest if key(row) > after]
        return self.page(rest, key, view, as_of=as_of)
