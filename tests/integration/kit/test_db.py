"""Transactions, sessions that end, exclusive names and the doorbell."""

import asyncio
import enum
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, LiteralString

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb
from tests.fakes.clock import FakeClock

from stagewright.kit.db import Database, DatabaseUnavailable, LeaseLost, TextNotStorable, record
from stagewright.kit.journal import Event
from stagewright.kit.loops import BellListener

CUT = """
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and application_name = %(n)s
"""


class Colour(enum.Enum):
    RED = "red"


@dataclass(frozen=True)
class Thing:
    name: str
    colour: Colour | None
    tags: tuple[str, ...]
    seen: frozenset[int]
    raw: bytes
    size: int = 0


@dataclass(frozen=True, kw_only=True)
class Rang(Event):
    """A fact of the tests."""

    kind: ClassVar[str] = "dbtest.rang"
    topic: ClassVar[str] = "dbtest"

    @property
    def stream(self) -> str:
        return "dbtest"

    def body(self) -> Mapping[str, Any]:
        return {}


async def cut(dsn: str, application_name: str = "stagewright") -> None:
    """End the sessions of a program, as a server that restarts does."""
    async with await AsyncConnection.connect(dsn, autocommit=True) as connection:
        await connection.execute(CUT, {"n": application_name})


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - another program's answer has no event here
            await asyncio.sleep(0.005)


class TestMapping:
    async def test_rows_become_dataclasses(self, db: Database) -> None:
        sql: LiteralString = """
        select 'n' as name, %(c)s::text as colour, array['a','b'] as tags, array[1,1] as seen, 'x'::bytea as raw,
               7 as size, 1 as extra
        """
        async with db.reading() as reader:
            assert await reader.find(record(Thing), sql, c="red") == Thing(
                "n", Colour.RED, ("a", "b"), frozenset({1}), b"x", 7
            )
            found = await reader.all(record(Thing, size=lambda size: size * 2), sql, c=None)
        assert (found[0].colour, found[0].size) == (None, 14)

    async def test_no_row_is_none(self, db: Database) -> None:
        async with db.reading() as reader:
            assert await reader.value("select 1 where false") is None
            assert await reader.value("select 5") == 5


class TestTransactions:
    async def test_a_reader_sees_one_moment_and_cannot_write(self, db: Database) -> None:
        async with db.reading() as reader:
            before = await reader.value("select count(*) from journal_heads")
            async with db.transaction() as tx:
                tx.publish(Rang())
            assert await reader.value("select count(*) from journal_heads") == before
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            async with db.reading() as reader:
                await reader.value("insert into journal_heads values ('x', 0, '') returning 1")

    async def test_times_are_utc_whatever_the_server_says(self, db: Database) -> None:
        async with db.reading() as reader:
            at = await reader.value("select timestamptz '2026-01-01 12:00+03'")
        assert at.isoformat() == "2026-01-01T09:00:00+00:00"

    async def test_many_rows_go_in_one_call(self, db: Database) -> None:
        sql = "insert into journal_heads values (%(stream)s, 0, '')"
        async with db.transaction() as tx:
            await tx.execute_many(sql, [{"stream": f"s{number}"} for number in range(10)])
            assert await tx.execute("update journal_heads set seq = 1 where stream like 's%%'") == 10

    async def test_a_session_that_ends_is_unavailable_and_the_next_one_works(self, db: Database, dsn: str) -> None:
        async def work() -> None:
            async with db.transaction() as tx:
                await tx.value("select 1")
                await cut(dsn)
                await tx.value("select 1")

        with pytest.raises(DatabaseUnavailable):
            await work()
        async with db.reading() as reader:
            assert await reader.value("select 1") == 1

    async def test_a_statement_that_waits_too_long_for_a_lock_is_no_lost_session(self, db: Database) -> None:
        async def wait_in_vain() -> None:
            async with db.transaction() as other:
                await other.execute("set local lock_timeout = '20ms'")
                await other.execute("insert into journal_heads values ('x', 0, '')")

        async with db.transaction() as tx:
            await tx.execute("insert into journal_heads values ('x', 0, '')")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                await wait_in_vain()

    @pytest.mark.parametrize("text", ["a\0b", "half \ud83d", Jsonb({"a": "\0"}), Jsonb({"a": "\ud83d"})])
    async def test_a_text_that_cannot_be_kept_is_the_senders_mistake(self, db: Database, text: object) -> None:
        with pytest.raises(TextNotStorable, match="NUL"):
            async with db.transaction() as tx:
                await tx.execute("select %(text)s", text=text)

    async def test_a_server_that_does_not_answer_is_named_in_time(self, tmp_path: Path) -> None:
        with pytest.raises(DatabaseUnavailable, match="does not answer"):
            async with Database.open(f"postgresql://u@/d?host={tmp_path}", wait=timedelta(seconds=0.2)):
                pass


