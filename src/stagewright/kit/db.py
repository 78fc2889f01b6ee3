"""PostgreSQL as part of the program: a pool, read and write transactions, typed row mappers.

Only ``store`` and ``views`` modules (and the kit) hold SQL. A transaction lives in a door; use-cases work inside it.
"""

import asyncio
import dataclasses
import enum
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, LiteralString, TypeVar, get_args, get_type_hints
from weakref import WeakKeyDictionary

import psycopg
import psycopg.errors
import psycopg.sql
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from stagewright.kit import journal, logs
from stagewright.kit.clock import Clock, SystemClock
from stagewright.kit.errors import Invalid, Unavailable
from stagewright.kit.ids import uuid7
from stagewright.kit.journal import SYSTEM, Actor, Event, Published

T = TypeVar("T")
Row = Mapping[str, Any]
Mapper = Callable[[Row], T]
CHANNEL: LiteralString = "stagewright"
APP_ROLE: LiteralString = "stagewright_app"
TRY_LOCK: LiteralString = "select pg_try_advisory_lock(hashtextextended(%(name)s, 0)) as got"
UNLOCK: LiteralString = "select pg_advisory_unlock(hashtextextended(%(name)s, 0)) as got"
KEPT_FREE = 3  # one session in so many is never held by an exclusive name: who holds one works on another session


class DatabaseUnavailable(Unavailable):
    """The database does not answer or ended the session; the same request may succeed in a moment."""

    code = "db.unavailable"


class LeaseLost(DatabaseUnavailable):
    """The session that held an exclusive name ended: another process may have held it meanwhile."""

    code = "db.lease_lost"


class TextNotStorable(Invalid):
    """A text holds a NUL character or half of a surrogate pair, which PostgreSQL cannot keep."""

    code = "db.text_not_storable"


def record(cls: type[T], **convert: Callable[[Any], Any]) -> Mapper[T]:
    """Make a mapper from a row to the dataclass ``cls``: columns by field name, enums and tuples made from text.

    ``convert`` names fields with a conversion of their own. Extra columns are ignored; a missing one is a KeyError.
    """
    hints = get_type_hints(cls)
    converters: list[tuple[str, Callable[[Any], Any] | None]] = []
    for item in dataclasses.fields(cls):  # type: ignore[arg-type]
        converters.append((item.name, convert.get(item.name) or _converter(hints[item.name])))

    def make(row: Row) -> T:
        values: dict[str, Any] = {}
        for name, converter in converters:
            value = row[name]
            values[name] = converter(value) if converter is not None and value is not None else value
        return cls(**values)

    return make


def _converter(hint: Any) -> Callable[[Any], Any] | None:
    candidates = [hint, *get_args(hint)]
    for candidate in candidates:
        if isinstance(candidate, type) and issubclass(candidate, enum.Enum):
            return candidate
    origin = getattr(hint, "__origin__", None)
    if origin is tuple:
        return tuple
    if origin is frozenset:
        return frozenset
    if hint is bytes or bytes in get_args(hint):
        return bytes
    return None


def scalar(row: Row) -> Any:
    """Map a row of one column to its value."""
    (value,) = row.values()
    return value


class Reader:
    """Statements that read. Parameters are named: ``reader.all(to_run, SQL, project=project_id)``."""

    def __init__(self, connection: AsyncConnection[DictRow]) -> None:
        self.connection = connection

    async def all(self, mapper: Mapper[T], sql: LiteralString, **params: Any) -> list[T]:
        """Return every row, mapped."""
        cursor = await self.connection.execute(sql, params)
        return [mapper(row) for row in await cursor.fetchall()]

    async def find(self, mapper: Mapper[T], sql: LiteralString, **params: Any) -> T | None:
        """Return the first row mapped, or None."""
        cursor = await self.connection.execute(sql, params)
        row = await cursor.fetchone()
        return None if row is None else mapper(row)

    async def value(self, sql: LiteralString, **params: Any) -> Any:
        """Return the only column of the first row, or None without a row."""
        return await self.find(scalar, sql, **params)


