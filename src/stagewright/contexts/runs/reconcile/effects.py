"""Do the reserved acts on the forge; settle unknown ones by reading, never by repeating."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from stagewright.contexts.projects.api import Repository, get_repository
from stagewright.contexts.runs.errors import NotSent, OutcomeUnknown
from stagewright.contexts.runs.model import Effect
from stagewright.contexts.runs.reconcile import acts
from stagewright.contexts.runs.reconcile.outside import EFFECT_LEASE, Outside
from stagewright.contexts.runs.store import effects as effect_rows
from stagewright.contexts.runs.usecases import outbox
from stagewright.kit.errors import Denied, Invalid, LimitReached, NotFound, StagewrightError, Unauthenticated

BATCH = 10
RETRY = timedelta(seconds=5)
RETRY_CAP = timedelta(minutes=5)
CALL_DEADLINE = 45.0


async def perform_reserved(outside: Outside) -> int:
    """Submit due effects, act outside any transaction, and write what came of it."""
    now = outside.clock.now()
    async with outside.db.transaction() as tx:
        await effect_rows.expire_leases(tx, now)
        await outbox.open_buckets(tx, now=now)
        batch = await effect_rows.claim(tx, worker=outside.worker_id, now=now, until=now + EFFECT_LEASE, limit=BATCH)
    await asyncio.gather(*(_perform(outside, effect) for effect in batch))
    return len(batch)


async def resolve_unknown(outside: Outside) -> int:
    """Look unknown effects up at the forge: present is done, absent twice is reserved again."""
    now = outside.clock.now()
    async with outside.db.transaction() as tx:
        batch = await effect_rows.claim_unknown(
            tx, worker=outside.worker_id, now=now, until=now + EFFECT_LEASE, limit=BATCH
        )
    for effect in batch:
        await _look_up(outside, effect)
    return len(batch)


async def _repository(outside: Outside, effect: Effect) -> Repository:
    async with outside.db.reading() as reader:
        return await get_repository(reader, effect.repository_id)


async def _perform(outside: Outside, effect: Effect) -> None:
    repository = await _repository(outside, effect)
    try:
        async with asyncio.timeout(CALL_DEADLINE):
            result = await acts.perform(outside, repository, effect)
    except (StagewrightError, TimeoutError) as error:
        await _settle_failure(outside, effect, error)
    else:
        await _done(outside, effect, result)


async def _done(outside: Outside, effect: Effect, result: Mapping[str, Any]) -> None:
    async with outside.db.transaction(correlation_id=effect.correlation_id) as tx:
        await outbox.done(tx, effect, result, now=outside.clock.now())


async def _settle_failure(outside: Outside, effect: Effect, error: Exception) -> None:
    now = outside.clock.now()
    async with outside.db.transaction(correlation_id=effect.correlation_id) as tx:
        match error:
            case LimitReached():
                until = await outbox.block_bucket(
                    tx,
                    effect.repository_id,
                    effect.bucket,
                    retry_after=error.retry_after,
                    cause=error.stable_code,
                    now=now,
                )
                await outbox.put_back(tx, effect, error.stable_code, not_before=until, now=now)
            case NotSent():
                delay = error.retry_after or min(RETRY_CAP, RETRY * 2 ** min(effect.tries, 10))
                await outbox.put_back(tx, effect, error.stable_code, not_before=now + delay, now=now)
            case acts.Moved():
                await outbox.moved(tx, effect, error.message, now=now)
            case Unauthenticated():
                until = await outbox.block_bucket(
                    tx, effect.repository_id, effect.bucket, retry_after=RETRY_CAP, cause="auth", now=now
                )
                await outbox.put_back(tx, effect, "auth", not_before=until, now=now)
            case Denied() | NotFound() | Invalid():
                await outbox.refused(tx, effect, error.stable_code, error.message, now=now)
            case OutcomeUnknown() | TimeoutError():
                await outbox.unknown(tx, effect, "no_answer", now=now)
            case StagewrightError():
                await outbox.put_back(tx, effect, error.stable_code, not_before=now + RETRY_CAP, now=now)


async def _look_up(outside: Outside, effect: Effect) -> None:
    repository = await _repository(outside, effect)
    try:
        async with asyncio.timeout(CALL_DEADLINE):
            found = await acts.probe(outside, repository, effect)
    except (StagewrightError, TimeoutError):
        return  # the lease runs out and the next pass looks again
    now = outside.clock.now()
    async with outside.db.transaction(correlation_id=effect.correlation_id) as tx:
        if found is None:
            await outbox.absent(tx, effect, now=now)
        else:
            await outbox.done(tx, effect, found, now=now)
