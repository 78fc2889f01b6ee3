"""Leases on runs: one worker at a time works on a run; a stale lease is seen, freed and journalled."""

from collections.abc import Sequence

from stagewright.contexts.runs import events
from stagewright.contexts.runs.model import Run, RunStatus
from stagewright.contexts.runs.reconcile.outside import CLAIM, Outside
from stagewright.contexts.runs.rules.frames import iso
from stagewright.contexts.runs.store import runs as run_rows


async def claim(outside: Outside, statuses: Sequence[RunStatus], *, limit: int) -> list[Run]:
    """Lease due runs in ``statuses``; free what dead or stuck workers hold first."""
    now = outside.clock.now()
    async with outside.db.transaction() as tx:
        for run, owner, until in await run_rows.free_stale_claims(tx, worker=outside.worker_id, now=now, limit=limit):
            body = {"worker_id": outside.worker_id, "previous_owner": owner, "previous_until": iso(until)}
            for event in (events.LeaseStale, events.LeaseReleased, events.ReclaimedAfterStaleLease):
                tx.publish(event(run=run, extra=body), correlation_id=run.correlation_id)
        return await run_rows.claim(
            tx,
            [status.value for status in statuses],
            worker=outside.worker_id,
            now=now,
            until=now + CLAIM,
            limit=limit,
        )


async def release(outside: Outside, run: Run) -> None:
    """Give the lease back."""
    async with outside.db.transaction() as tx:
        await run_rows.release(tx, run.id, outside.worker_id)
