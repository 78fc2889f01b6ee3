"""Forget the journal by days: what is cut leaves a record per stream; its chain still verifies (access.md §9)."""

from datetime import date, datetime, timedelta

from psycopg import sql

from stagewright.kit.db import Database, Reader, Tx

KEPT = timedelta(days=400)
AS_RETENTION = "set local role stagewright_retention"
AS_OWNER = "set local role none"  # only the schema's owner drops tables; the transaction's end gives the role back
PATIENCE = "set local lock_timeout = '2s'"  # a drop stops writers while it waits; it comes again at the next pass
DAYS = """
select c.relname::text as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = 'journal'::regclass and c.relname ~ '^journal_[0-9]{8}$' order by c.relname
"""
CUT = """
insert into journal_cuts as c (stream, seq, hash, rows, cut_at)
select distinct on (stream) stream, seq, hash, count(*) over (partition by stream), %(now)s
from journal where at >= %(first)s and at < %(last)s order by stream, seq desc
on conflict (stream) do update
    set seq = excluded.seq, hash = excluded.hash, rows = c.rows + excluded.rows, cut_at = excluded.cut_at
    where excluded.seq > c.seq
"""
FORGET = "delete from journal where at >= %(first)s and at < %(last)s"
OLDEST = "select min(at) from journal where at < %(before)s"
SIZE = """
select coalesce(sum(pg_total_relation_size(i.inhrelid)), 0)::bigint
from pg_inherits i where i.inhparent = 'journal'::regclass
"""


async def journal_size(reader: Reader) -> int:
    """Return how many bytes the journal takes on disk, with its indexes."""
    return int(await reader.value(SIZE))


async def forget_days(db: Database, *, now: datetime, kept: timedelta = KEPT, most: int = 10) -> int:
    """Forget at most ``most`` days that are older than ``kept``, the oldest first. Return how many were forgotten."""
    before = (now - kept).date()
    done = 0
    while done < most:
        async with db.reading() as reader:
            partitions = dict(_day(name) for name in await reader.all(lambda row: str(row["name"]), DAYS))
            oldest: datetime | None = await reader.value(OLDEST, before=_start(before))
        days = [day for day in partitions if day < before] + ([oldest.date()] if oldest else [])
        if not days:
            break
        async with db.transaction() as tx:
            await _forget(tx, min(days), partitions.get(min(days)), now)
        done += 1
    return done


async def _forget(tx: Tx, day: date, partition: str | None, now: datetime) -> None:
    bounds = {"first": _start(day), "last": _start(day + timedelta(days=1))}
    await tx.execute(PATIENCE)
    await tx.execute(AS_RETENTION)
    await tx.execute(CUT, **bounds, now=now)
    if partition is None:
        await tx.execute(FORGET, **bounds)
        return
    await tx.execute(AS_OWNER)
    await tx.connection.execute(sql.SQL("drop table {}").format(sql.Identifier(partition)))


def _start(day: date) -> str:
    return f"{day.isoformat()} 00:00:00+00"


def _day(name: str) -> tuple[date, str]:
    digits = name.removeprefix("journal_")
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])), name