class Tx(Reader):
    """One write transaction: statements, and the events that are journalled as its last statements.

    ``redact`` is for texts from outside that a row keeps: the journal's own bodies pass it by themselves.
    """

    def __init__(
        self,
        connection: AsyncConnection[DictRow],
        *,
        actor: Actor,
        correlation_id: str,
        redact: journal.Redact = str,
    ) -> None:
        super().__init__(connection)
        self.actor = actor
        self.correlation_id = correlation_id
        self.redact = redact
        self.published: list[Published] = []

    async def execute(self, sql: LiteralString, **params: Any) -> int:
        """Run a statement and return the number of rows it touched."""
        return (await self.connection.execute(sql, params)).rowcount

    async def execute_many(self, sql: LiteralString, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement once per row, in one round trip."""
        async with self.connection.cursor() as cursor:
            await cursor.executemany(sql, rows)

    def publish(self, event: Event, *, actor: Actor | None = None, correlation_id: str | None = None) -> None:
        """Collect ``event``; it is journalled when the transaction commits, by its actor unless another is given."""
        self.published.append(Published(event, actor or self.actor, correlation_id or self.correlation_id))

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo the statements and events of the block when it raises; the transaction goes on."""
        kept = len(self.published)
        try:
            async with self.connection.transaction():
                yield
        except BaseException:
            del self.published[kept:]
            raise


class Database:
    """A pool of sessions, and the doorbell that tells readers of the journal to look."""

    def __init__(
        self, pool: AsyncConnectionPool[AsyncConnection[DictRow]], *, clock: Clock, redact: journal.Redact
    ) -> None:
        self._pool = pool
        self._holders = asyncio.Semaphore(max(1, pool.max_size - -(-pool.max_size // KEPT_FREE)))
        self._clock = clock
        self._redact = redact
        self._bell = Doorbell(self)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        dsn: str,
        *,
        clock: Clock | None = None,
        redact: journal.Redact = str,
        max_size: int = 10,
        role: LiteralString | None = APP_ROLE,
        application_name: str = "stagewright",
        wait: timedelta = timedelta(seconds=30),
    ) -> AsyncIterator["Database"]:
        """Open a pool on ``dsn`` as ``role``. Raise ``DatabaseUnavailable`` when nothing answers within ``wait``."""

        async def configure(connection: AsyncConnection[Any]) -> None:
            await connection.set_autocommit(True)
            await connection.execute("set timezone = 'UTC'")
            if role is not None:
                await connection.execute(psycopg.sql.SQL("set role {}").format(psycopg.sql.Identifier(role)))

        pool: AsyncConnectionPool[AsyncConnection[DictRow]] = AsyncConnectionPool(
            dsn,
            min_size=1,
            max_size=max_size,
            open=False,
            configure=configure,
            check=_check,
            kwargs={"row_factory": dict_row, "application_name": application_name, "autocommit": True},
            name=application_name,
        )
        try:
            await pool.open(wait=True, timeout=wait.total_seconds())
        except PoolTimeout as error:
            await pool.close()
            raise DatabaseUnavailable("the database does not answer; check that it runs and is reachable") from error
        database = cls(pool, clock=clock or SystemClock(), redact=redact)
        try:
            yield database
        finally:
            await database._bell.stop()
            await pool.close()

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[AsyncConnection[DictRow]]:
        try:
            async with self._pool.connection() as connection:
                yield connection
                _LAST_USED[connection] = time.monotonic()
        except (PoolTimeout, psycopg.OperationalError) as error:
            if isinstance(error, psycopg.errors.QueryCanceled | psycopg.errors.LockNotAvailable):
                raise
            raise DatabaseUnavailable("the database ended the session or does not answer; try again") from error
        except (psycopg.DataError, UnicodeEncodeError) as error:
            if not _is_about_text(error):
                raise
            raise TextNotStorable("a text holds a NUL character or half of a surrogate pair: remove it") from error

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reader]:
        """Open a read-only transaction that sees one snapshot."""
        async with self._session() as connection:
            await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
            await connection.set_read_only(True)
            try:
                async with connection.transaction():
                    yield Reader(connection)
            finally:
                if not connection.broken:
                    await connection.set_isolation_level(None)
                    await connection.set_read_only(None)

    async def read_journal(self, place: journal.Place) -> journal.Page:
        """Return the journal's next rows after ``place``, in one round trip."""
        async with self._session() as connection:
            return await journal.read(connection, place)

    @asynccontextmanager
    async def transaction(self, by: Actor = SYSTEM, *, correlation_id: str | None = None) -> AsyncIterator[Tx]:
        """Open a write transaction for ``by``. Its events are journalled at its end; readers are rung after commit."""
        async with self._session() as connection, connection.transaction():
            correlation = correlation_id or logs.current("request_id") or str(uuid7())
            tx = Tx(connection, actor=by, correlation_id=correlation, redact=self._redact)
            yield tx
            if tx.published:
                await journal.write(connection, tx.published, now=self._clock.now(), redact=self._redact)
        if tx.published:
            self._bell.ring()

    @asynccontextmanager
    async def exclusive(self, name: str) -> AsyncIterator[bool]:
        """Hold the session advisory lock ``name`` for the block, or yield False when another holds it.

        Waits while two thirds of the sessions hold names. Raise ``LeaseLost`` at the end of the block when the session,
        and the lock with it, ended during the block.
        """
        async with self._holders, self._session() as connection:
            held = await _ask(connection, TRY_LOCK, name)
            try:
                yield held
            except BaseException:
                if held:
                    with suppress(psycopg.OperationalError):
                        await _ask(connection, UNLOCK, name)
                raise
            try:
                if held:
                    await _ask(connection, UNLOCK, name)
            except psycopg.OperationalError as error:
                raise LeaseLost(f"the session that held {name!r} ended; the work is looked at again") from error

    def ring(self) -> None:
        """Ring for something that is not in the journal (log chunks)."""
        self._bell.ring()

    async def notify(self) -> None:
        """Send one bell now. A lost bell costs latency only, so a failure is no failure."""
        with suppress(Unavailable, psycopg.Error):
            async with self._session() as connection:
                await connection.execute("select pg_notify(%(channel)s, '')", {"channel": CHANNEL})


async def _ask(connection: AsyncConnection[DictRow], statement: LiteralString, name: str) -> bool:
    """Lock or unlock ``name``. Cut off, nobody knows what the server did: the lock ends with its session then."""
    try:
        row = await (await connection.execute(statement, {"name": name})).fetchone()
    except BaseException:
        await connection.close()
        raise
    return bool(row and row["got"])


def _is_about_text(error: psycopg.DataError | UnicodeEncodeError) -> bool:
    """Say whether a parameter's text was refused: by Python, by psycopg or, within JSON, by the server."""
    by_server = isinstance(error, psycopg.errors.UntranslatableCharacter)
    return by_server or any(text in str(error) for text in ("surrogate", "cannot contain NUL"))


CHECK_AFTER = 2.0
_LAST_USED: WeakKeyDictionary[AsyncConnection[Any], float] = WeakKeyDictionary()


async def _check(connection: AsyncConnection[Any]) -> None:
    """Ask a session that was idle for a while whether it still lives; one used just now costs no round trip."""
    if time.monotonic() - _LAST_USED.get(connection, 0.0) > CHECK_AFTER:
        await AsyncConnectionPool.check_connection(connection)


class Doorbell:
    """Rings at once when the last ring is old enough, else once at the end of the gap: never inside a transaction."""

    GAP = timedelta(milliseconds=50)

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def ring(self) -> None:
        """Ask for a bell; returns at once."""
        self._wanted.set()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work(), name="doorbell")

    async def _work(self) -> None:
        while self._wanted.is_set():
            self._wanted.clear()
            await self._database.notify()
            await asyncio.sleep(self.GAP.total_seconds())

    async def stop(self) -> None:
        """End the bell's task."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
