"""Keep what the forge's answers say of its limits, and learn whose limits a repository draws on."""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

import structlog

from stagewright.contexts.projects.api import get_repository
from stagewright.contexts.runs.model import Effect
from stagewright.contexts.runs.ports import Quota, RateReading
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.usecases import limits
from stagewright.contexts.runs.usecases.effects import purpose_of
from stagewright.kit.clock import Clock
from stagewright.kit.db import Database
from stagewright.kit.errors import StagewrightError

log = structlog.get_logger(__name__)
DEADLINE = 10.0


async def learn(outside: Outside, repository_id: UUID) -> None:
    """Learn whose limits a newly bound repository draws on before the first request is made for it.

    What cannot be learned now has limits of its own until an answer says whose they are.
    """
    told = await _ask(outside, repository_id)
    async with outside.db.transaction() as tx:
        await limits.learn_quotas(tx, repository_id, told, now=outside.clock.now())


async def keep(outside: Outside, done: Sequence[Effect]) -> None:
    """Keep what the newest answers said, after these acts were taken: once per repository."""
    for repository_id in sorted({effect.repository_id for effect in done}):
        told = await _ask(outside, repository_id)
        worked = {(purpose_of(one.kind), one.bucket) for one in done if one.repository_id == repository_id}
        async with outside.db.transaction() as tx:
            now = outside.clock.now()
            if told:
                await limits.learn_quotas(tx, repository_id, told, now=now)
            for purpose, bucket in sorted(worked):
                await limits.note_worked(tx, repository_id, bucket, purpose=purpose, now=now)


async def _ask(outside: Outside, repository_id: UUID) -> Sequence[Quota]:
    async with outside.db.reading() as reader:
        repository = await get_repository(reader, repository_id)
    try:
        async with asyncio.timeout(DEADLINE):
            return await outside.forge.rate(repository)
    except (StagewrightError, TimeoutError) as error:
        log.warning("limits not known", repository=repository.full_name, reason=str(error))
        return ()


async def keep_readings(db: Database, clock: Clock, readings: Mapping[tuple[str, str], RateReading]) -> int:
    """Write down readings by (installation, bucket), in a transaction that locks nothing else."""
    if readings:
        async with db.transaction() as tx:
            await limits.note_readings(tx, readings, now=clock.now())
    return len(readings)
