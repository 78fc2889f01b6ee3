"""What `db` does: the schema of the database that the settings name, or of the embedded one while `up` runs."""

import asyncio
import os

from stagewright.kit import migrate
from stagewright.kit.db import Database
from stagewright.kit.errors import Unavailable
from stagewright.kit.postgres import EmbeddedPostgres
from stagewright.processes.cli.call import tell
from stagewright.processes.cli.exits import FAILED, Ended
from stagewright.processes.cli.local.child import server_environ
from stagewright.processes.cli.local.place import AlreadyRunning, only_one
from stagewright.processes.settings import Settings, load


def bring_up() -> None:
    """Migrate."""
    with _Server() as dsn:
        print(asyncio.run(migrate.migrate(dsn)))


def print_status() -> None:
    """Print both versions."""
    with _Server() as dsn:
        print(f"database {asyncio.run(_version(dsn))}, program {migrate.newest()}")


def check() -> None:
    """End with 1 unless the versions are the same."""
    with _Server() as dsn:
        found, wanted = asyncio.run(_version(dsn)), migrate.newest()
    if found < wanted:
        tell(f"the database is at schema {found}, this program needs {wanted}: run `stagewright db migrate`")
    elif found > wanted:
        tell(f"the database is at schema {found}, this program knows {wanted}: install the newer program")
    if found != wanted:
        raise Ended(FAILED)
    print(found)


async def _version(dsn: str) -> int:
    async with (
        Database.open(dsn, max_size=1, role=None, application_name="stagewright-db") as db,
        db.reading() as reader,
    ):
        return await migrate.version(reader.connection)


class _Server:
    """The database for the time of one command; an embedded one that nobody uses is stopped again."""

    def __init__(self) -> None:
        self._settings: Settings = load("up", server_environ(os.environ))
        self._server: EmbeddedPostgres | None = None

    def __enter__(self) -> str:
        if self._settings.database_url is not None:
            return self._settings.database_url
        self._server = EmbeddedPostgres.start_or_adopt(self._settings.data_dir)
        return self._server.dsn

    def __exit__(self, *_: object) -> None:
        if self._server is None or self._server.adopted:
            return
        try:
            with only_one(self._settings.data_dir):
                self._server.stop()
        except (AlreadyRunning, Unavailable):
            return  # an `up` began meanwhile and uses it
