"""What a bench stands on: an embedded server with its real durability, a migrated database, a bound repository."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from stagewright.contexts.projects import api as projects
from stagewright.contexts.projects.model import ForgeRepository
from stagewright.kit.clock import SystemClock
from stagewright.kit.crypto import Sealer
from stagewright.kit.db import Database
from stagewright.kit.migrate import migrate
from stagewright.kit.postgres import EmbeddedPostgres
from stagewright.processes.common import Purpose
from stagewright.processes.settings import Settings, load

READY_SECONDS = 30.0


@dataclass
class Stage:
    """A prepared installation. ``secret`` is the webhook secret of ``repository``."""

    data: Path
    postgres: EmbeddedPostgres
    db: Database
    settings: Settings
    environ: dict[str, str]
    repository: projects.Repository
    secret: str

    @contextmanager
    def process(self, arguments: Sequence[str], ready: str, extra: Mapping[str, str] | None = None) -> Iterator[int]:
        """Run a Python program until the block ends; it is ready when ``ready`` answers. Yield its pid."""
        log = (self.data / "bench.log").open("ab")
        child = subprocess.Popen(
            [sys.executable, *arguments], env=self.environ | dict(extra or {}), stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait_for(ready, child)
            yield child.pid
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(30)
            log.close()


@asynccontextmanager
async def prepared() -> AsyncIterator[Stage]:
    """Prepare an installation in a folder of its own, and remove it afterwards."""
    folder = await asyncio.to_thread(_folder)
    environ = dict(os.environ) | {"STAGEWRIGHT_DATA_DIR": str(folder), "STAGEWRIGHT_METRICS_LISTEN": "127.0.0.1:0"}
    environ = {key: value for key, value in environ.items() if not key.startswith("STAGEWRIGHT_CLI_")}
    postgres = await asyncio.to_thread(EmbeddedPostgres.start_or_adopt, folder)
    try:
        await migrate(postgres.dsn)
        settings = load("gateway", environ)
        async with Database.open(postgres.dsn) as db:
            repository, secret = await _bind(db, settings)
            yield Stage(folder, postgres, db, settings, environ, repository, secret)
    finally:
        await asyncio.to_thread(postgres.stop)
        shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="stagewright-bench-"))
    folder.chmod(0o711)
    return folder


async def _bind(db: Database, settings: Settings) -> tuple[projects.Repository, str]:
    now = SystemClock().now()
    async with db.transaction() as tx:
        project = await projects.create_project(tx, key="bench", name="Bench", locale="en", now=now)
        bound = await projects.bind_repository(
            tx,
            project,
            ForgeRepository(1, "bench/bench", "main", "http://127.0.0.1/b", "http://127.0.0.1/b.git", private=False),
            api_url="http://127.0.0.1/api",
            binding=projects.Binding.TOKEN,
            sealer=Sealer(settings.keyring, Purpose.WEBHOOK_SECRETS.value),
            now=now,
        )
    return bound.repository, bound.webhook_secret


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(url: str, child: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        if child.poll() is not None:
            raise RuntimeError(f"the process ended with {child.returncode} before it was ready")
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{url} did not answer within {READY_SECONDS:.0f} s")
