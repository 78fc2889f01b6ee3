"""A storm over the realtime feed: writers, gateways as processes, sockets that drop and come back (access.md AX17).

Writers commit in random order, hold transactions open, roll back, ring or do not ring; listeners are killed. In the end
every socket's frames are held against what was committed.
"""

import asyncio
import contextlib
import json
import math
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from stagewright.contexts.identity import api as identity
from stagewright.contexts.identity.store import insert_user
from stagewright.contexts.projects import api as projects
from stagewright.contexts.projects.events import ProjectChangedEvent
from stagewright.contexts.runs import api as runs
from stagewright.contexts.runs.events import ResultChecked
from stagewright.kit import journal
from stagewright.kit.clock import SystemClock
from stagewright.kit.crypto import Keyring
from stagewright.kit.db import Database
from stagewright.kit.ids import uuid7
from stagewright.kit.journal import SYSTEM, Event, Published
from tests import factories
from tests.fakes.clock import FakeClock
from tests.fakes.forge import FakeForge

GATEWAY = (sys.executable, "-m", "stagewright.processes.gateway")
START = 60.0
PATIENCE = 90.0
CLOCK = SystemClock()


@dataclass(frozen=True)
class Size:
    """How hard it blows; ``within``: writing ends after so many seconds, whatever is left."""

    events: int
    sockets: int
    rate: float
    runs: int = 20
    projects: int = 10
    writers: int = 16
    followed: int = 2
    stay: float = 2.0
    seed: int = 20260105
    within: float = math.inf


@dataclass
class Scenery:
    """What the storm is about."""

    project: projects.Project
    others: list[projects.Project]
    runs: list[runs.Run]
    tokens: list[str]


async def prepare(db: Database, size: Size) -> Scenery:
    """Make projects, runs, and a person with a token for each socket."""
    now, forge = CLOCK.now(), FakeForge(FakeClock())
    async with db.transaction() as tx:
        project = await factories.a_project(tx, now=now, key="storm", name="Storm")
        others = [
            await factories.a_project(tx, now=now, key=f"p{number}", name=f"P{number}")
            for number in range(size.projects)
        ]
        repository = await factories.a_repository(tx, project, forge.add_repository("acme/storm"), now=now)
        made = []
        for number in range(1, size.runs + 1):
            request = factories.a_run_request(repository, now=now, issue_number=number)
            made.append(await runs.request_run(tx, request, clock=CLOCK))
        tokens = [await _a_person(tx, number, [project, *others]) for number in range(size.sockets)]
    return Scenery(project, others, made, tokens)


async def _a_person(tx: Any, number: int, member_of: Sequence[projects.Project]) -> str:
    now = CLOCK.now()
    name = f"s{number}@example.test"
    user = await insert_user(tx, user_id=uuid7(), email=name, name=name, locale="en", role="member", now=now)
    assert user is not None
    for project in member_of:
        await identity.set_member(tx, project.id, user.id, identity.ProjectRole.READ, now=now)
    return (await identity.create_token(tx, user, name="storm", scopes=["read"], now=now)).text


