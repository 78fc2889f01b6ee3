"""The journal on the real database: nothing lost, order per stream, tampering named, roles kept."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from tests.fakes.clock import START, FakeClock

from stagewright.kit import journal
from stagewright.kit.db import Database, Tx
from stagewright.kit.journal import Actor, Entry, Event, Published
from stagewright.kit.redact import MARK, Redactor

USER = Actor("user", "u1")
SECRET = "hunter22-hunter22"


@dataclass(frozen=True, kw_only=True)
class Noted(Event):
    """A fact of the tests."""

    kind: ClassVar[str] = "kittest.noted"
    topic: ClassVar[str] = "kittest"
    about: str = "a"
    value: Any = 0

    @property
    def stream(self) -> str:
        return f"kittest:{self.about}"

    def body(self) -> Mapping[str, Any]:
        return {"value": self.value}


@asynccontextmanager
async def raw(dsn: str) -> AsyncIterator[AsyncConnection[Any]]:
    """Open a session whose transactions the test ends itself."""
    async with await AsyncConnection.connect(dsn, row_factory=dict_row) as connection:
        yield connection


async def put(connection: AsyncConnection[Any], *events: Event) -> None:
    """Journal ``events`` without ending the transaction."""
    await journal.write(connection, [Published(event, USER, "c1") for event in events], now=START, redact=str)


async def read(dsn: str, since: str, *, page: int = 2000) -> tuple[list[Entry], str]:
    async with raw(dsn) as connection:
        await connection.set_autocommit(True)
        return await read_batch(connection, since, page=page)


async def read_batch(connection: AsyncConnection[Any], since: str, *, page: int) -> tuple[list[Entry], str]:
    """Read page by page to the end of the batch."""
    place, entries = journal.Place(since), list[Entry]()
    while True:
        found = await journal.read(connection, place, page=page)
        assert len(found.entries) <= page
        entries += found.entries
        place = found.next
        if found.complete:
            return entries, place.since


async def now(dsn: str) -> str:
    async with raw(dsn) as connection:
        return await journal.present(connection)


def values(entries: list[Entry]) -> list[Any]:
    return [entry.body["value"] for entry in entries]


class TestWriting:
    async def test_an_event_is_written_with_its_change_and_its_cause(self, db: Database, dsn: str) -> None:
        since = await now(dsn)
        project, run = UUID(int=1), UUID(int=2)
        async with db.transaction(USER, correlation_id="c7") as tx:
            tx.publish(Noted(project_id=project, run_id=run, value={"a": [1, None, True, "я"]}))
            tx.publish(Noted(about="b"), actor=Actor("system", "x"), correlation_id="c8")
        first, second = (await read(dsn, since))[0]
        assert (first.topic, first.stream, first.kind) == ("kittest", "kittest:a", "kittest.noted")
        assert (first.project_id, first.run_id, first.at) == (project, run, START)
        assert (first.actor_kind, first.actor, first.correlation_id) == ("user", "u1", "c7")
        assert first.body == {"value": {"a": [1, None, True, "я"]}}
        assert (second.actor_kind, second.correlation_id) == ("system", "c8")
        assert second.seq > first.seq

    async def test_a_failed_transaction_leaves_no_event(self, db: Database, dsn: str) -> None:
        since = await now(dsn)

        async def fail() -> None:
            async with db.transaction() as tx:
                tx.publish(Noted())
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await fail()
        assert (await read(dsn, since))[0] == []

    async def test_a_savepoint_that_failed_takes_its_events_with_it(self, db: Database, dsn: str) -> None:
        since = await now(dsn)

        async def fail(tx: Tx) -> None:
            async with tx.savepoint():
                tx.publish(Noted(value=2))
                raise RuntimeError

        async with db.transaction() as tx:
            tx.publish(Noted(value=1))
            with pytest.raises(RuntimeError):
                await fail(tx)
            async with tx.savepoint():
                tx.publish(Noted(value=3))
        assert values((await read(dsn, since))[0]) == [1, 3]

    async def test_bodies_are_redacted_before_they_are_written(self, dsn: str, clock: FakeClock) -> None:
        since = await now(dsn)
        async with Database.open(dsn, clock=clock, redact=Redactor([SECRET])) as db:
            async with db.transaction() as tx:
                tx.publish(Noted(value={"text": f"a {SECRET}", "list": [SECRET], SECRET: 1}))
            (entry,) = (await read(dsn, since))[0]
            assert entry.body["value"] == {"text": f"a {MARK}", "list": [MARK], SECRET: 1} or SECRET not in str(
                entry.body
            )
            async with db.reading() as reader:
                assert await journal.verify(reader.connection, "kittest:a") is None

    @pytest.mark.parametrize(
        ("value", "error"), [(1.5, TypeError), ([{"x": 0.1}], TypeError), ("x" * 17_000, ValueError)]
    )
    async def test_floats_and_large_bodies_fail_the_transaction(
        self, db: Database, dsn: str, value: Any, error: type[Exception]
    ) -> None:
        since = await now(dsn)
        with pytest.raises(error):
            async with db.transaction() as tx:
                tx.publish(Noted(value=value))
        assert (await read(dsn, since))[0] == []

    async def test_two_transactions_on_the_same_streams_never_deadlock(self, db: Database) -> None:
        async def write(*streams: str) -> None:
            for _ in range(15):
                async with db.transaction() as tx:
                    for stream in streams:
                        tx.publish(Noted(about=stream))

        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            group.create_task(write("a", "b", "c"))
            group.create_task(write("c", "b", "a"))
            group.create_task(write("b", "c"))


class TestReading:
    async def test_a_late_commit_of_a_lower_number_is_not_lost(self, dsn: str) -> None:
        since = await now(dsn)
        async with raw(dsn) as early, raw(dsn) as late:
            await put(early, Noted(about="early", value="first number"))
            await put(late, Noted(about="late", value="second number"))
            await late.commit()
            first, cursor = await read(dsn, since)
            assert values(first) == ["second number"]
            await early.commit()
            second, cursor = await read(dsn, cursor)
            assert values(second) == ["first number"]
            assert second[0].seq < first[0].seq
            assert (await read(dsn, cursor))[0] == []

    async def test_an_older_transaction_that_commits_later_is_read_later(self, dsn: str) -> None:
        since = await now(dsn)
        async with raw(dsn) as older, raw(dsn) as younger:
            await older.execute("select pg_current_xact_id()")
            await younger.execute("select pg_current_xact_id()")
            await put(younger, Noted(value="1"))
            await younger.commit()
            middle = await now(dsn)
            await put(older, Noted(value="2"))
            await older.commit()
        assert values((await read(dsn, since))[0]) == ["1", "2"]
        assert values((await read(dsn, middle))[0]) == ["2"]

    async def test_writers_of_one_stream_wait_for_each_other_and_no_others(self, dsn: str) -> None:
        async with raw(dsn) as first, raw(dsn) as second, raw(dsn) as third:
            await put(first, Noted(about="x", value=1))
            waiting = asyncio.create_task(put(second, Noted(about="x", value=2)))
            await put(third, Noted(about="y", value=3))
            await third.commit()
            assert not waiting.done()
            await first.commit()
            async with asyncio.timeout(10):
                await waiting
            await second.commit()

    async def test_pages_hold_one_snapshot(self, db: Database, dsn: str) -> None:
        since = await now(dsn)
        for start in range(0, 30, 10):
            async with db.transaction() as tx:
                for value in range(start, start + 10):
                    tx.publish(Noted(value=value))
        entries, cursor = await read(dsn, since, page=7)
        assert values(entries) == list(range(30))
        assert (await read(dsn, cursor, page=7))[0] == []

    async def test_nothing_is_lost_or_doubled_under_many_writers(self, dsn: str) -> None:
        chance, since, done = random.Random(20260101), await now(dsn), asyncio.Event()

        async def write(writer: int) -> None:
            async with raw(dsn) as connection:
                for number in range(20):
                    await put(connection, Noted(about=str(chance.randrange(4)), value=writer * 100 + number))
                    await asyncio.sleep(chance.random() * 0.004)
                    await (connection.rollback() if chance.random() < 0.2 else connection.commit())

        async def follow() -> list[Entry]:
            cursor, seen = since, list[Entry]()
            async with raw(dsn) as connection:
                await connection.set_autocommit(True)
                while True:
                    last = done.is_set()
                    entries, cursor = await read_batch(connection, cursor, page=5)
                    seen += entries
                    if last:
                        return seen
                    await asyncio.sleep(0.002)

        async with asyncio.timeout(60):
            following = asyncio.create_task(follow())
            await asyncio.gather(*(write(writer) for writer in range(6)))
            done.set()
            seen = await following
        committed = (await read(dsn, since))[0]
        assert sorted(entry.seq for entry in seen) == [entry.seq for entry in committed]
        assert len(committed) > 60
        for stream in {entry.stream for entry in seen}:
            numbers = [entry.seq for entry in seen if entry.stream == stream]
            assert numbers == sorted(numbers)
        async with raw(dsn) as connection:
            for stream in {entry.stream for entry in seen}:
                assert await journal.verify(connection, stream) is None


@pytest.fixture
async def written(db: Database, dsn: str) -> list[int]:
    """Five events of one stream, their numbers."""
    since = await now(dsn)
    for value in range(5):
        async with db.transaction() as tx:
            tx.publish(Noted(value=value))
    return [entry.seq for entry in (await read(dsn, since))[0]]


class TestChain:
    async def verified(self, dsn: str, *statements: str, **params: Any) -> int | None:
        """Tamper as the superuser and return what verification names."""
        async with raw(dsn) as connection:
            for sql in statements:
                await connection.execute(sql.encode(), params)
            await connection.commit()
            return await journal.verify(connection, "kittest:a")

    async def test_an_untouched_stream_is_whole(self, dsn: str, written: list[int]) -> None:
        assert await self.verified(dsn, "select 1") is None

    async def test_an_unknown_stream_is_whole(self, dsn: str, db: Database) -> None:
        async with db.reading() as reader:
            assert await journal.verify(reader.connection, "kittest:never") is None

    @pytest.mark.parametrize(
        "change",
        [
            "body = '{\"value\": 99}'",
            "actor = 'someone else'",
            "at = at + interval '1 second'",
            "kind = 'kittest.other'",
            "correlation_id = 'other'",
            "hash = sha256('x')",
            "prev_hash = sha256('x')",
        ],
    )
    async def test_an_edited_row_is_named(self, dsn: str, written: list[int], change: str) -> None:
        assert (
            await self.verified(dsn, f"update journal set {change} where seq = %(seq)s", seq=written[2]) == written[2]
        )

    async def test_a_deleted_row_is_noticed_at_the_next_one(self, dsn: str, written: list[int]) -> None:
        assert await self.verified(dsn, "delete from journal where seq = %(seq)s", seq=written[1]) == written[2]

    async def test_a_truncated_end_is_named_by_its_head(self, dsn: str, written: list[int]) -> None:
        assert await self.verified(dsn, "delete from journal where seq >= %(seq)s", seq=written[3]) == written[4]

    async def test_a_stream_emptied_as_a_whole_is_named_by_its_head(self, dsn: str, written: list[int]) -> None:
        assert await self.verified(dsn, "delete from journal where stream = 'kittest:a'") == written[4]

    async def test_a_missing_head_is_noticed(self, dsn: str, written: list[int]) -> None:
        assert await self.verified(dsn, "delete from journal_heads where stream = 'kittest:a'") == written[4]

    async def test_swapped_rows_are_noticed(self, dsn: str, written: list[int]) -> None:
        move = "update journal set seq = {} where seq = {}"
        swap = [move.format("0", "%(a)s"), move.format("%(a)s", "%(b)s"), move.format("%(b)s", "0")]
        assert await self.verified(dsn, *swap, a=written[1], b=written[2]) == written[1]

    async def test_an_inserted_row_is_noticed(self, dsn: str, written: list[int]) -> None:
        insert = """
        insert into journal (seq, at, topic, stream, correlation_id, actor_kind, actor, kind, body, prev_hash, hash)
        select seq + 1000, at, topic, stream, correlation_id, actor_kind, actor, kind, body, hash, sha256('x')
        from journal where seq = %(seq)s
        """
        assert await self.verified(dsn, insert, seq=written[4]) == written[4] + 1000


class TestRoles:
    @pytest.mark.parametrize(
        "sql",
        [
            "update journal set actor = 'x'",
            "delete from journal",
            "truncate journal",
            "update journal_default set actor = 'x'",
            "delete from journal_default",
            "delete from journal_heads",
            "drop table journal",
            "alter table journal disable trigger all",
            "delete from schema_migrations",
        ],
    )
    async def test_the_program_cannot_change_the_past(self, db: Database, written: list[int], sql: str) -> None:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with db.transaction() as tx:
                await tx.connection.execute(sql.encode())

    async def test_retention_may_delete_and_not_edit(self, dsn: str, written: list[int]) -> None:
        async with Database.open(dsn, role="stagewright_retention") as db:
            async with db.transaction() as tx:
                assert await tx.execute("delete from journal where seq = %(seq)s", seq=written[0]) == 1
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                async with db.transaction() as tx:
                    await tx.execute("update journal set actor = 'x'")
