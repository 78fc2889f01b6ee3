"""A relay on a real port, runs with live attempts in a real database, a provider that a test scripts byte by byte."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from prometheus_client import generate_latest
from tests import factories
from tests.fakes.clock import FakeClock

from stagewright.adapters.providers import Providers, open_http
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.contexts.runs import events
from stagewright.contexts.runs.model import Attempt, Run, RunStatus
from stagewright.contexts.runs.rpc import AttemptTokens
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import limits as limit_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import attempts, moves
from stagewright.contexts.vault import api as vault
from stagewright.kit.crypto import Sealer
from stagewright.kit.db import Database, Row
from stagewright.kit.http import serving
from stagewright.kit.http.asgi import App, Receive, Scope, Send
from stagewright.kit.ids import uuid7
from stagewright.kit.metrics import Metrics
from stagewright.kit.settings import Listen
from stagewright.processes.controlplane.relay import relay_app

KEY = "sk-canary-0123456789abcdef"
MODELS = {"codex": "gpt-5.4", "claude": "claude-sonnet-4-5"}
PATHS = {"codex": "/responses", "claude": "/v1/messages"}
TOKENS = AttemptTokens(factories.KEYRING, issuer="stagewright/test")
DEADLINE = 10.0


@dataclass(frozen=True)
class Live:
    """A run whose attempt is live, and the attempt's tokens."""

    run: Run
    attempt: Attempt
    tokens: dict[str, str]

    @property
    def headers(self) -> dict[str, str]:
        """Return what the runner's own relay adds."""
        return {"authorization": f"Bearer {self.tokens['model']}"}


@dataclass
class Seen:
    """One request as the provider got it."""

    line: str
    headers: dict[str, str]
    body: bytes


class Count:
    """A number that one waits for."""

    def __init__(self) -> None:
        self._now = 0
        self._moved = asyncio.Condition()

    async def up(self) -> None:
        """Count one more."""
        async with self._moved:
            self._now += 1
            self._moved.notify_all()

    async def reaches(self, wanted: int) -> None:
        """Wait for ``wanted``; fail at the deadline."""
        async with asyncio.timeout(DEADLINE), self._moved:
            await self._moved.wait_for(lambda: self._now >= wanted)


@dataclass
class Provider:
    """Answers what the test wrote: each item of ``answers`` is one answer, its pieces wait for ``go_on`` in between."""

    answers: list[list[bytes]] = field(default_factory=list)
    requests: list[Seen] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    asked: Count = field(default_factory=Count)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    stays: bool = False
    port: int = 0

    @property
    def url(self) -> str:
        """Return the base URL."""
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Provider"]:
        """Listen for the block."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            line, *rest = head.strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (item.partition(":") for item in rest)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.requests.append(Seen(line, headers, body))
            await self.asked.up()
            for number, piece in enumerate(self.answers.pop(0) if self.answers else [ok({})]):
                if number:
                    await self.go_on.wait()
                writer.write(piece)
                await writer.drain()
            if self.stays:
                await reader.read()
                self.hung_up.set()
        except (ConnectionError, asyncio.IncompleteReadError):
            self.hung_up.set()
        finally:
            writer.close()


def answer(status: int, body: bytes, *headers: str, kind: str = "application/json") -> bytes:
    """Return a whole answer."""
    lines = [f"HTTP/1.1 {status} X", f"content-type: {kind}", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def ok(body: dict[str, Any]) -> bytes:
    """Return a JSON answer."""
    return answer(200, json.dumps(body).encode())


def stream(*headers: str) -> bytes:
    """Return the head of a stream that ends with its connection."""
    lines = ["HTTP/1.1 200 OK", "content-type: text/event-stream", "connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def event(kind: str, **fields: Any) -> bytes:
    """Return one server-sent event."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def completed(sent: int, cached: int, answered: int) -> bytes:
    """Return the end of a Responses stream."""
    counts = {"input_tokens": sent, "input_tokens_details": {"cached_tokens": cached}, "output_tokens": answered}
    return event("response.completed", response={"id": "r1", "usage": counts})


