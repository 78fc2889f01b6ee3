"""Verify every chain of the journal in the background, a few pages at a time (access.md §9).

Two walks read the journal like any reader of it, by snapshot, so that a late commit of a lower number is not missed.
``front`` follows what is new. ``round`` begins anew each day and sees what was changed long after it was written; at
its end the last row of every stream must be the one that its head names. Both go on where they stopped: where they are
stands in rows, moved by compare-and-set. What retention cut is whole up to the cut.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, LiteralString

from stagewright.kit import journal
from stagewright.kit.db import Database, Reader, Row, Tx, record
from stagewright.kit.feed.cursors import Snapshot
from stagewright.kit.journal import GENESIS, Entry, Place

FRONT, ROUND = "front", "round"
WALKS = (FRONT, ROUND)
PAGE = 500
PAGES = 10
ROUND_EVERY = timedelta(days=1)
BEGINNING = "1:1:"

READ_WALK = "select * from journal_walks where walk = %(walk)s"
BEGIN = """
insert into journal_walks (walk, began_at) values (%(walk)s, %(now)s)
on conflict (walk) do update set since = null, until = null, after = 0, rows = 0, seq = null, at = null,
    began_at = excluded.began_at, checked_at = null
"""
FORGET_HEADS = "delete from journal_walk_heads where walk = %(walk)s"
LOCK_WALK = "select since, until, after, began_at from journal_walks where walk = %(walk)s for update"
MOVE = """
update journal_walks set since = %(since)s, until = %(until)s, after = %(after)s, rows = rows + %(rows)s,
    seq = greatest(seq, %(seq)s), at = coalesce(%(at)s, at), checked_at = coalesce(%(checked_at)s, checked_at)
where walk = %(walk)s
"""
KEEP_HEADS = """
insert into journal_walk_heads (walk, stream, seq, hash)
select %(walk)s, * from unnest(%(streams)s::text[], %(seqs)s::bigint[], %(hashes)s::bytea[])
on conflict (walk, stream) do update set seq = excluded.seq, hash = excluded.hash
"""
KEEP_BREAKS = """
insert into journal_breaks (stream, seq, found_at)
select stream, seq, %(now)s from unnest(%(streams)s::text[], %(seqs)s::bigint[]) as b (stream, seq)
on conflict (stream) do nothing
returning stream, seq
"""
HEADS = "select stream, seq, hash from journal_walk_heads where walk = %(walk)s and stream = any(%(streams)s)"
CUTS = "select stream, seq, hash from journal_cuts where stream = any(%(streams)s)"
# A stream must end where its head says, and no earlier than the front has seen it end.
ENDS = """
with fresh as (
    select * from unnest(%(streams)s::text[], %(seqs)s::bigint[], %(hashes)s::bytea[]) as f (stream, seq, hash)),
walked as (
    select stream, seq, hash from fresh
    union all
    select stream, seq, hash from journal_walk_heads w
    where walk = 'round' and not exists (select 1 from fresh where fresh.stream = w.stream)),
seen as (select stream, seq from journal_walk_heads where walk = 'front')
select stream, greatest(h.seq, s.seq) as seq
from journal_heads h full join seen s using (stream) left join walked w using (stream)
    left join journal_cuts c using (stream)
where h.seq is null or s.seq > h.seq
   or not coalesce((w.seq, w.hash) = (h.seq, h.hash), (c.seq, c.hash) = (h.seq, h.hash), false)
order by stream limit 1000
"""
STATE = """
select f.seq, f.at, f.checked_at, coalesce(f.rows, 0) as rows, b.broken, b.first_bad_seq
from (select count(*)::int as broken, min(seq) as first_bad_seq from journal_breaks) b
    left join journal_walks f on f.walk = 'front'
"""


Head = tuple[int, bytes]  # the last row of a stream: number and hash


@dataclass(frozen=True, slots=True)
class Break:
    """The first row of a stream that does not fit, or the last one of a stream that misses its end."""

    stream: str
    seq: int


@dataclass(frozen=True, slots=True)
class Verification:
    """How far all chains are known: up to which row and its time, and when everything was last looked at.

    ``broken`` streams do not fit, ever since they were found; None stands for what was not looked at yet.
    """

    rows: int
    seq: int | None
    at: datetime | None
    checked_at: datetime | None
    broken: int
    first_bad_seq: int | None


@dataclass(frozen=True, slots=True)
class _Walk:
    walk: str
    since: str | None
    until: str | None
    after: int
    began_at: datetime
    checked_at: datetime | None

    @property
    def place(self) -> Place:
        return Place(self.since or BEGINNING, self.until, self.after)


@dataclass(frozen=True, slots=True)
class _Step:
    """One page of a walk: what it found, and where to go on."""

    walk: _Walk
    page: journal.Page
    heads: Mapping[str, Head]
    breaks: Sequence[Break]

    @property
    def at_end(self) -> bool:
        """Say whether the walk has seen all there was at this page's moment: it is the whole news since a cursor."""
        return self.walk.until is None and self.page.complete

    @property
    def arrays(self) -> dict[str, list[Any]]:
        """Return the last rows of the page's streams as parameters."""
        streams = sorted(self.heads)
        seqs, hashes = zip(*(self.heads[stream] for stream in streams), strict=True) if streams else ((), ())
        return {"streams": streams, "seqs": [*seqs], "hashes": [*hashes]}


