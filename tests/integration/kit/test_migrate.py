"""Forward-only migrations: in order, once, unchanged, never half."""

import asyncio
from pathlib import Path

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from stagewright.kit.migrate import (
    Migration,
    MigrationBusy,
    MigrationChanged,
    RolesMissing,
    SchemaNewer,
    load,
    migrate,
    newest,
    version,
)
from stagewright.kit.postgres import EmbeddedPostgres

FIRST = Migration(1, "first", "create table things (id integer); insert into things values (1);")
SECOND = Migration(2, "second", "alter table things add name text; insert into things values (2, 'b');")
BROKEN = Migration(2, "broken", "insert into things values (3); select 1/0;")


async def at(dsn: str) -> int:
    async with await AsyncConnection.connect(dsn, row_factory=dict_row) as connection:
        return await version(connection)


async def count(dsn: str) -> int:
    async with await AsyncConnection.connect(dsn) as connection:
        row = await (await connection.execute("select count(*) from things")).fetchone()
        assert row is not None
        return int(row[0])


async def test_the_products_own_migrations_make_a_schema(empty_dsn: str) -> None:
    assert await migrate(empty_dsn) == newest()
    assert await at(empty_dsn) == newest() > 0


async def test_an_empty_database_is_at_zero(empty_dsn: str) -> None:
    assert await at(empty_dsn) == 0


async def test_each_migration_is_applied_once_and_in_order(empty_dsn: str) -> None:
    assert await migrate(empty_dsn, [FIRST]) == 1
    assert await migrate(empty_dsn, [FIRST, SECOND]) == 2
    assert await migrate(empty_dsn, [FIRST, SECOND]) == 2
    assert await count(empty_dsn) == 2


async def test_migrators_that_start_at_once_apply_it_once(empty_dsn: str) -> None:
    done = await asyncio.gather(*(migrate(empty_dsn, [FIRST, SECOND]) for _ in range(4)))
    assert done == [2, 2, 2, 2]
    assert await count(empty_dsn) == 2


async def test_an_edited_migration_stops_the_start_and_names_itself(empty_dsn: str) -> None:
    await migrate(empty_dsn, [FIRST])
    edited = Migration(1, "first", FIRST.sql + "-- edited")
    with pytest.raises(MigrationChanged, match="0001_first differs"):
        await migrate(empty_dsn, [edited, SECOND])
    assert await at(empty_dsn) == 1


async def test_a_newer_database_is_not_touched(empty_dsn: str) -> None:
    await migrate(empty_dsn, [FIRST, SECOND])
    with pytest.raises(SchemaNewer, match="at migration 2, this program knows 1"):
        await migrate(empty_dsn, [FIRST])


async def test_a_migration_that_arrives_late_with_a_lower_number_is_applied(empty_dsn: str) -> None:
    third = Migration(3, "third", "insert into things values (3);")
    assert await migrate(empty_dsn, [FIRST, third]) == 3
    assert await migrate(empty_dsn, [FIRST, SECOND, third]) == 3
    assert await count(empty_dsn) == 3


async def test_a_migration_that_fails_leaves_nothing(empty_dsn: str) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        await migrate(empty_dsn, [FIRST, BROKEN])
    assert (await at(empty_dsn), await count(empty_dsn)) == (1, 1)
    assert await migrate(empty_dsn, [FIRST, SECOND]) == 2


async def test_a_lock_that_somebody_holds_ends_the_attempt_not_the_system(empty_dsn: str) -> None:
    await migrate(empty_dsn, [FIRST])
    impatient = Migration(2, "second", "set local lock_timeout = '50ms';" + SECOND.sql)
    async with await AsyncConnection.connect(empty_dsn) as reader:
        await reader.execute("select * from things")
        with pytest.raises(MigrationBusy, match="0002"):
            await migrate(empty_dsn, [FIRST, impatient])
    assert await migrate(empty_dsn, [FIRST, impatient]) == 2


async def test_a_login_without_the_roles_is_told_what_to_run(empty_dsn: str) -> None:
    async with await AsyncConnection.connect(empty_dsn, autocommit=True) as admin:
        await admin.execute("create role kittest_plain nologin")
        try:
            with pytest.raises(RolesMissing, match="grant stagewright_app to"):
                await migrate(f"{empty_dsn}&options=-crole%3Dkittest_plain", [FIRST])
        finally:
            await admin.execute("drop role kittest_plain")


async def test_two_databases_of_one_server_may_make_the_roles_at_once(data_dir: Path) -> None:
    server = EmbeddedPostgres.start_or_adopt(data_dir, options={"fsync": "off"})
    try:
        async with await AsyncConnection.connect(server.dsn) as quicker:
            await quicker.execute("create role stagewright_app nologin")
            slower = asyncio.create_task(migrate(server.dsn_for("postgres"), [FIRST]))
            await until_somebody_waits(server.dsn)
            await quicker.commit()
            assert await slower == 1
    finally:
        server.stop()


async def until_somebody_waits(dsn: str) -> None:
    async with asyncio.timeout(10), await AsyncConnection.connect(dsn, autocommit=True) as watcher:
        waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock'"
        while await (await watcher.execute(waiting)).fetchone() is None:  # noqa: ASYNC110 - the server waits: no event can tell
            await asyncio.sleep(0.01)


class TestLoading:
    def test_files_are_read_in_order(self, tmp_path: Path) -> None:
        (tmp_path / "0002_b.sql").write_text("select 2")
        (tmp_path / "0001_a.sql").write_text("select 1")
        assert [(item.number, item.name, item.sql) for item in load(tmp_path)] == [
            (1, "a", "select 1"),
            (2, "b", "select 2"),
        ]

    def test_one_number_for_two_files_is_refused(self, tmp_path: Path) -> None:
        for name in ("0001_a.sql", "0001_b.sql"):
            (tmp_path / name).write_text("select 1")
        with pytest.raises(ValueError, match="next free number"):
            load(tmp_path)

    def test_other_names_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "1_a.sql").write_text("select 1")
        with pytest.raises(ValueError, match="NNNN_words"):
            load(tmp_path)