@asynccontextmanager
async def gateways(dsn: str, folder: Path, count: int) -> AsyncIterator[list[str]]:
    """Run gateways for the block; yield where their sockets are."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STAGEWRIGHT_")}
    environ = kept | {
        "STAGEWRIGHT_DATABASE_URL": dsn,
        "STAGEWRIGHT_DATA_DIR": str(folder),
        "STAGEWRIGHT_ROOT_KEYS": Keyring.generate(),
        "STAGEWRIGHT_PUBLIC_URL": "https://stagewright.test",
        "STAGEWRIGHT_LISTEN": "127.0.0.1:0",
        "STAGEWRIGHT_METRICS_LISTEN": "127.0.0.1:0",
    }
    # pooled printing would deadlock a full pipe: what follows the address goes nowhere
    children = [
        await asyncio.create_subprocess_exec(*GATEWAY, env=environ, stdout=asyncio.subprocess.PIPE)
        for _ in range(count)
    ]
    drains: list[asyncio.Task[None]] = []
    try:
        yield [
            address.replace("http", "ws", 1) + "/api/v1/realtime"
            for address in [await _address(child, drains) for child in children]
        ]
    finally:
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
        for child in children:
            await asyncio.wait_for(child.wait(), START)
        await asyncio.gather(*drains)


async def _address(child: asyncio.subprocess.Process, drains: list[asyncio.Task[None]]) -> str:
    assert child.stdout is not None
    async with asyncio.timeout(START):
        while True:
            line = json.loads(await child.stdout.readline())
            if line["event"] == "gateway listens":
                drains.append(asyncio.create_task(_drain(child.stdout)))
                return str(line["address"])


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.read(65536):
        pass


class Writers:
    """Commit events at a rate, each in a transaction that is held, hurried, or rolled back."""

    def __init__(self, dsn: str, scenery: Scenery, size: Size) -> None:
        self._dsn, self._scenery, self._size = dsn, scenery, size
        self._chance = random.Random(size.seed)
        self._left = size.events
        self._began = time.monotonic()
        self.ringing = True
        self.done = asyncio.Event()

    async def run(self) -> None:
        """Write everything."""
        self._began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for _ in range(self._size.writers):
                group.create_task(self._write())
        self.done.set()

    async def _write(self) -> None:
        async with await AsyncConnection.connect(self._dsn, row_factory=dict_row) as connection:
            while (batch := self._take()) is not None:
                await self._pace()
                await self._commit(connection, batch)

    def _take(self) -> int | None:
        if self._left <= 0 or time.monotonic() - self._began > self._size.within:
            return None
        batch = min(self._left, self._chance.choice((1, 1, 1, 2, 5)))
        self._left -= batch
        return batch

    async def _pace(self) -> None:
        written = self._size.events - self._left
        ahead = written / self._size.rate - (time.monotonic() - self._began)
        if ahead > 0:
            await asyncio.sleep(ahead)

    async def _commit(self, connection: AsyncConnection[Any], batch: int) -> None:
        chance = self._chance
        await connection.execute("select pg_current_xact_id()")  # an old number, whenever it commits
        if chance.random() < 0.1:
            await asyncio.sleep(chance.random() * 0.2)
        events: list[Event] = [self._fact() for _ in range(batch)]
        if chance.random() < 0.3:  # one project in a transaction: two writers must not wait for each other
            events[-1] = await changed(connection, chance.choice(self._scenery.others))
        published = [Published(event, SYSTEM, "storm") for event in events]
        await journal.write(connection, published, now=CLOCK.now(), redact=str)
        if chance.random() < 0.05:
            await asyncio.sleep(chance.random() * 0.05)
        if chance.random() < 0.05:
            await connection.rollback()
            return
        await connection.commit()
        if self.ringing and chance.random() < 0.3:
            await connection.execute("notify stagewright")
            await connection.commit()

    def _fact(self) -> Event:
        return ResultChecked(run=self._chance.choice(self._scenery.runs), extra={"value": self._chance.randrange(9)})


async def changed(connection: AsyncConnection[Any], project: projects.Project) -> Event:
    """Give the project its next version; whoever else wants to waits for the commit."""
    update = "update projects set version = version + 1 where id = %s returning version"
    row = await (await connection.execute(update, [project.id])).fetchone()
    assert row is not None
    return ProjectChangedEvent(project=replace(project, version=row["version"]))


@dataclass
class Follower:
    """A client that drops without a word and comes back to whatever gateway, with its last cursor."""

    addresses: Sequence[str]
    token: str
    topics: Sequence[str]
    dsn: str
    chance: random.Random
    stay: float
    cursor: str | None = None
    seen: dict[str, dict[str, None]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    disordered: list[str] = field(default_factory=list)
    resyncs: int = 0
    connects: int = 0
    began: asyncio.Event = field(default_factory=asyncio.Event)
    _loaded: set[str] = field(default_factory=set)
    _decoder: Any = field(default_factory=msgspec.json.Decoder)

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until ``stop``; from then on stay until cancelled."""
        while True:
            address = self.chance.choice(list(self.addresses))
            headers = {"Authorization": f"Bearer {self.token}"}
            with suppress(ConnectionClosed, InvalidHandshake, OSError, TimeoutError):
                async with connect(
                    address,
                    additional_headers=headers,
                    subprotocols=[Subprotocol("stagewright.v1")],
                    compression=None,
                    proxy=None,
                    max_size=None,
                    open_timeout=30,
                ) as connection:
                    self.connects += 1
                    until = None if stop.is_set() else self.stay * (0.5 + self.chance.random())
                    await self._listen(connection, until)
                    connection.transport.abort()
            await asyncio.sleep(0.05 + self.chance.random() * 0.2)

    async def _listen(self, connection: ClientConnection, seconds: float | None) -> None:
        hello = {"op": "hello", "v": 1, "last_event_id": self.cursor, "topics": list(self.topics)}
        await connection.send(json.dumps(hello))
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                async for text in connection:
                    await self._take(self._decoder.decode(text))

    async def _take(self, message: dict[str, Any]) -> None:
        for frame in message.get("frames", ()):
            self._note(frame)
        if message["op"] == "resync":
            self.resyncs += 1
            await self._load()
        if "cursor" in message:
            self.cursor = message["cursor"]
            self.began.set()

    def _note(self, frame: dict[str, Any]) -> None:
        topic = frame["topic"]
        if topic == "projects":
            known = self.versions.get(frame["key"], 0)
            self.versions[frame["key"]] = max(known, frame["version"])
            return
        seen = self.seen.setdefault(topic, {})
        if frame["id"] in seen:
            return
        if seen and topic not in self._loaded and int(frame["id"]) < int(next(reversed(seen))):
            self.disordered.append(f"{topic} {frame['id']}")
        seen[frame["id"]] = None

    async def _load(self) -> None:
        """Load anew, as a screen does by REST after ``resync``."""
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True) as connection:
            for topic in self.topics:
                self._loaded.add(topic)
                if topic != "projects":
                    rows = await connection.execute("select seq from journal where stream = %s order by seq", [topic])
                    self.seen.setdefault(topic, {}).update({str(row[0]): None for row in await rows.fetchall()})
            for key, version in await (await connection.execute("select id::text, version from projects")).fetchall():
                self.versions[key] = max(self.versions.get(key, 0), version)


