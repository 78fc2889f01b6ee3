"""Reading the journal for people: pages of a stream, and of the audit."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from stagewright.kit.db import Reader, Row, record
from stagewright.kit.journal import Entry

to_entry = record(Entry, prev_hash=bytes, hash=bytes, tx=int)

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
  and (%(channels)s::text[] is null or actor_kind = any(%(actor_kinds)s)
       or (actor_kind = 'user' and exists (
           select 1 from request_origins o where o.correlation_id = journal.correlation_id and o.actor = journal.actor
             and o.channel = any(%(channels)s))))
  and (%(since)s::timestamptz is null or at >= %(since)s)
  and (%(until)s::timestamptz is null or at < %(until)s)
order by seq desc limit %(limit)s
"""
ONE = "select * from journal where seq = %(seq)s"
PROJECT_OF = "select project_id from journal where stream = %(stream)s order by seq limit 1"


async def list_stream(
    reader: Reader, stream: str, *, kinds: Sequence[str] | None = None, after: int | None, limit: int
) -> list[Entry]:
    """Return rows of one stream, oldest first."""
    return await reader.all(
        to_entry, OF_STREAM, stream=stream, kinds=list(kinds) if kinds else None, after=after, limit=limit
    )


async def list_audit(reader: Reader, filters: Mapping[str, Any], *, before: int | None, limit: int) -> list[Entry]:
    """Return rows of the whole journal, newest first.

    Filters: project, actors, kinds, streams, correlation, times; ``channels`` of people's requests, and then also rows
    of the ``actor_kinds``, which come through one channel only.
    """
    names = ("project", "actors", "kinds", "streams", "correlation", "channels", "actor_kinds", "since", "until")
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
