"""Reading the journal for people: pages of a stream or of the audit, and what is new since a cursor (access.md §8).

A cursor is an opaque text around a *snapshot*: what a transaction numbers at insert may commit later, so a cursor on
``seq`` would lose it. Rights are never derived from a cursor; its content is checked.
"""

import base64
import binascii
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from stagewright.kit import journal
from stagewright.kit.db import Reader, Row, record
from stagewright.kit.journal import Entry

SNAPSHOT = re.compile(r"(\d{1,20}):(\d{1,20}):((?:\d{1,20}(?:,\d{1,20})*)?)")
LONGEST = 4096
REPLAY_WINDOW = timedelta(hours=24)
to_entry = record(Entry, prev_hash=bytes, hash=bytes)

OF_STREAM = """
select * from journal
where stream = %(stream)s and (%(kinds)s::text[] is null or kind = any(%(kinds)s))
  and (%(after)s::bigint is null or seq > %(after)s)
order by seq limit %(limit)s
"""
AUDIT = """
select * from journal
where (%(before)s::bigint is null or seq < %(before)s)
  and (%(project)s::uuid is null or project_id = %(project)s)
  and (%(actors)s::text[] is null or actor = any(%(actors)s))
  and (%(kinds)s::text[] is null or kind = any(%(kinds)s))
  and (%(streams)s::text[] is null or stream = any(%(streams)s))
  and (%(correlation)s::text is null or correlation_id = %(correlation)s)
  and (%(since)s::timestamptz is null or at >= %(since)s)
  and (%(until)s::timestamptz is null or at < %(until)s)
order by seq desc limit %(limit)s
"""
ONE = "select * from journal where seq = %(seq)s"
PROJECT_OF = "select project_id from journal where stream = %(stream)s order by seq limit 1"
EPOCH = "select epoch::text from installation"
NEWER = """
select * from journal
where (tx >= pg_snapshot_xmax(%(since)s::pg_snapshot)
       or tx = any(array(select pg_snapshot_xip(%(since)s::pg_snapshot))))
  and pg_visible_in_snapshot(tx, %(until)s::pg_snapshot)
  and (stream = any(%(streams)s)
       or (topic = any(%(topics)s) and (%(projects)s::uuid[] is null or project_id = any(%(projects)s))))
order by seq limit %(limit)s
"""
AHEAD = "select pg_snapshot_xmax(%(theirs)s::pg_snapshot) > pg_snapshot_xmax(%(ours)s::pg_snapshot)"


class BadCursor(Exception):
    """The cursor cannot be resumed from; ``reason`` is what the client is told."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader follows: whole streams, and families of the projects it may see (None: all)."""

    streams: Sequence[str]
    topics: Sequence[str]
    projects: Sequence[UUID] | None


@dataclass(frozen=True, slots=True)
class News:
    """Rows in order, and the cursor behind them; ``resync`` says why the client has to load anew instead."""

    entries: Sequence[Entry]
    cursor: str
    resync: str | None = None


async def read_news(reader: Reader, cursor: str | None, wanted: Wanted, *, most: int, now: datetime) -> News:
    """Return what was committed after ``cursor``: nothing without one, a reason to load anew when it does not do."""
    until = await journal.present(reader.connection)
    epoch = str(await reader.value(EPOCH))
    following = Cursor(epoch, until, now).encode()
    if cursor is None:
        return News((), following)
    try:
        since = await _checked(reader, decode_cursor(cursor), epoch, until, now)
    except BadCursor as error:
        return News((), following, error.reason)
    rows = await reader.all(
        to_entry,
        NEWER,
        since=since,
        until=until,
        streams=list(wanted.streams),
        topics=list(wanted.topics),
        projects=None if wanted.projects is None else list(wanted.projects),
        limit=most + 1,
    )
    return News((), following, "overflow") if len(rows) > most else News(rows, following)


async def _checked(reader: Reader, cursor: Cursor, epoch: str, until: str, now: datetime) -> str:
    if cursor.epoch != epoch or await reader.value(AHEAD, theirs=cursor.snapshot, ours=until):
        raise BadCursor("epoch")
    if now - cursor.issued_at > REPLAY_WINDOW:
        raise BadCursor("too_old")
    return cursor.snapshot


async def list_stream(
    reader: Reader, stream: str, *, kinds: Sequence[str] | None = None, after: int | None, limit: int
) -> list[Entry]:
    """Return rows of one stream, oldest first."""
    return await reader.all(
        to_entry, OF_STREAM, stream=stream, kinds=list(kinds) if kinds else None, after=after, limit=limit
    )


async def list_audit(reader: Reader, filters: Mapping[str, Any], *, before: int | None, limit: int) -> list[Entry]:
    """Return rows of the whole journal, newest first. Filters: project, actors, kinds, streams, correlation, times."""
    names = ("project", "actors", "kinds", "streams", "correlation", "since", "until")
    return await reader.all(to_entry, AUDIT, **{name: filters.get(name) for name in names}, before=before, limit=limit)


async def find_entry(reader: Reader, seq: int) -> Entry | None:
    """Return one row."""
    return await reader.find(to_entry, ONE, seq=seq)


async def project_of_stream(reader: Reader, stream: str) -> tuple[bool, UUID | None]:
    """Return whether the stream exists, and the project of its first row."""
    row = await reader.find(_row, PROJECT_OF, stream=stream)
    return row is not None, row["project_id"] if row is not None else None


def _row(row: Row) -> Row:
    return row
