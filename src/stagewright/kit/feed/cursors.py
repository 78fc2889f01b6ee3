"""Where a client of the feed is: an opaque text around a snapshot. Rights are never derived from it.

A transaction numbers its rows at insert and may commit later, so a cursor on ``seq`` would lose events: a cursor is the
set of transactions that were seen (access.md §8.3).
"""

import base64
import binascii
import itertools
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

SNAPSHOT = re.compile(r"(\d{1,20}):(\d{1,20}):((?:\d{1,20}(?:,\d{1,20})*)?)")
LONGEST = 4096
REPLAY_WINDOW = timedelta(hours=24)


class BadCursor(Exception):
    """The cursor cannot be resumed from; ``reason`` is what the client is told."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A set of seen transactions: those below ``xmax`` that were not ``running``."""

    text: str
    xmax: int
    running: frozenset[int]

    @classmethod
    def of(cls, text: str) -> "Snapshot":
        """Read PostgreSQL's text of a snapshot."""
        _, xmax, running = text.split(":")
        return cls(text, int(xmax), frozenset(int(item) for item in running.split(",") if item))

    def saw(self, tx: int) -> bool:
        """Say whether the transaction's rows were visible."""
        return tx < self.xmax and tx not in self.running

    def covers(self, other: "Snapshot") -> bool:
        """Say whether everything that ``other`` saw was seen here, too; False also for an older snapshot."""
        missing = (tx for tx in self.running if tx < other.xmax and tx not in other.running)
        return self.xmax >= other.xmax and next(missing, None) is None


@dataclass(frozen=True, slots=True)
class Cursor:
    """Everything up to ``snapshot`` was seen, in the life ``epoch`` of the database."""

    epoch: str
    snapshot: str
    issued_at: datetime

    def encode(self) -> str:
        """Return the text for the wire."""
        payload = {"e": self.epoch, "s": self.snapshot, "t": self.issued_at.isoformat()}
        return base64.urlsafe_b64encode(json.dumps(payload, separators=(",", ":")).encode()).rstrip(b"=").decode()


def decode_cursor(text: str) -> Cursor:
    """Return the cursor of ``text``. Raises ``BadCursor`` (``too_old``) for anything that is not of our form."""
    try:
        if len(text) > LONGEST:
            raise ValueError("longer than any of ours")
        payload = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        found = Cursor(str(UUID(payload["e"])), str(payload["s"]), datetime.fromisoformat(payload["t"]))
        if not _is_snapshot(found.snapshot) or found.issued_at.tzinfo is None:
            raise ValueError("no snapshot")
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadCursor("too_old") from error
    return found


def check_cursor(
    text: str, *, epoch: str, present: Snapshot, now: datetime, window: timedelta = REPLAY_WINDOW
) -> Snapshot:
    """Return what the cursor saw. Raises ``BadCursor`` when it is of another life of the database, or too old."""
    cursor = decode_cursor(text)
    snapshot = Snapshot.of(cursor.snapshot)
    if cursor.epoch != epoch or snapshot.xmax > present.xmax:
        raise BadCursor("epoch")
    if now - cursor.issued_at > window:
        raise BadCursor("too_old")
    return snapshot


def _is_snapshot(text: str) -> bool:
    """Say whether PostgreSQL would read ``text``: xmin, xmax and the ids between them in ascending order."""
    match = SNAPSHOT.fullmatch(text)
    if match is None:
        return False
    xmin, xmax = int(match[1]), int(match[2])
    running = [int(item) for item in match[3].split(",")] if match[3] else []
    ascending = all(left < right for left, right in itertools.pairwise(running))
    within = all(xmin <= item < xmax for item in running)
    return 0 < xmin <= xmax < 2**63 and ascending and within
