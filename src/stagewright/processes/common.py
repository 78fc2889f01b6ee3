"""What every server process needs before its first duty: database, keys, redaction, logs, figures, bell, stop signal.

``run(process, main)`` is a process: it reads the settings, opens the platform, and calls ``main(platform)``, which
returns when ``platform.stop`` is set. ``open_platform`` alone is for tests and for several parts in one process.
"""

import asyncio
import base64
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote, urlsplit

import uvloop

from stagewright import __version__
from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.projects import api as projects
from stagewright.contexts.vault import api as vault
from stagewright.contexts.workflow import api as workflow
from stagewright.kit import logs, migrate
from stagewright.kit.clock import Clock, SystemClock
from stagewright.kit.crypto import Keyring, Sealer
from stagewright.kit.db import Database, Reader
from stagewright.kit.errors import StagewrightError, Unavailable
from stagewright.kit.http import Bound, serving
from stagewright.kit.loops import BellListener
from stagewright.kit.metrics import Check, Metrics, ObservabilityDoor, Pulse
from stagewright.kit.postgres import EmbeddedPostgres
from stagewright.kit.redact import Redactor
from stagewright.kit.settings.stored import StoredSettings
from stagewright.processes.incidents import IncidentWriter
from stagewright.processes.platform_policy import read_platform_policy
from stagewright.processes.presence import Presence
from stagewright.processes.settings import KEYS_FILE, PREFIX, Settings, load
from stagewright.processes.stored_settings import STORED

REFRESH = timedelta(seconds=30)
VERSION = __version__

log = logs.get_logger(__name__)


class SchemaBehind(Unavailable):
    """The database is not at the schema of this program."""

    code = "db.schema_behind"


class Purpose(StrEnum):
    """What a derived key is for. Changing a word loses everything sealed under it."""

    CREDENTIALS = "credentials"
    WEBHOOK_SECRETS = "webhook-secrets"
    AGENT_SESSIONS = "agent-sessions"
    ANSWERS = "idempotency"


class Bell:
    """Tells whoever asked that something was written somewhere. A lost bell costs latency only."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[], None]] = []

    def add(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` (quick, not blocking) at each bell from now on."""
        self._listeners.append(listener)

    def __call__(self) -> None:
        """Ring."""
        for listener in self._listeners:
            listener()


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """The parts of one process. ``stop`` is set by SIGTERM and SIGINT, or by whoever wants the process to end."""

    settings: Settings
    dsn: str = field(repr=False)
    db: Database
    clock: Clock
    metrics: Metrics
    redactor: Redactor
    bell: Bell
    incidents: IncidentWriter
    stored: StoredSettings
    stop: asyncio.Event

    @property
    def keyring(self) -> Keyring:
        """Return the installation's keys."""
        return self.settings.keyring

    def sealer(self, purpose: Purpose) -> Sealer:
        """Return what seals and opens values of ``purpose``."""
        return Sealer(self.keyring, purpose.value)

    async def report_bug(self, source: str, error: Exception, request_id: str = "") -> None:
        """Open an incident for an unforeseen exception, in a transaction of its own. Never raises."""
        await self.incidents.report_bug(source, error, request_id=request_id)

    async def report_loop(self, loop: str, error: Exception) -> None:
        """Report what a loop did not foresee: an ``on_error`` for ``kit.loops.Loop``."""
        await self.report_bug(f"loop.{loop}", error)

    async def schema_is_current(self) -> bool:
        """Say whether the database is at this program's schema or a newer one: a readiness check."""
        async with self.db.reading() as reader:
            return await migrate.version(reader.connection) >= migrate.newest()

    async def database_answers(self) -> bool:
        """Say whether the database answers: a readiness check."""
        async with self.db.reading():
            return True

    @property
    def checks(self) -> dict[str, Check]:
        """Return the readiness checks every process has."""
        return {"database": self.database_answers, "schema": self.schema_is_current}


