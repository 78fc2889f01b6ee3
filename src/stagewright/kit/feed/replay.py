"""What was committed between two snapshots, of some streams, families and kinds: for clients that come back."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from stagewright.kit import journal
from stagewright.kit.db import Reader, record
from stagewright.kit.feed.cursors import Snapshot
from stagewright.kit.journal import Entry

PAGE = 2000
to_entry = record(Entry, prev_hash=bytes, hash=bytes, tx=int)

EPOCH = "select epoch::text from installation"
BETWEEN = """
select * from journal
where (tx >= pg_snapshot_xmax(%(since)s::pg_snapshot)
       or tx = any(array(select pg_snapshot_xip(%(since)s::pg_snapshot))))
  and pg_visible_in_snapshot(tx, %(until)s::pg_snapshot) and seq > %(after)s
  and (%(everything)s or stream = any(%(streams)s) or kind = any(%(kinds)s)
       or (topic = any(%(topics)s) and (%(projects)s::uuid[] is null or project_id = any(%(projects)s))))
order by seq limit %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader asks for: whole streams; journal topics of the projects it may see (None: all); kinds."""

    streams: Sequence[str] = ()
    topics: Sequence[str] = ()
    projects: Sequence[UUID] | None = None
    kinds: Sequence[str] = ()
    everything: bool = False


async def present(reader: Reader) -> Snapshot:
    """Return the snapshot of now."""
    return Snapshot.of(await journal.present(reader.connection))


async def epoch(reader: Reader) -> str:
    """Return in which life the database is: a restore begins another."""
    return str(await reader.value(EPOCH))


async def replay(reader: Reader, since: str, until: str, wanted: Wanted) -> AsyncIterator[list[Entry]]:
    """Yield pages of what ``until`` sees and ``since`` does not, in order of ``seq``."""
    after, full = 0, True
    while full:
        entries = await reader.all(
            to_entry,
            BETWEEN,
            since=since,
            until=until,
            after=after,
            everything=wanted.everything,
            streams=list(wanted.streams),
            kinds=list(wanted.kinds),
            topics=list(wanted.topics),
            projects=None if wanted.projects is None else list(wanted.projects),
            limit=PAGE,
        )
        full = len(entries) == PAGE
        after = entries[-1].seq if entries else after
        yield entries
