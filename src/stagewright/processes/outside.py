"""The adapters that worker and control plane share, wired to the vault: GitHub and git with the stored credentials."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.adapters.git import GitStore
from stagewright.adapters.github import Access, Client, GitHubForge, GitHubThreads, Rates, Wire, open_http
from stagewright.contexts.identity import api as identity
from stagewright.contexts.runs.ports import RateReading
from stagewright.contexts.runs.reconcile import quotas
from stagewright.contexts.runs.rpc import AttemptTokens
from stagewright.contexts.vault import api as vault
from stagewright.contexts.vault.model import ResolvedCredential
from stagewright.kit.errors import Unavailable
from stagewright.kit.loops import Loop
from stagewright.processes.common import Platform, Purpose
from stagewright.processes.reach import reach_of

WRITE_EVERY = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Adapters:
    """How this process reaches the forge."""

    forge: GitHubForge
    threads: GitHubThreads
    git: GitStore


class Meter:
    """Shows what the forge's answers say is left, and writes it down for all processes, once a moment."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._known: dict[tuple[str, str], RateReading] = {}
        self._fresh: dict[tuple[str, str], RateReading] = {}

    def take(
        self, installation: str, bucket: str, remaining: int | None, limit: int | None, reset_at: datetime | None
    ) -> None:
        """Take one reading; the figure of a bucket is that of the installation with the least left."""
        reading = RateReading(bucket, remaining, limit, reset_at)
        self._known[installation, bucket] = self._fresh[installation, bucket] = reading
        now = self._platform.clock.now()
        self._known = {key: one for key, one in self._known.items() if one.reset_at is None or one.reset_at > now}
        left = [one.remaining for one in self._known.values() if one.bucket == bucket and one.remaining is not None]
        if left:
            self._platform.metrics.forge_quota_remaining.labels(bucket).set(min(left))

    async def write(self) -> int:
        """Write down what came since the last time; what cannot be written now is kept, unless newer comes."""
        fresh, self._fresh = self._fresh, {}
        try:
            return await quotas.keep_readings(self._platform.db, self._platform.clock, fresh)
        except BaseException:
            self._fresh = fresh | self._fresh
            raise

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write every moment while the block lasts, and what is left at its end."""
        stop, platform = asyncio.Event(), self._platform
        loop = Loop(
            "forge.quota",
            self.write,
            WRITE_EVERY,
            clock=platform.clock,
            metrics=platform.metrics,
            on_error=platform.report_loop,
        )
        writing = asyncio.create_task(loop.run(stop), name="forge-quota")
        try:
            yield
        finally:
            stop.set()
            await writing
            with suppress(Unavailable):
                await self.write()


def stored_access(platform: Platform, wire: Wire) -> Access:
    """Return how the forge is reached with the credentials that the vault keeps."""

    async def resolve(repository_id: UUID, project_id: UUID, purpose: str) -> ResolvedCredential:
        async with platform.db.reading() as reader:
            return await vault.resolve(
                reader,
                purpose=purpose,
                project_id=project_id,
                repository_id=repository_id,
                sealer=platform.sealer(Purpose.CREDENTIALS),
                now=platform.clock.now(),
            )

    return Access(wire, resolve, platform.clock)


@asynccontextmanager
async def open_adapters(platform: Platform) -> AsyncIterator[Adapters]:
    """Open one HTTP client and one git store for the block."""

    meter = Meter(platform)
    async with open_http(reach_of(platform.settings)) as http, meter.running():
        wire = Wire(http, Rates(meter.take), platform.clock)
        access = stored_access(platform, wire)
        client = Client(wire, access, platform.clock)
        yield Adapters(
            forge=GitHubForge(wire, client),
            threads=GitHubThreads(client),
            git=GitStore(platform.settings.data_dir / "git", access.git_credential),
        )


async def attempt_tokens(platform: Platform) -> AttemptTokens:
    """Return the signers of attempt tokens; the issuer is this installation."""
    async with platform.db.reading() as reader:
        installation = await identity.installation_id(reader)
    return AttemptTokens(platform.keyring, issuer=f"stagewright/{installation}")
