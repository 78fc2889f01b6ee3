"""What `up` does to the database before any process starts: schema, owner, token, project, sign-in code."""

import asyncio
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from stagewright.contexts.identity import api as identity
from stagewright.contexts.projects import api as projects
from stagewright.kit import migrate
from stagewright.kit.clock import Clock, SystemClock
from stagewright.kit.db import Database, Tx
from stagewright.kit.errors import Unavailable
from stagewright.kit.postgres import EmbeddedPostgres

OWNER_EMAIL = "owner@localhost"
DEFAULT_PROJECT = "default"
LOOK_EVERY = 1.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What the first transaction made: the owner's token and one-time code for this start, and the project."""

    token: str = field(repr=False)
    token_expires_at: datetime
    project: str
    schema: int
    sign_in_code: str | None = field(repr=False, default=None)


async def prepare(
    dsn: str, *, owner_email: str | None, local_login: bool = False, clock: Clock | None = None
) -> Prepared:
    """Bring the schema up to date; make the owner and the project when they are missing; replace the token.

    With ``local_login`` a one-time code is made too, by which the owner signs in.
    """
    clock = clock or SystemClock()
    schema = await migrate.migrate(dsn)
    async with (
        Database.open(dsn, clock=clock, max_size=2, application_name="stagewright-up") as db,
        db.transaction() as tx,
    ):
        now = clock.now()
        email = owner_email or OWNER_EMAIL
        owner = await identity.ensure_owner(tx, email=email, name="Owner", locale="en", now=now)
        made = await identity.replace_local_token(tx, owner, now=now)
        await _default_project(tx, now)
        code = await identity.make_local_code(tx, owner, now=now) if local_login else None
    return Prepared(
        token=made.text,
        token_expires_at=made.token.expires_at,
        project=DEFAULT_PROJECT,
        schema=schema,
        sign_in_code=code.text if code else None,
    )


async def _default_project(tx: Tx, now: datetime) -> None:
    if await projects.find_project(tx, DEFAULT_PROJECT) is None:
        await projects.create_project(tx, key=DEFAULT_PROJECT, name="Default", locale="en", now=now)


def prepare_now(dsn: str, *, owner_email: str | None, local_login: bool = False) -> Prepared:
    """Do ``prepare`` from a program without an event loop."""
    return asyncio.run(prepare(dsn, owner_email=owner_email, local_login=local_login))


class OwnDatabase:
    """The embedded server for the time of `up`: started or adopted, started again when it dies, stopped at the end."""

    def __init__(self, data: Path, say: Say) -> None:
        self._data = data
        self._say = say
        self._server = EmbeddedPostgres.start_or_adopt(data)
        self._looked = time.monotonic()

    @property
    def dsn(self) -> str:
        """Return the database's address."""
        return self._server.dsn

    @property
    def adopted(self) -> bool:
        """Say whether the server ran already."""
        return self._server.adopted

    def guard(self) -> None:
        """Look once a second whether the server lives, and start it again when it does not."""
        if time.monotonic() - self._looked < LOOK_EVERY:
            return
        if not self._server.alive():
            self._say("the database ended and is started again")
            self._server = EmbeddedPostgres.start_or_adopt(self._data)
        self._looked = time.monotonic()

    def stop(self) -> None:
        """Stop the server."""
        self._server.stop()


class GivenDatabase:
    """A server that somebody else runs, named by ``STAGEWRIGHT_DATABASE_URL``."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def guard(self) -> None:
        """Leave it to whoever runs it."""
        return

    def stop(self) -> None:
        """Leave it running."""
        return


def host_of(host: str) -> str:
    """Return the numeric address of a listener's host, so that a port can be tried on it. Raise ``Unavailable``."""
    try:
        return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except OSError as error:
        raise Unavailable(f"STAGEWRIGHT_LISTEN: {host} is no address of this machine: {error.strerror}") from error
