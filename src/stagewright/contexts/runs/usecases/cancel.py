"""Cancel a run: written down at once, made true by the watch loop; never after its push was submitted."""

from datetime import datetime
from uuid import UUID

from stagewright.contexts.runs import events
from stagewright.contexts.runs.errors import RunPublishing
from stagewright.contexts.runs.model import Run, RunStatus
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import effects as effect_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import closing, moves
from stagewright.kit.clock import Clock
from stagewright.kit.db import Reader, Tx


async def cancel_run(tx: Tx, run_id: UUID, *, cause: str, clock: Clock, reason: str | None = None) -> tuple[Run, bool]:
    """Ask for the run's end, for a ``reason`` a person gave. Return it and whether it had ended already.

    Raises ``RunPublishing`` when the push was submitted: the result stays.
    """
    now = clock.now()
    run = await run_rows.lock(tx, run_id)
    if run.status.terminal:
        return run, True
    if run.status is RunStatus.CANCELLING:
        return run, False
    if run.finish_step is not None:
        # In this order: a worker that claims the push now is seen, or finds it superseded.
        await effect_rows.supersede_critical(tx, run.id, now)
        await refuse_after_push(tx, run)
    previous = run.status
    await moves.close_waits(tx, run, now=now, by=tx.actor.id)
    cancelling = await moves.move(
        tx,
        run,
        RunStatus.CANCELLING,
        events.RunCancelRequested,
        now=now,
        extra={"previous_status": previous.value, "cause": cause} | ({"reason": reason} if reason else {}),
    )
    attempt = await moves.request_stop(tx, cancelling, "cancelled", now=now)
    if attempt is None:
        return await finish_cancel(tx, cancelling, now=now), False
    return cancelling, False


async def refuse_after_push(reader: Reader, run: Run) -> None:
    """Raise ``RunPublishing`` when the run's push was submitted."""
    for effect in await effect_rows.list_of(reader, run.id):
        if effect.kind == "git.push" and effect.status.value in ("submitted", "unknown", "done"):
            raise RunPublishing(
                "the result is being published and cannot be called back; close the pull request instead"
            )


async def finish_cancel(tx: Tx, run: Run, *, now: datetime) -> Run:
    """The workload is gone: the run is cancelled."""
    cancelled = await moves.move(tx, run, RunStatus.CANCELLED, events.RunCanceled, now=now)
    await closing.close_run(tx, cancelled, now=now)
    return cancelled


async def settle_cancelling(tx: Tx, run_id: UUID, *, now: datetime, orphaned: bool = False) -> Run | None:
    """Finish the cancellation of a run whose attempt has ended, or give its workload up after five minutes."""
    run = await run_rows.lock(tx, run_id)
    if run.status is not RunStatus.CANCELLING:
        return None
    attempt = await attempt_rows.lock_open(tx, run.id)
    if attempt is not None:
        if not orphaned:
            return None
        await moves.end_attempt(tx, run, attempt, now=now, outcome="lost", code="workload_orphaned")
    return await finish_cancel(tx, run, now=now)