Tell = Callable[[Tx, Sequence[Break]], Awaitable[None]]
to_walk = record(_Walk)
to_verification = record(Verification)
to_break = record(Break)


def _row(row: Row) -> Row:
    return row


async def read_verification(reader: Reader) -> Verification:
    """Return how far all chains are known to be whole."""
    found = await reader.find(to_verification, STATE)
    assert found is not None
    return found


async def verify_some(db: Database, tell: Tell, *, now: datetime, page: int = PAGE, pages: int = PAGES) -> int:
    """Go on with both walks, at most ``pages`` pages each. Return how many streams were newly found broken.

    ``tell`` hears of them in the transaction that keeps them, once for a stream, however often it is met again.
    """
    found = 0
    for name in WALKS:
        for _ in range(pages):
            step = await _look(db, name, now=now, page=page)
            if step is None:
                break
            found += await _keep(db, step, tell, now=now)
            if step.at_end:
                break
    return found


async def _look(db: Database, name: str, *, now: datetime, page: int) -> _Step | None:
    """Read the walk's next page and compare it; None when the walk has nothing to do now."""
    walk = await _begun(db, name, now)
    if walk is None:
        return None
    async with db.reading() as reader:
        read = await journal.read(reader.connection, walk.place, page=page)
        step = await _compare(reader, walk, read)
        if name == ROUND and step.at_end:
            step = replace(step, breaks=[*step.breaks, *await _ends(reader, step)])
    return step


async def _begun(db: Database, name: str, now: datetime) -> _Walk | None:
    """Return the walk, begun (anew) where that is due: a round each day, both after a restore of the database."""
    async with db.reading() as reader:
        walk = await reader.find(to_walk, READ_WALK, walk=name)
        present = Snapshot.of(await journal.present(reader.connection))
    restored = walk is not None and Snapshot.of(walk.until or walk.since or BEGINNING).xmax > present.xmax
    ended = walk is not None and name == ROUND and walk.checked_at is not None
    if walk is not None and not restored:
        if not ended:
            return walk
        if now - walk.began_at < ROUND_EVERY:
            return None
    async with db.transaction() as tx:
        await tx.execute(BEGIN, walk=name, now=now)
        await tx.execute(FORGET_HEADS, walk=name)
        return await tx.find(to_walk, READ_WALK, walk=name)


async def _compare(reader: Reader, walk: _Walk, page: journal.Page) -> _Step:
    """Recompute the hash of every row of ``page``; each stream goes on after its last row, or where it was cut."""
    streams = sorted({entry.stream for entry in page.entries})
    before = await _known(reader, HEADS, walk=walk.walk, streams=streams)
    cuts = await _known(reader, CUTS, streams=streams)
    breaks: dict[str, Break] = {}
    for entry in page.entries:
        head, cut = before.get(entry.stream, (0, GENESIS)), cuts.get(entry.stream, (0, GENESIS))
        if head[0] < cut[0] < entry.seq:
            head = cut
        if not _fits(entry, head):
            breaks.setdefault(entry.stream, Break(entry.stream, entry.seq))
        before[entry.stream] = (entry.seq, bytes(entry.hash))
    return _Step(walk, page, before, list(breaks.values()))


def _fits(entry: Entry, head: Head) -> bool:
    return entry.seq > head[0] and bytes(entry.prev_hash) == head[1] and journal.fits(entry)


async def _known(reader: Reader, sql: LiteralString, **params: Any) -> dict[str, Head]:
    rows = await reader.all(_row, sql, **params)
    return {row["stream"]: (int(row["seq"]), bytes(row["hash"])) for row in rows}


async def _ends(reader: Reader, step: _Step) -> list[Break]:
    """Return the streams that do not end where their heads say, seen at the moment of the round's last page."""
    return await reader.all(to_break, ENDS, **step.arrays)


async def _keep(db: Database, step: _Step, tell: Tell, *, now: datetime) -> int:
    """Write down what a page showed, unless another process went on from the same place meanwhile."""
    walk, page = step.walk, step.page
    async with db.transaction() as tx:
        at = await tx.find(_row, LOCK_WALK, walk=walk.walk)
        if at is None or (at["since"], at["until"], at["after"], at["began_at"]) != (
            walk.since,
            walk.until,
            walk.after,
            walk.began_at,
        ):
            return 0
        await tx.execute(KEEP_HEADS, walk=walk.walk, **step.arrays)
        last = page.entries[-1] if page.entries else None
        await tx.execute(
            MOVE,
            walk=walk.walk,
            since=page.next.since,
            until=page.next.until,
            after=page.next.after,
            rows=len(page.entries),
            seq=last.seq if last else None,
            at=last.at if last else None,
            checked_at=now if step.at_end else None,
        )
        return await _keep_breaks(tx, step.breaks, tell, now=now)


async def _keep_breaks(tx: Tx, breaks: Sequence[Break], tell: Tell, *, now: datetime) -> int:
    """Keep the breaks of streams that had none, and tell of them."""
    streams, seqs = [item.stream for item in breaks], [item.seq for item in breaks]
    news = await tx.all(to_break, KEEP_BREAKS, streams=streams, seqs=seqs, now=now) if breaks else []
    if news:
        await tell(tx, news)
    return len(news)