@dataclass
class Outcome:
    """What came of it."""

    committed: int
    seconds: float
    connects: int
    resyncs: int
    problems: list[str]


async def blow(dsn: str, folder: Path, size: Size, *, processes: int = 3) -> Outcome:
    """Let a storm pass and compare."""
    async with Database.open(dsn, max_size=4) as db:
        scenery = await prepare(db, size)
    chance, began = random.Random(size.seed), time.monotonic()
    async with gateways(dsn, folder, processes) as addresses:
        names = [f"run:{run.id}" for run in scenery.runs]
        followers = [
            Follower(
                addresses,
                token,
                [*chance.sample(names, size.followed), "projects"],
                dsn,
                random.Random(size.seed + number),
                size.stay,
            )
            for number, token in enumerate(scenery.tokens)
        ]
        writers = Writers(dsn, scenery, size)
        tasks = [asyncio.create_task(follower.run(writers.done)) for follower in followers]
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*(follower.began.wait() for follower in followers))
            first = await _newest(dsn)
            meddling = asyncio.create_task(_meddle(dsn, writers))
            await writers.run()
            await meddling
            problems = await _compare(dsn, first, followers)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    committed = len(await _rows(dsn, "select seq from journal where seq > %s", first))
    connects, resyncs = (sum(getattr(item, name) for item in followers) for name in ("connects", "resyncs"))
    return Outcome(committed, time.monotonic() - began, connects, resyncs, problems)


async def _meddle(dsn: str, writers: Writers) -> None:
    """Kill listeners and silence the bells for a while, again and again."""
    while not writers.done.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(writers.done.wait(), 1.0)
        writers.ringing = not writers.ringing
        await _rows(
            dsn,
            "select pg_terminate_backend(pid)::int from pg_stat_activity"
            " where application_name = 'stagewright-bell' and datname = current_database() and pid > %s",
            0,
        )


async def _compare(dsn: str, first: int, followers: Sequence[Follower]) -> list[str]:
    """Hold what everybody saw against what was committed, once the feed had time to bring it."""
    wanted: dict[str, list[str]] = {}
    for stream, seq in await _rows(dsn, "select stream, seq from journal where seq > %s order by seq", first):
        wanted.setdefault(stream, []).append(str(seq))
    changes = {stream.removeprefix("project:") for stream in wanted}
    every = await _rows(dsn, "select id::text, version from projects where version > %s", 0)
    versions = {key: version for key, version in every if key in changes}
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        problems = [text for follower in followers for text in _lacking(follower, wanted, versions, first)]
        if not problems:
            break
        await asyncio.sleep(0.25)
    return problems + [text for follower in followers for text in follower.disordered]


def _lacking(follower: Follower, wanted: dict[str, list[str]], versions: dict[str, int], first: int) -> list[str]:
    found = []
    for topic in follower.topics:
        if topic != "projects":
            seen = [seq for seq in follower.seen.get(topic, ()) if int(seq) > first]
            if sorted(seen, key=int) != wanted.get(topic, []):
                found.append(f"{topic}: {len(seen)} of {len(wanted.get(topic, []))}")
    stale = [key for key, version in versions.items() if follower.versions.get(key) != version]
    return found + ([f"projects: {len(stale)} keys are not at their last version"] if stale else [])


async def _newest(dsn: str) -> int:
    return int((await _rows(dsn, "select coalesce(max(seq), 0) from journal where seq > %s", 0))[0][0])


async def _rows(dsn: str, statement: Any, value: int) -> list[Any]:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        return await (await connection.execute(statement, [value])).fetchall()
