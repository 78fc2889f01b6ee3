"""Forward-only migrations: numbered SQL files, each in its own transaction, one migrator at a time."""

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from stagewright.kit.errors import Conflict, Unavailable

FILE_NAME = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")
LOCK_KEY = 7_305_120_416
ROLES = ("stagewright_app", "stagewright_retention")
PACKAGED = Path(__file__).parents[1] / "_migrations"
IN_TREE = Path(__file__).parents[3] / "db" / "migrations"


class MigrationChanged(Conflict):
    """A migration that was applied has another text now, or is missing."""

    code = "db.migration_changed"


class SchemaNewer(Conflict):
    """The database was upgraded by a newer program than this one."""

    code = "db.schema_newer"


class RolesMissing(Unavailable):
    """The login may not create the two roles, and nobody made them beforehand."""

    code = "db.roles_missing"


class MigrationBusy(Unavailable):
    """Another session held a lock that a migration needs for longer than its lock timeout."""

    code = "db.migration_busy"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, name and text."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Return the digest that guards an applied migration against edits."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load(folder: Path | None = None) -> list[Migration]:
    """Read the migrations of ``folder`` (default: the program's own), in order; each number once."""
    where = folder or (PACKAGED if PACKAGED.is_dir() else IN_TREE)
    found: list[Migration] = []
    for path in sorted(where.glob("*.sql")):
        match = FILE_NAME.match(path.name)
        if match is None:
            raise ValueError(f"{path.name}: a migration is called NNNN_words.sql")
        found.append(Migration(int(match[1]), match[2], path.read_text(encoding="utf-8")))
    numbers = [item.number for item in found]
    if len(set(numbers)) != len(numbers):
        raise ValueError(f"{where}: two migrations have one number; give the later one the next free number")
    return found


def newest(migrations: list[Migration] | None = None) -> int:
    """Return the number of the newest migration of ``migrations`` (default: the program's own), 0 for none."""
    wanted = load() if migrations is None else migrations
    return wanted[-1].number if wanted else 0


async def migrate(dsn: str, migrations: list[Migration] | None = None) -> int:
    """Bring the schema of ``dsn`` to the newest version and return it.

    Safe to run from several processes at once. Lock waits end after 10 s and statements after 10 min, so that an
    upgrade never blocks a running system behind itself.
    """
    wanted = load() if migrations is None else migrations
    async with await AsyncConnection.connect(dsn, autocommit=True, row_factory=dict_row) as connection:
        await connection.execute("select pg_advisory_lock(%(key)s)", {"key": LOCK_KEY})
        try:
            await _ensure_roles(connection)
            await _ensure_table(connection)
            applied = await _applied(connection)
            _compare(wanted, applied)
            for migration in wanted:
                if migration.number not in applied:
                    await _apply(connection, migration)
        finally:
            await connection.execute("select pg_advisory_unlock(%(key)s)", {"key": LOCK_KEY})
    return newest(wanted)


async def version(connection: AsyncConnection[Any]) -> int:
    """Return the newest applied migration's number, 0 for an empty database."""
    row = await (await connection.execute("select to_regclass('schema_migrations')::text as name")).fetchone()
    if row is None or row["name"] is None:
        return 0
    newest = await (await connection.execute("select coalesce(max(number), 0) as n from schema_migrations")).fetchone()
    return int(newest["n"]) if newest else 0


async def _ensure_roles(connection: AsyncConnection[Any]) -> None:
    for role in ROLES:
        try:
            await _ensure_role(connection, role)
        except psycopg.errors.InsufficientPrivilege as error:
            raise RolesMissing(_roles_remedy(role)) from error


async def _ensure_role(connection: AsyncConnection[Any], role: str) -> None:
    """Make ``role`` and let this login become it. Roles are the whole server's, the migrator's lock is a database's."""
    name = psycopg.sql.Identifier(role)
    if not await _yes(connection, "select exists (select from pg_roles where rolname = %(role)s) as yes", role):
        with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):  # another was quicker
            await connection.execute(psycopg.sql.SQL("create role {} nologin").format(name))
    if not await _yes(connection, "select pg_has_role(current_user, %(role)s, 'set') as yes", role):
        await connection.execute(psycopg.sql.SQL("grant {} to current_user").format(name))


async def _yes(connection: AsyncConnection[Any], question: LiteralString, role: str) -> bool:
    row = await (await connection.execute(question, {"role": role})).fetchone()
    return bool(row and row["yes"])


def _roles_remedy(role: str) -> str:
    return (
        f"the role {role} is missing or not granted to this login; as an administrator run: "
        f"create role {role} nologin; grant {role} to <this login>"
    )


async def _ensure_table(connection: AsyncConnection[Any]) -> None:
    await connection.execute(
        "create table if not exists schema_migrations (number integer primary key, name text not null, "
        "sha256 text not null, applied_at timestamptz not null default now())"
    )
    await connection.execute("grant select on schema_migrations to stagewright_app, stagewright_retention")


async def _applied(connection: AsyncConnection[Any]) -> dict[int, str]:
    """Return the digest of each applied migration by its number."""
    rows = await connection.execute("select number, sha256 from schema_migrations")
    return {row["number"]: row["sha256"] for row in await rows.fetchall()}


def _compare(wanted: list[Migration], applied: dict[int, str]) -> None:
    if unknown := applied.keys() - {migration.number for migration in wanted}:
        raise SchemaNewer(
            f"the database is at migration {max(unknown)}, this program knows {newest(wanted)}: "
            "install the newer program"
        )
    for migration in wanted:
        if applied.get(migration.number, migration.sha256) != migration.sha256:
            raise MigrationChanged(
                f"migration {migration.number:04d}_{migration.name} differs from the one that was applied; "
                "restore its text and add a new migration instead"
            )


async def _apply(connection: AsyncConnection[Any], migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute("set local lock_timeout = '10s'")
            await connection.execute("set local statement_timeout = '10min'")
            await connection.execute(migration.sql.encode())
            await connection.execute(
                "insert into schema_migrations (number, name, sha256) values (%(n)s, %(name)s, %(sha)s)",
                {"n": migration.number, "name": migration.name, "sha": migration.sha256},
            )
    except psycopg.errors.LockNotAvailable as error:
        raise MigrationBusy(
            f"migration {migration.number:04d} could not lock what it changes within 10 s; try again when idle"
        ) from error
