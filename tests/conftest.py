"""The parts every test may use: a real PostgreSQL server, a fresh database per test, and a clock that stands still."""

import asyncio
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql
from xdist.remote import Producer
from xdist.workermanage import WorkerController

from stagewright.kit.db import Database
from stagewright.kit.migrate import migrate
from stagewright.kit.postgres import EmbeddedPostgres
from tests.fakes.clock import FakeClock
from tests.scratch import Scratch
from tests.spread import Spread

# A busy machine is no failure: an example that never ends is stopped by the test's own timeout.
settings.register_profile("stagewright", deadline=None)
settings.load_profile("stagewright")

# Durability costs time and proves nothing in a test: nobody cuts the power.
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "max_wal_size": "128MB",
}
TEMPLATE = "sw_template"
MOST_WORKERS = 4  # each has a database server of its own
MEASURED = pytest.StashKey[list[str]]()
SCRATCH = pytest.StashKey[Scratch]()


def pytest_configure(config: pytest.Config) -> None:
    """Write below one folder, and keep compiled modules: hundreds of processes would compile each anew.

    The workers of this run, and whatever they start, inherit both.
    """
    if not hasattr(config, "workerinput"):
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        sys.dont_write_bytecode = False
        config.stash[SCRATCH] = Scratch()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Clear up."""
    if (scratch := config.stash.get(SCRATCH, None)) is not None:
        scratch.close()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Spread:
    """Return how tests are spread over workers."""
    return Spread(config, log)


def pytest_xdist_auto_num_workers() -> int:
    """Return how many workers ``-n auto`` starts: two even on one core, as tests of whole processes mostly wait."""
    return max(2, min(MOST_WORKERS, os.cpu_count() or 2))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their parameter: each worker makes its own, and an archive holds the second it was made in."""
    return argname if isinstance(val, bytes) else None


def pytest_testnodedown(node: WorkerController) -> None:
    """Take over what a worker measured."""
    node.config.stash.setdefault(MEASURED, []).extend(getattr(node, "workeroutput", {}).get("measured", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what was measured on the way."""
    if lines := config.stash.get(MEASURED, []):
        terminalreporter.section("end to end, measured")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Return an empty folder that the server's system user can reach, unlike ``tmp_path``, which is closed to it."""
    folder = Path(tempfile.mkdtemp(prefix="stagewright-test-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """Start the embedded server once for all tests."""
    folder = Path(tempfile.mkdtemp(prefix="stagewright-test-"))
    server = None
    try:
        server = EmbeddedPostgres.start_or_adopt(folder, options=FAST)
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def databases(postgres: EmbeddedPostgres) -> Iterator["Databases"]:
    """Return a maker of databases, after migrating the template once."""
    with psycopg.connect(postgres.dsn_for("postgres"), autocommit=True) as admin:
        made = Databases(postgres, admin)
        made.make_empty(TEMPLATE)
        asyncio.run(migrate(postgres.dsn_for(TEMPLATE)))
        yield made


@pytest.fixture
def dsn(databases: "Databases") -> Iterator[str]:
    """Return the address of a fresh, migrated database."""
    name = databases.make(TEMPLATE)
    yield databases.dsn(name)
    databases.drop(name)


@pytest.fixture
def empty_dsn(databases: "Databases") -> Iterator[str]:
    """Return the address of a fresh database without any table."""
    name = databases.make("template1")
    yield databases.dsn(name)
    databases.drop(name)


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock that stands still."""
    return FakeClock()


@pytest.fixture
async def db(dsn: str, clock: FakeClock) -> AsyncIterator[Database]:
    """Return an open database that is fresh and migrated."""
    async with Database.open(dsn, clock=clock, max_size=6) as database:
        yield database


class Databases:
    """Makes and drops databases on the one server."""

    def __init__(self, server: EmbeddedPostgres, admin: psycopg.Connection) -> None:
        self._server = server
        self._admin = admin
        self._numbers = itertools.count(1)

    def dsn(self, name: str) -> str:
        """Return the address of ``name``."""
        return self._server.dsn_for(name)

    def make_empty(self, name: str) -> None:
        """Make ``name`` without tables."""
        self._admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))

    def make(self, template: str) -> str:
        """Make a database as a copy of ``template`` and return its name."""
        name = f"test_{next(self._numbers)}"
        self._admin.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return name

    def drop(self, name: str) -> None:
        """Drop ``name``, cutting sessions that a test left open."""
        self._admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
