"""Do the reserved acts on the forge; settle unknown ones by reading, never by repeating."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from stagewright.contexts.projects.api import Repository, get_repository
from stagewright.contexts.runs.errors import NotSent, OutcomeUnknown
from stagewright.contexts.runs.model import Effect
from stagewright.contexts.runs.reconcile import acts, quotas
from stagewright.contexts.runs.reconcile.outside import EFFECT_LEASE, Outside
from stagewright.contexts.runs.reconcile.together import each
from stagewright.contexts.runs.store import effects as effect_rows
from stagewright.contexts.runs.store import limits as limit_rows
from stagewright.contexts.runs.usecases import limits, outbox
from stagewright.contexts.runs.usecases.effects import purpose_of
from stagewright.kit.db import Tx
from stagewright.kit.errors import Denied, Invalid, NotFound, StagewrightError

BATCH = 10
RETRY = timedelta(seconds=5)
RETRY_CAP = timedelta(minutes=5)
GIVE_UP = timedelta(hours=1)
CALL_DEADLINE = 45.0


async def perform_reserved(outside: Outside) -> int:
    """Submit due effects, act outside any transaction, and write what came of it."""
    now = outside.clock.now()
    async with outside.db.transaction() as tx:
        for lost in await effect_rows.expire_leases(tx, now):
            outbox.note_unknown(tx, lost)
        unlearned = await limit_rows.list_unlearned(tx, limit=BATCH)
    await each(quotas.learn(outside, repository_id) for repository_id in unlearned)
    async with outside.db.transaction() as tx:  # of its own: leases that ran out stay locked no longer than needed
        batch = await effect_rows.claim(tx, worker=outside.worker_id, now=now, until=now + EFFECT_LEASE, limit=BATCH)
        await limit_rows.note_writes(tx, [effect.id for effect in batch], now=now)
    done = await each(_perform(outside, effect) for effect in batch)
    await quotas.keep(outside, [effect for effect, taken in zip(batch, done, strict=True) if taken])
    return len(batch)


async def resolve_unknown(outside: Outside) -> int:
    """Look unknown effects up at the forge: present is done, absent twice is reserved again."""
    now = outside.clock.now()
    async with outside.db.transaction() as tx:
        batch = await effect_rows.claim_unknown(
            tx, worker=outside.worker_id, now=now, until=now + EFFECT_LEASE, limit=BATCH
        )
    await each(_look_up(outside, effect) for effect in batch)
    return len(batch)


async def _repository(outside: Outside, effect: Effect) -> Repository:
    async with outside.db.reading() as reader:
        return await get_repository(reader, effect.repository_id)


async def _perform(outside: Outside, effect: Effect) -> bool:
    """Act and settle; say whether the forge took the act."""
    try:
        repository = await _repository(outside, effect)
        async with asyncio.timeout(CALL_DEADLINE):
            result = await acts.perform(outside, repository, effect)
    except (StagewrightError, TimeoutError) as error:
        await _settle_failure(outside, effect, error)
        return False
    await _done(outside, effect, result)
    return True


async def _done(outside: Outside, effect: Effect, result: Mapping[str, Any]) -> None:
    now = outside.clock.now()
    async with outside.db.transaction(correlation_id=effect.correlation_id) as tx:
        await outbox.done(tx, effect, result, now=now)
    if effect.critical:
        outside.db.ring()  # publishing goes on at once


async def _settle_failure(outside: Outside, effect: Effect, error: Exception) -> None:
    now = outside.clock.now()
    async with outside.db.transaction(correlation_id=effect.correlation_id) as tx:
        match error:
            case NotSent():
                delay = error.retry_after or min(RETRY_CAP, RETRY * 2 ** min(effect.tries, 10))
                await outbox.put_back(tx, effect, error.stable_code, not_before=now + delay, now=now)
            case acts.Moved():
                await outbox.moved(tx, effect, error.message, now=now)
            case Denied() | NotFound() | Invalid():
                await outbox.refused(tx, effect, error.stable_code, error.message, now=now)
            case OutcomeUnknown() | TimeoutError():
                await outbox.unknown(tx, effect, "no_answer", now=now)
            case StagewrightError():
                await _put_back(tx, outside, effect, error)
    if effect.critical:
        outside.db.ring()


async def _put_back(tx: Tx, outside: Outside, effect: Effect, error: StagewrightError) -> None:
    """Wait with an act that provably did not happen: for its bucket when that is closed, else for a while."""
    now = outside.clock.now()
    await outbox.put_back(tx, effect, error.stable_code, not_before=now + RETRY_CAP, now=now)
    closed = await _note_refusal(tx, effect, error, outside)
    if closed is not None:
        await effect_rows.delay(tx, effect.id, closed[1])


async def _note_refusal(
    tx: Tx, effect: Effect, error: StagewrightError, outside: Outside
) -> tuple[str, datetime] | None:
    purpose = purpose_of(effect.kind)
    now = outside.clock.now()
    return await limits.note_refusal(tx, effect.repository_id, effect.bucket, error, purpose=purpose, now=now)


async def _look_up(outside: Outside, effect: Effect) -> None:
    try:
        repository = await _repository(outside, effect)
        async with asyncio.timeout(CALL_DEADLINE):
            found = await acts.probe(outside, repository, effect)
    except (StagewrightError, TimeoutError) as error:
        await _not_looked_up(outside, effect, error)
        return
    now = outside.clock.now()
    async with outside.db.transaction(correlation_id=effect.correlation_id) as tx:
        if found is None:
            await outbox.absent(tx, effect, now=now)
        else:
            await outbox.done(tx, effect, found, now=now)
    if effect.critical:
        outside.db.ring()


async def _not_looked_up(outside: Outside, effect: Effect, error: Exception) -> None:
    """Look again when the lease runs out; what can never be read, or for an hour was not, holds nothing back."""
    now = outside.clock.now()
    async with outside.db.transaction(correlation_id=effect.correlation_id) as tx:
        if isinstance(error, Denied | NotFound | Invalid):
            await outbox.refused(tx, effect, error.stable_code, error.message, now=now)
        elif now - (effect.submitted_at or effect.created_at) > GIVE_UP:
            await outbox.refused(tx, effect, "unresolved", f"the forge could not be read for an hour: {error}", now=now)
        elif isinstance(error, StagewrightError):
            await _note_refusal(tx, effect, error, outside)