class TestExclusive:
    async def test_one_holds_a_name_and_the_next_gets_it_afterwards(self, db: Database) -> None:
        async with (
            db.exclusive("watchdog") as mine,
            db.exclusive("watchdog") as theirs,
            db.exclusive("other") as other,
        ):
            assert (mine, theirs, other) == (True, False, True)
        async with db.exclusive("watchdog") as again:
            assert again

    async def test_an_error_frees_the_name(self, db: Database) -> None:
        with pytest.raises(RuntimeError, match="mine"):
            async with db.exclusive("watchdog"):
                raise RuntimeError("mine")
        async with db.exclusive("watchdog") as again:
            assert again

    async def test_a_session_that_ends_meanwhile_is_a_lost_lease(self, db: Database, dsn: str) -> None:
        async def work() -> None:
            async with db.exclusive("watchdog") as held:
                assert held
                await cut(dsn)

        with pytest.raises(LeaseLost):
            await work()
        async with db.exclusive("watchdog") as again:
            assert again

    @pytest.mark.parametrize("steps", range(6))
    async def test_a_holder_cut_off_while_it_lets_go_keeps_no_name(self, db: Database, dsn: str, steps: int) -> None:
        holding = asyncio.Event()

        async def work() -> None:
            async with db.exclusive("watchdog"):
                holding.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await holding.wait()
        task.cancel()
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with Database.open(dsn) as another:
            await until_held(another, "watchdog")

    async def test_holders_leave_sessions_for_their_own_work(self, dsn: str) -> None:
        async def work(db: Database, number: int) -> None:
            async with db.exclusive(f"lane {number}"), db.transaction() as tx:
                await tx.execute("select pg_sleep(0.01)")

        async with Database.open(dsn, max_size=4) as db, asyncio.timeout(10):
            await asyncio.gather(*(work(db, number) for number in range(16)))


async def until_held(db: Database, name: str) -> None:
    """Hold ``name`` once; the server may need a moment to notice that a session is gone."""
    async with asyncio.timeout(5):
        while True:
            async with db.exclusive(name) as held:
                if held:
                    return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def listening(dsn: str, clock: FakeClock | None = None) -> AsyncIterator[tuple[list[int], BellListener]]:
    """Count bells while the block runs, not the one of the connect."""
    bells: list[int] = []
    listener = BellListener(dsn, lambda: bells.append(1), clock=clock)
    stop = asyncio.Event()
    task = asyncio.create_task(listener.run(stop))
    await until(lambda: len(bells) == 1)
    bells.clear()
    yield bells, listener
    stop.set()
    await task


class TestDoorbell:
    async def test_readers_are_rung_after_a_commit_with_events(self, db: Database, dsn: str) -> None:
        async with listening(dsn) as (bells, _):
            async with db.transaction() as tx:
                tx.publish(Rang())
                assert bells == []
            await until(lambda: len(bells) == 1)

    async def test_nothing_rings_without_events_or_without_a_commit(self, db: Database, dsn: str) -> None:
        async def fail() -> None:
            async with db.transaction() as tx:
                tx.publish(Rang())
                raise RuntimeError

        async with listening(dsn) as (bells, _):
            async with db.transaction() as tx:
                await tx.execute("select 1")
            with pytest.raises(RuntimeError):
                await fail()
            db.ring()
            await until(lambda: len(bells) == 1)

    async def test_a_burst_rings_few_times_and_once_after_its_end(self, db: Database, dsn: str) -> None:
        loop = asyncio.get_running_loop()
        async with listening(dsn) as (bells, _):
            started = loop.time()
            for _ in range(40):
                async with db.transaction() as tx:
                    tx.publish(Rang())
            spent = loop.time() - started
            await until(lambda: len(bells) >= 2)
            assert len(bells) <= spent / 0.05 + 2

    async def test_a_listener_whose_session_ends_connects_again_and_looks_at_once(
        self, db: Database, dsn: str, clock: FakeClock
    ) -> None:
        async with listening(dsn, clock) as (bells, listener):
            await cut(dsn, "stagewright-bell")
            await until(lambda: listener.reconnects == 1)
            await clock.wait_for_sleepers()
            clock.advance(timedelta(seconds=0.5))
            await until(lambda: len(bells) == 1)
            db.ring()
            await until(lambda: len(bells) == 2)

    async def test_a_lost_bell_is_no_failure(self, db: Database, dsn: str) -> None:
        await cut(dsn)
        await db.notify()