@asynccontextmanager
async def open_platform(
    settings: Settings,
    *,
    stop: asyncio.Event | None = None,
    clock: Clock | None = None,
    environ: Mapping[str, str] | None = None,
    max_sessions: int = 10,
    own_logs: bool = True,
) -> AsyncIterator[Platform]:
    """Open the database and what goes with it, for the block. Raise ``SchemaBehind`` when nobody migrated it yet.

    In embedded mode the running server of the data directory is used. Redaction knows the stored secrets before the
    block begins; it looks again at each bell and every 30 s. ``own_logs`` sends the process's logs to standard output.
    The platform's own policy file is in force for the block; a broken one stops the start.
    """
    clock = clock or SystemClock()
    own_policy = read_platform_policy(settings.policy_file)
    metrics = Metrics(version=VERSION)
    redactor = Redactor(_own_secrets(settings, environ or {}), on_redacted=metrics.count_redactions)
    if own_logs:
        logs.configure(process=settings.process, redact=redactor.to("logs"))
    dsn = await find_database(settings)
    ended = stop or asyncio.Event()
    async with Database.open(
        dsn,
        clock=clock,
        redact=redactor.to("journal"),
        max_size=max_sessions,
        application_name=f"stagewright-{settings.process}",
    ) as db:
        platform = Platform(
            settings=settings,
            dsn=dsn,
            db=db,
            clock=clock,
            metrics=metrics,
            redactor=redactor,
            bell=Bell(),
            incidents=IncidentWriter(db, clock=clock, metrics=metrics, redactor=redactor),
            stored=StoredSettings(db, STORED, clock),
            stop=ended,
        )
        if not await platform.schema_is_current():
            raise SchemaBehind("the database is at an older schema than this program: run `stagewright db migrate`")
        feed = RedactionFeed(platform)
        await feed.refresh()
        tasks = [
            asyncio.create_task(feed.run(), name="redaction-feed"),
            asyncio.create_task(platform.incidents.run(), name="incidents"),
        ]
        platform.bell.add(feed.poke)
        platform.bell.add(platform.stored.forget)
        listener = BellListener(dsn, platform.bell, clock=clock, on_reconnect=metrics.listener_reconnects.inc)
        tasks.append(asyncio.create_task(listener.run(asyncio.Event()), name="bell"))
        try:
            with workflow.platform_policy(own_policy), incidents.paced(platform.incidents.pace):
                yield platform
        finally:
            await _end(tasks)
            await platform.incidents.flush()


async def find_database(settings: Settings) -> str:
    """Return the address of the database: the one set, or the embedded server of the data directory."""
    if settings.database_url is not None:
        return settings.database_url
    server = await asyncio.to_thread(EmbeddedPostgres.start_or_adopt, settings.data_dir)
    return server.dsn


class RedactionFeed:
    """Keeps the redactor's values equal to the stored secrets."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._stamp: str | None = None
        self._known: list[str] = []
        self._poked = asyncio.Event()

    def poke(self) -> None:
        """Look soon: something was written."""
        self._poked.set()

    async def refresh(self) -> None:
        """Read the secrets anew if any was stored or removed since the last look."""
        async with self._platform.db.reading() as reader:
            stamp = f"{await vault.secrets_stamp(reader)} {await projects.secrets_stamp(reader)}"
            if stamp == self._stamp:
                return
            values = await self._read(reader)
        redactor = self._platform.redactor
        for value in values:
            redactor.add(value)
        for value in self._known:
            redactor.remove(value)
        self._known, self._stamp = values, stamp

    async def _read(self, reader: Reader) -> list[str]:
        sealed = self._platform.sealer
        credentials = await vault.list_secret_values(reader, sealer=sealed(Purpose.CREDENTIALS))
        return credentials + await projects.list_webhook_secrets(reader, sealer=sealed(Purpose.WEBHOOK_SECRETS))

    async def run(self) -> None:
        """Look at each bell, at most once a second, and every 30 s; for ever."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(REFRESH.total_seconds()):
                    await self._poked.wait()
            self._poked.clear()
            try:
                await self.refresh()
            except Unavailable as error:
                log.warning("redaction could not be fed", reason=error.message)
            except Exception as error:  # the process's loop wrapper: redaction goes on with the values it knows
                log.error("redaction failed", exc_info=error)
                await self._platform.report_bug("redaction", error)
            await asyncio.sleep(1)


