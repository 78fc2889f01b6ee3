"""Leases on runs: one worker at a time works on a run; a stale lease is seen, freed and journalled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from stagewright.contexts.runs import events
from stagewright.contexts.runs.model import Run
from stagewright.contexts.runs.reconcile.outside import CLAIM, Outside
from stagewright.contexts.runs.rules.frames import iso
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store.runs import Work
from stagewright.kit.errors import Unavailable

log = structlog.get_logger(__name__)
RENEW_EVERY = CLAIM / 3


async def claim(outside: Outside, work: Work, *, limit: int) -> list[Run]:
    """Lease due runs that need ``work``; free what dead or stuck workers hold first."""
    now = outside.clock.now()
    async with outside.db.transaction() as tx:
        for run, owner, until in await run_rows.free_stale_claims(tx, worker=outside.worker_id, now=now, limit=limit):
            body = {"worker_id": outside.worker_id, "previous_owner": owner, "previous_until": iso(until)}
            for event in (events.LeaseStale, events.LeaseReleased, events.ReclaimedAfterStaleLease):
                tx.publish(event(run=run, extra=body), correlation_id=run.correlation_id)
        return await run_rows.claim(tx, work, worker=outside.worker_id, now=now, until=now + CLAIM, limit=limit)


@asynccontextmanager
async def held(outside: Outside, run: Run) -> AsyncIterator[None]:
    """Keep the lease for as long as the block takes, then give it back."""
    renewing = asyncio.create_task(_renew(outside, run), name=f"lease:{run.id}")
    try:
        yield
    finally:
        renewing.cancel()
        with suppress(asyncio.CancelledError):
            await renewing
    async with outside.db.transaction() as tx:
        await run_rows.release(tx, run.id, outside.worker_id)


async def _renew(outside: Outside, run: Run) -> None:
    """Prolong the lease until cancelled. A lost one is not fought for: every change is a compare-and-set anyway."""
    kept = True
    while kept:
        await outside.clock.sleep(RENEW_EVERY)
        try:
            async with outside.db.transaction() as tx:
                kept = await run_rows.renew(tx, run.id, outside.worker_id, outside.clock.now() + CLAIM)
        except Unavailable as error:
            log.warning("lease not renewed", run_id=str(run.id), code=error.stable_code, reason=error.message)
