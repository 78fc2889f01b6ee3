"""Forgetting the journal: whole days go, the chain of what is left still verifies, and only retention may cut."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar

import psycopg
import pytest
from tests.fakes.clock import FakeClock

from stagewright.contexts.runs.store.retention import make_journal_partition
from stagewright.kit import journal
from stagewright.kit.db import Database
from stagewright.kit.feed import forget_days, journal_size
from stagewright.kit.journal import Event

DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Kept(Event):
    """A fact of the tests."""

    kind: ClassVar[str] = "retentiontest.kept"
    topic: ClassVar[str] = "kittest"
    about: str = "a"
    value: Any = 0

    @property
    def stream(self) -> str:
        return f"retentiontest:{self.about}"

    def body(self) -> Mapping[str, Any]:
        return {"value": self.value}


async def put(db: Database, *events: Event) -> None:
    async with db.transaction() as tx:
        for event in events:
            tx.publish(event)


async def rows(db: Database, sql: Any) -> list[Any]:
    async with db.reading() as reader:
        return await reader.all(lambda row: tuple(row.values()), sql)


async def verified(db: Database, about: str) -> int | None:
    async with db.reading() as reader:
        return await journal.verify(reader.connection, f"retentiontest:{about}")


@pytest.fixture
async def three_days(db: Database, clock: FakeClock) -> Database:
    """A day in the default partition, one in its own, and today."""
    await put(db, Kept(value=1), Kept(value=2), Kept(about="b"))
    clock.advance(DAY)
    async with db.transaction() as tx:
        await make_journal_partition(tx, clock.now().date())
    await put(db, Kept(value=3), Kept(about="c"))
    clock.advance(DAY)
    await put(db, Kept(value=4))
    return db


async def test_old_days_go_whole_and_the_chains_still_verify(three_days: Database, clock: FakeClock) -> None:
    db = three_days
    assert await forget_days(db, now=clock.now(), kept=2 * DAY) == 0
    assert await forget_days(db, now=clock.now(), kept=DAY) == 1
    assert [row[0]["value"] for row in await rows(db, "select body from journal order by seq")] == [3, 0, 4]
    assert await verified(db, "a") is None
    clock.advance(DAY)
    assert await forget_days(db, now=clock.now(), kept=DAY) == 1
    assert [row[0]["value"] for row in await rows(db, "select body from journal order by seq")] == [4]
    assert await rows(db, "select stream, rows from journal_cuts order by stream") == [
        ("retentiontest:a", 3),
        ("retentiontest:b", 1),
        ("retentiontest:c", 1),
    ]
    assert [await verified(db, about) for about in "abc"] == [None, None, None]
    await put(db, Kept(about="b", value=9))
    assert await verified(db, "b") is None
    assert await forget_days(db, now=clock.now(), kept=DAY) == 0


async def test_a_row_that_goes_without_retention_is_still_named(
    three_days: Database, clock: FakeClock, dsn: str
) -> None:
    db = three_days
    await forget_days(db, now=clock.now(), kept=DAY)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as owner:
        await owner.execute("delete from journal where stream = 'retentiontest:a' and body->>'value' = '3'")
    assert await verified(db, "a") is not None


async def test_a_partition_goes_as_a_table(three_days: Database, clock: FakeClock) -> None:
    db, day = three_days, date(2026, 1, 6)
    names = "select relname::text from pg_class where relname ~ '^journal_[0-9]{8}$' order by relname"
    assert await rows(db, names) == [(f"journal_{day:%Y%m%d}",)]
    async with db.reading() as reader:
        before = await journal_size(reader)
    assert await forget_days(db, now=clock.now() + DAY, kept=DAY) == 2
    assert await rows(db, names) == []
    async with db.reading() as reader:
        assert 0 < await journal_size(reader) < before


async def test_the_program_itself_may_neither_cut_nor_forget(db: Database) -> None:
    for statement in (
        "delete from journal",
        "insert into journal_cuts (stream, seq, hash, rows, cut_at) values ('x', 1, '', 1, now())",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with db.transaction() as tx:
                await tx.execute(statement)