@asynccontextmanager
async def observed(platform: Platform, checks: Mapping[str, Check]) -> AsyncIterator[Bound]:
    """Serve ``/healthz``, ``/readyz`` (the platform's checks and ``checks``) and ``/metrics`` for the block.

    For so long, the process is one of those that live.
    """
    pulse = Pulse(platform.clock)
    presence = Presence(
        platform.settings.process,
        VERSION,
        db=platform.db,
        clock=platform.clock,
        metrics=platform.metrics,
        on_error=platform.report_loop,
    )
    beating = [
        asyncio.create_task(pulse.beat(), name="pulse"),
        asyncio.create_task(presence.run(), name="presence"),
    ]
    door = ObservabilityDoor(platform.metrics, pulse, {**platform.checks, **checks})
    try:
        async with serving(door, platform.settings.metrics_listen, grace=timedelta(seconds=1)) as bound:
            log.info("metrics listen", address=bound.url)
            yield bound
    finally:
        await _end(beating)
        await presence.leave()


def run(process: str, main: Callable[[Platform], Awaitable[None]], *, loop: str = "uvloop") -> int:
    """Run ``process`` until it is told to stop and return its exit code.

    A process that cannot start says why on standard error, with the remedy, and returns 2.
    """
    factory = uvloop.new_event_loop if loop == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        try:
            runner.run(_main(process, main))
        except StagewrightError as error:
            print(f"stagewright {process}: {error.message}", file=sys.stderr)  # noqa: T201 - before logs exist
            return 2
    return 0


async def _main(process: str, main: Callable[[Platform], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    settings = load(process, os.environ)
    async with open_platform(settings, stop=stop, environ=os.environ) as platform:
        log.info("started", version=VERSION, embedded=settings.embedded)
        await reporting_its_end(platform, main)
        log.info("stopped")


async def reporting_its_end(platform: Platform, main: Callable[[Platform], Awaitable[None]]) -> None:
    """Run ``main``; what it did not foresee is reported before it ends the process."""
    try:
        await main(platform)
    except StagewrightError:
        raise
    except Exception as error:
        log.error("ended by what nobody foresaw", exc_info=error)
        await platform.report_bug(platform.settings.process, error)
        raise


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel ``tasks`` until they have ended: ``wait_for`` of Python 3.11, in the driver, can lose a cancellation."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.5)


def _own_secrets(settings: Settings, environ: Mapping[str, str]) -> list[str | bytes]:
    """Return the secrets the process was started with, for redaction."""
    found: list[str | bytes] = []
    if settings.github_oauth_client_secret:
        found.append(settings.github_oauth_client_secret)
    if settings.database_url and (password := urlsplit(settings.database_url).password):
        found.append(unquote(password))
    for item in _root_keys(settings, environ).split(","):
        encoded = item.strip().partition(":")[2]
        if encoded:
            found += [encoded, base64.b64decode(encoded.replace("-", "+").replace("_", "/"))]
    return found


def _root_keys(settings: Settings, environ: Mapping[str, str]) -> str:
    if text := environ.get(f"{PREFIX}ROOT_KEYS", "").strip():
        return text
    path = environ.get(f"{PREFIX}ROOT_KEYS_FILE", "").strip()
    file = Path(path) if path else settings.data_dir / KEYS_FILE
    return file.read_text().strip() if file.is_file() else ""
