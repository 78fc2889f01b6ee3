"""What a row of the journal changed: the frame before it, and how far a chain is whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stagewright.kit import journal
from stagewright.kit.db import Reader, record
from stagewright.kit.journal import Entry

# Only frames have an id and a version; other facts of a stream change nothing a screen compares.
BEFORE = """
select e.seq, p.body from unnest(%(seqs)s::bigint[], %(streams)s::text[], %(ids)s::text[]) as e (seq, stream, id)
    cross join lateral (
        select j.body from journal j
        where j.stream = e.stream and j.seq < e.seq and j.body ->> 'id' = e.id and j.body ? 'version'
        order by j.seq desc limit 1) p
"""
UNTIL = """
select count(*) as rows, max(seq) as seq, max(at) as at from journal
where stream = %(stream)s and (%(before)s::bigint is null or seq < %(before)s)
"""
UNSHOWN = frozenset({"v", "version", "updated_at"})


@dataclass(frozen=True, slots=True)
class Verified:
    """How many rows of a stream fit, and up to which; nothing of an empty one."""

    rows: int
    seq: int | None
    at: datetime | None


to_verified = record(Verified)


def is_frame(entry: Entry) -> bool:
    """Say whether the row's body is a resource as it was then."""
    return isinstance(entry.body, Mapping) and "id" in entry.body and "version" in entry.body


async def frames_before(reader: Reader, entries: Sequence[Entry]) -> dict[int, Mapping[str, Any]]:
    """Return the frame that each row replaced, by the row's number; of the first of its resource, none."""
    framed = [entry for entry in entries if is_frame(entry)]
    rows = await reader.all(
        lambda row: (row["seq"], row["body"]),
        BEFORE,
        seqs=[entry.seq for entry in framed],
        streams=[entry.stream for entry in framed],
        ids=[str(entry.body["id"]) for entry in framed],
    )
    return dict(rows)


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields that differ, as they were and as they became."""
    names = [name for name in after if name not in UNSHOWN and after[name] != before.get(name)]
    return {name: before.get(name) for name in names}, {name: after[name] for name in names}


async def verify_stream(reader: Reader, stream: str) -> tuple[int | None, Verified]:
    """Recompute the chain of a stream. Return the first row that does not fit, or None, and how far it is whole."""
    bad = await journal.verify(reader.connection, stream)
    found = await reader.find(to_verified, UNTIL, stream=stream, before=bad)
    return bad, found or Verified(0, None, None)
