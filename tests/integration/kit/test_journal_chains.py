"""Verifying all chains of the journal bit by bit: nothing is skipped, nothing is blamed without cause, all is found."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import psycopg
import pytest
from psycopg.rows import dict_row
from tests.fakes.clock import START, FakeClock

from stagewright.kit import journal
from stagewright.kit.db import Database, Tx
from stagewright.kit.feed import Break, Verification, forget_days, read_verification, verify_some
from stagewright.kit.journal import SYSTEM, Event, Published

DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Linked(Event):
    """A fact of the tests."""

    kind: ClassVar[str] = "chaintest.linked"
    topic: ClassVar[str] = "kittest"
    about: str = "a"
    value: Any = 0

    @property
    def stream(self) -> str:
        return f"chaintest:{self.about}"

    def body(self) -> Mapping[str, Any]:
        return {"value": self.value}


class Verifier:
    """Verifies in small steps and keeps what it was told."""

    def __init__(self, db: Database, clock: FakeClock) -> None:
        self.db, self.clock, self.told = db, clock, list[Break]()

    async def tell(self, tx: Tx, breaks: Sequence[Break]) -> None:
        self.told += breaks

    async def some(self, *, page: int = 3, pages: int = 100) -> Verification:
        await verify_some(self.db, self.tell, now=self.clock.now(), page=page, pages=pages)
        async with self.db.reading() as reader:
            return await read_verification(reader)


@pytest.fixture
def verifier(db: Database, clock: FakeClock) -> Verifier:
    return Verifier(db, clock)


async def put(db: Database, *events: Event) -> list[int]:
    """Journal ``events``; return their numbers."""
    async with db.transaction() as tx:
        for event in events:
            tx.publish(event)
    async with db.reading() as reader:
        sql = "select seq from journal order by seq desc limit %(n)s"
        return sorted(await reader.all(lambda row: int(row["seq"]), sql, n=len(events)))


async def tamper(dsn: str, sql: Any) -> None:
    """Change rows as only the owner of the schema can."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as owner:
        await owner.execute(sql)


async def test_rows_are_verified_a_few_pages_at_a_time_from_where_it_stopped(db: Database, verifier: Verifier) -> None:
    seqs = await put(db, *(Linked(about="abc"[n % 3], value=n) for n in range(10)))
    first = await verifier.some(page=2, pages=2)
    assert (first.rows, first.seq, first.checked_at) == (4, seqs[3], None)
    second = await Verifier(db, verifier.clock).some(page=2, pages=2)
    assert (second.rows, second.seq) == (8, seqs[7])
    last = await verifier.some(page=2, pages=3)
    assert (last.rows, last.seq, last.at, last.checked_at) == (10, seqs[9], START, START)
    verifier.clock.advance(timedelta(seconds=10))
    assert (await verifier.some()).checked_at == START + timedelta(seconds=10)
    assert verifier.told == []


async def test_a_row_that_commits_late_is_verified_too(db: Database, verifier: Verifier, dsn: str) -> None:
    async with await psycopg.AsyncConnection.connect(dsn, row_factory=dict_row) as late:
        item = Published(Linked(about="late"), SYSTEM, "c")
        await journal.write(late, [item], now=START, redact=str)
        await put(db, Linked(about="early"))
        assert (await verifier.some()).rows == 1
        await late.commit()
    state = await verifier.some()
    assert (state.rows, verifier.told) == (2, [])
    await tamper(dsn, "update journal set body = '{}' where stream = 'chaintest:late'")
    verifier.clock.advance(DAY)
    await verifier.some()
    assert [item.stream for item in verifier.told] == ["chaintest:late"]


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("update journal set body = '{{}}' where seq = {0}", 0),
        ("update journal set actor = 'somebody' where seq = {1}", 1),
        ("delete from journal where seq = {1}", 2),
        ("update journal set seq = seq + 100 where seq in ({1}, {2})", 3),
        ("delete from journal where seq = {3}", 3),
        ("delete from journal where stream = 'chaintest:a'", 3),
        ("update journal_heads set seq = {2} where stream = 'chaintest:a'", 3),
        ("delete from journal_heads where stream = 'chaintest:a'", 3),
    ],
)
async def test_what_was_changed_after_it_was_verified_is_found_within_a_day(
    db: Database, verifier: Verifier, dsn: str, sql: str, named: int
) -> None:
    seqs = await put(db, *(Linked(value=n) for n in range(4)), Linked(about="b"))
    await verifier.some()
    await tamper(dsn, sql.format(*seqs))
    await verifier.some()
    assert verifier.told == []
    verifier.clock.advance(DAY)
    state = await verifier.some()
    assert verifier.told == [Break("chaintest:a", seqs[named])]
    assert (state.broken, state.first_bad_seq) == (1, seqs[named])


async def test_a_broken_chain_is_told_once_and_stays_known(db: Database, verifier: Verifier, dsn: str) -> None:
    (first, *_) = await put(db, *(Linked(value=n) for n in range(4)))
    await tamper(dsn, f"update journal set body = '{{}}' where seq >= {first}")
    for _ in range(3):
        state = await verifier.some()
        verifier.clock.advance(DAY)
    assert verifier.told == [Break("chaintest:a", first)]
    assert (state.rows, state.broken, state.first_bad_seq) == (4, 1, first)


async def test_what_retention_cut_is_no_break_before_during_or_after_a_walk(
    db: Database, verifier: Verifier, clock: FakeClock
) -> None:
    await put(db, Linked(), Linked(), Linked(about="b"), Linked(about="b"))
    await verifier.some(page=1, pages=1)
    clock.advance(DAY)
    await put(db, Linked(), Linked(about="c"))
    assert await forget_days(db, now=clock.now(), kept=timedelta(hours=1)) == 1
    for _ in range(3):
        await verifier.some(page=1)
        clock.advance(DAY)
        await put(db, Linked(about="c"))
    assert await forget_days(db, now=clock.now() + 9 * DAY, kept=DAY) > 0
    clock.advance(DAY)
    await verifier.some(page=1)
    assert verifier.told == []
    fresh = Verifier(db, clock)
    async with db.transaction() as tx:
        await tx.execute("delete from journal_walk_heads")
        await tx.execute("delete from journal_walks")
    await put(db, Linked(about="b"))
    assert (await fresh.some()).rows == 1
    assert fresh.told == []


async def test_two_that_verify_at_once_blame_nobody(db: Database, verifier: Verifier) -> None:
    await put(db, *(Linked(about="abc"[n % 3], value=n) for n in range(40)))
    other = Verifier(db, verifier.clock)
    async with asyncio.timeout(30):
        await asyncio.gather(*(who.some(page=2, pages=9) for who in (verifier, other, verifier, other)))
        state = await verifier.some(page=2)
    assert (state.rows, verifier.told, other.told) == (40, [], [])


async def test_a_restored_database_is_verified_from_its_beginning(db: Database, verifier: Verifier) -> None:
    await put(db, Linked(), Linked())
    await verifier.some()
    async with db.transaction() as tx:  # as if the rows came from a server that was further
        await tx.execute("update journal_walks set since = '999999999:999999999:'")
    await put(db, Linked())
    state = await verifier.some()
    assert (state.rows, verifier.told) == (3, [])
