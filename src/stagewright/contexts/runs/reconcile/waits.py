"""Open buckets and close waits whose time has come, and let the runs that waited go on."""

from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.usecases import answers, limits, relay, talk, waits

BATCH = 50


async def settle_waits(outside: Outside) -> int:
    """One pass over due waits and over runs that wait for nothing any more."""
    now = outside.clock.now()
    async with outside.db.transaction() as tx:
        await limits.open_buckets(tx, now=now)
    async with outside.db.transaction() as tx:
        closed = await waits.close_due(tx, now=now, limit=BATCH)
    async with outside.db.transaction() as tx:
        closed += await relay.close_credential_waits(tx, now=now, limit=BATCH)
    async with outside.db.transaction() as tx:
        closed += await answers.settle_requests(tx, now=now, limit=BATCH)
    async with outside.db.transaction() as tx:
        closed += await talk.resume_batches(tx, now=now, limit=BATCH)
    async with outside.db.transaction() as tx:
        resumed = await waits.resume_ready(tx, now=now, limit=BATCH)
    return max(closed, resumed)