class Bench:
    """The relay under test and what a test needs around it."""

    def __init__(self, db: Database, clock: FakeClock, repository: projects.Repository, metrics: Metrics) -> None:
        self.db = db
        self.clock = clock
        self.repository = repository
        self.metrics = metrics
        self.bugs: list[Exception] = []
        self.ended = Count()
        self.http = httpx.AsyncClient()
        self._issues = 0

    async def on_bug(self, error: Exception, request_id: str) -> None:
        """Keep an unforeseen exception; ``a_bench`` fails the test on any."""
        self.bugs.append(error)

    async def live(self, engine: str = "codex", **changes: Any) -> Live:
        """Make a run of ``engine`` with a live attempt."""
        self._issues += 1
        now = self.clock.now()
        request = factories.a_run_request(self.repository, now=now, issue_number=self._issues, **changes)
        async with self.db.transaction() as tx:
            run = await runs.request_run(tx, request, clock=self.clock)
            run = await moves.move(tx, run, RunStatus.PREPARING, events.RunPreparing, now=now, generation=1)
            run = await run_rows.save(tx, replace(run, engine=engine, model=MODELS.get(engine, "rehearsal")))
            attempt = await attempts.open_attempt(
                tx, run, reason="first", workload_kind="local", restored_session_id=None, now=now
            )
            run, attempt = await attempts.register(tx, attempt, runner_version="test", now=now)
        return Live(run, attempt, TOKENS.mint(run, attempt))

    async def credential(
        self, engine: str, base_url: str | None, *, secret: str = KEY, project_id: UUID | None = None
    ) -> vault.Credential:
        """Store the platform's (or a project's) key for ``engine``."""
        scope = vault.CredentialScope.PROJECT if project_id else vault.CredentialScope.PLATFORM
        new = vault.NewCredential(
            scope=scope,
            purpose=f"model:{engine}",
            kind=vault.CredentialKind.API_KEY,
            secret=secret,
            project_id=project_id,
            base_url=base_url,
        )
        async with self.db.transaction() as tx:
            return await vault.put_credential(tx, new, sealer=factories.a_sealer(), now=self.clock.now())

    async def post(self, live: Live, path: str = "", **changes: Any) -> httpx.Response:
        """Call the model as the runner's relay does."""
        engine = str(live.run.engine)
        body = {"model": MODELS.get(engine, "x"), "stream": True} | changes.pop("body", {})
        options: dict[str, Any] = {"headers": live.headers, "content": json.dumps(body)} | changes
        return await self.http.post(f"/model/{engine}{path or PATHS[engine]}", **options)

    async def rows(self, sql: Any, **params: Any) -> list[Row]:
        """Return rows of a query."""
        async with self.db.reading() as reader:
            return await reader.all(lambda row: row, sql, **params)

    async def usage(self, live: Live) -> list[tuple[str, int, int, int, str]]:
        """Return the attempt's usage records."""
        found = await self.rows("select * from run_usage where attempt_id = %(id)s order by seq", id=live.attempt.id)
        return [
            (row["model"], row["tokens_in"], row["tokens_cached"], row["tokens_out"], row["source"]) for row in found
        ]

    async def meters(self, live: Live) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """Return the meters of the run and of the attempt."""
        async with self.db.reading() as reader:
            run = await run_rows.get(reader, live.run.id)
            attempt = await attempt_rows.get(reader, live.attempt.id)
        return (
            (run.tokens_in, run.tokens_cached, run.tokens_out),
            (attempt.tokens_in, attempt.tokens_cached, attempt.tokens_out),
        )

    async def state(self, credential: vault.Credential) -> str:
        """Return the state of a credential."""
        [row] = await self.rows("select state from credentials where id = %(id)s", id=credential.id)
        return str(row["state"])

    async def kinds(self) -> list[str]:
        """Return what was journalled on streams of limits and credentials."""
        sql = "select kind from journal where stream like 'limits:%%' or stream like 'credential:%%' order by seq"
        return [row["kind"] for row in await self.rows(sql)]

    async def block(self, live: Live, seconds: float) -> datetime:
        """Close the provider's limit for the run's project."""
        now = self.clock.now()
        until = now + timedelta(seconds=seconds)
        async with self.db.transaction() as tx:
            await limit_rows.block(
                tx,
                str(live.run.project_id),
                f"model:{live.run.engine}",
                until=until,
                cause="rate_limit",
                now=now,
            )
        return until

    def figures(self) -> str:
        """Return the figures that Prometheus would read."""
        return generate_latest(self.metrics.registry).decode()


@asynccontextmanager
async def a_bench(
    db: Database, clock: FakeClock, *, idle: float = 5.0, sealer: Sealer | None = None
) -> AsyncIterator[Bench]:
    """Serve a relay for the block; fail when it had a bug that the test did not take away from ``bugs``."""
    metrics = Metrics()
    async with db.transaction() as tx:
        project = await factories.a_project(tx, now=clock.now())
        found = projects.ForgeRepository(1, "shop/app", "main", "http://x", "http://x.git", private=False)
        repository = await factories.a_repository(tx, project, found, now=clock.now())
    bench = Bench(db, clock, repository, metrics)
    async with open_http(connect=timedelta(seconds=2), idle=timedelta(seconds=idle)) as http:
        app = relay_app(
            db=db,
            clock=clock,
            tokens=TOKENS,
            sealer=sealer or factories.a_sealer(),
            providers=Providers(http),
            metrics=metrics,
            on_bug=bench.on_bug,
        )
        async with (
            serving(_noting(app, bench.ended), Listen("127.0.0.1", 0), grace=timedelta(seconds=1)) as bound,
            httpx.AsyncClient(base_url=bound.url, timeout=DEADLINE, trust_env=False) as client,
        ):
            await bench.http.aclose()
            bench.http = client
            yield bench
    assert bench.bugs == []


def _noting(app: App, ended: Count) -> App:
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        finally:
            await ended.up()

    return serve


async def another_repository(bench: Bench) -> projects.Repository:
    """Bind a repository of another project."""
    now = bench.clock.now()
    async with bench.db.transaction() as tx:
        project = await factories.a_project(tx, now=now, key=f"other-{uuid7().hex[-6:]}", name="Other")
        found = projects.ForgeRepository(2, "other/app", "main", "http://y", "http://y.git", private=False)
        return await factories.a_repository(tx, project, found, now=now)
