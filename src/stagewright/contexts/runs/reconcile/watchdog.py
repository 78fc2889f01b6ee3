"""Invariants nobody should ever see broken; what is wedged is driven again and an incident says so."""

from datetime import timedelta
from uuid import UUID

from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.runs import events
from stagewright.contexts.runs.model import RunStatus
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import effects as effect_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store import waits as wait_rows
from stagewright.contexts.runs.store import wedged as wedged_rows
from stagewright.contexts.runs.usecases import admission, cancel, moves, publishing, waits
from stagewright.kit.db import Tx

WORKER_DEAD = timedelta(seconds=60)
WORKER_FORGOTTEN = timedelta(days=1)
QUEUE_STALLED = timedelta(minutes=60)
ABANDONED = timedelta(days=30)
EFFECT_STUCK = timedelta(minutes=2)
BATCH = 100


async def beat(outside: Outside) -> int:
    """Say that this worker lives; mark workers that stopped saying so."""
    now = outside.clock.now()
    async with outside.db.transaction() as tx:
        await attempt_rows.worker_beat(tx, outside.worker_id, now)
        for worker in await attempt_rows.mark_missed_workers(tx, now=now, before=now - WORKER_DEAD):
            tx.publish(events.WorkerHeartbeatMissed(worker_id=worker))
        await attempt_rows.forget_workers(tx, now - WORKER_FORGOTTEN)
    return 0


async def watch_invariants(outside: Outside) -> int:
    """Look for wedged runs and cancel abandoned ones."""
    now = outside.clock.now()
    async with outside.db.reading() as reader:
        stalled = await admission.list_stalled(reader, before=now - QUEUE_STALLED, limit=BATCH)
        wedged = await wedged_rows.list_wedged(reader, now=now, limit=BATCH)
    for run in stalled:
        async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
            await _report(tx, outside, "run_queue_stalled", f"queued for over an hour: {run.admission_reason}", run.id)
    for run_id, what in wedged:
        async with outside.db.transaction() as tx:
            await _report(tx, outside, "run_wedged", what, run_id)
            await _drive_again(tx, run_id, what, outside)
    await _report_stuck_effects(outside)
    await _cancel_abandoned(outside)
    return 0


async def _report(tx: Tx, outside: Outside, code: str, message: str, run_id: UUID | None) -> None:
    await incidents.report(
        tx,
        level="error" if code == "run_wedged" else "warning",
        source="runs.watchdog",
        code=code,
        message=message,
        run_id=run_id,
        now=outside.clock.now(),
    )


async def _drive_again(tx: Tx, run_id: UUID, what: str, outside: Outside) -> None:
    run = await run_rows.lock(tx, run_id)
    now = outside.clock.now()
    match what:
        case wedged_rows.CANCELLING_WITHOUT_ATTEMPT:
            await cancel.settle_cancelling(tx, run.id, now=now)
        case wedged_rows.RUNNING_WITHOUT_ATTEMPT if run.status is RunStatus.RUNNING:
            await moves.fail(tx, run, "workload_lost", now=now, detail=what)
        case wedged_rows.FINISHING_TOO_LONG:
            await publishing.fail_publishing(tx, run.id, "finish_timeout", now=now, detail=what)
        case wedged_rows.WAITING_FOR_NOTHING:
            await waits.resume(tx, run.id, now=now)
        case wedged_rows.TERMINAL_WITH_WAITS if run.status.terminal:
            await moves.close_waits(tx, run, now=now, by="system")
        case wedged_rows.TERMINAL_WITH_ATTEMPT if run.status.terminal:
            await moves.request_stop(tx, run, "superseded", now=now)
        case _:
            return


async def _report_stuck_effects(outside: Outside) -> None:
    """An act without an answer for two minutes says that nobody settles leases any more."""
    now = outside.clock.now()
    async with outside.db.reading() as reader:
        stuck = await effect_rows.list_stuck(reader, now - EFFECT_STUCK)
    for effect in stuck:
        async with outside.db.transaction(correlation_id=effect.correlation_id) as tx:
            await _report(tx, outside, "effect_stuck", f"{effect.kind} has been submitted for long", effect.run_id)


async def _cancel_abandoned(outside: Outside) -> None:
    now = outside.clock.now()
    async with outside.db.transaction() as tx:
        for run_id in await wait_rows.claim_abandoned(tx, before=now - ABANDONED, limit=BATCH):
            await cancel.cancel_run(tx, run_id, cause="wait_abandoned", clock=outside.clock)
