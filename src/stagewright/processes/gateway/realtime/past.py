"""Frames of the past for one reader: all of streams, the last of each key of lists, and not too many."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stagewright.kit import feed
from stagewright.kit.db import Reader
from stagewright.processes.gateway.realtime.frames import Line, Piece, Scribe, line_of
from stagewright.processes.gateway.realtime.rights import Rights
from stagewright.processes.gateway.realtime.subscriptions import Subscription, places

Shown = tuple[Piece, Subscription]
PART = 100


@dataclass
class Past:
    """Collects what a reader missed. ``over``: more than ``most`` frames; then the reader loads anew instead."""

    subscriptions: Mapping[str, Subscription]
    rights: Rights
    most: int
    _every: list[Shown] = field(default_factory=list)
    _newest: dict[tuple[str, str], Shown] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Say whether it is too much."""
        return len(self._every) + len(self._newest) > self.most

    def take(self, lines: Iterable[Line]) -> None:
        """Add the frames of lines, up to the limit."""
        for line in lines:
            for piece in line.pieces:
                found = self.subscriptions.get(piece.frame.route)
                if found is not None and found.shows(piece.frame, self.rights):
                    self._add(piece, found)
            if self.over:
                return

    def _add(self, piece: Piece, subscription: Subscription) -> None:
        if piece.frame.in_list:
            self._newest[piece.frame.route, piece.frame.key] = (piece, subscription)
        else:
            self._every.append((piece, subscription))

    def shown(self, rights: Rights) -> list[Shown]:
        """Return what was collected, in order, as far as ``rights`` (those of now) still show it."""
        found = [*self._every, *self._newest.values()]
        allowed = [item for item in found if item[1].allowed(rights) and item[1].shows(item[0].frame, rights)]
        return sorted(allowed, key=lambda item: (item[0].seq, not item[0].frame.in_list))


async def read_past(reader: Reader, seen: feed.Snapshot, until: feed.Snapshot, past: Past) -> None:
    """Collect from the journal what ``until`` sees and ``seen`` does not."""
    if not past.subscriptions:
        return
    wanted = places(past.subscriptions.values(), past.rights)
    async for entries in feed.replay(reader, seen.text, until.text, wanted):
        past.take(line_of(entry) for entry in entries)
        if past.over:
            return


def told(shown: Sequence[Shown], rights: Rights, cursor: str) -> Iterator[str]:
    """Yield the messages of the past, each made when it is its turn; the last one carries the cursor."""
    for start in range(0, len(shown), PART):
        scribe = Scribe()
        part = [scribe.frame(piece, item.topic, rights) for piece, item in shown[start : start + PART]]
        yield from scribe.messages(part, cursor if start + PART >= len(shown) else None)
