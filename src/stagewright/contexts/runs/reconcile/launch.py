"""Give every admitted run its workload: read live, reserve the attempt, then create. Each step can be repeated."""

from datetime import datetime, timedelta

import structlog

from stagewright.contexts.runs import events
from stagewright.contexts.runs.errors import LaunchRefused
from stagewright.contexts.runs.model import Attempt, AttemptStatus, Run, RunStatus
from stagewright.contexts.runs.ports import WorkloadSpec
from stagewright.contexts.runs.reconcile import claims, opening
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.reconcile.situation import read_situation
from stagewright.contexts.runs.reconcile.together import each
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import attempts, limits, moves, waits
from stagewright.kit.errors import Conflict, Invalid, NotFound, StagewrightError
from stagewright.kit.ids import short_id

log = structlog.get_logger(__name__)
BATCH = 4
PREPARE_LIMIT = timedelta(minutes=30)
POSTPONE = timedelta(seconds=5)
REVISE_REFUSED = frozenset({"pr_not_found", "branch_not_found", "pull_request_from_fork"})


async def launch_preparing(outside: Outside) -> int:
    """Launch every admitted run that is due. Safe to stop anywhere, and to run twice at once."""
    runs = await claims.claim(outside, "launch", limit=BATCH)
    await each(_launch_one(outside, run) for run in runs)
    return len(runs)


async def _launch_one(outside: Outside, run: Run) -> None:
    async with claims.held(outside, run):
        try:
            await _launch(outside, run)
        except LaunchRefused as refused:
            await _end(outside, run, refused.stable_code, refused.message)
        except NotFound as gone:
            await _end(outside, run, "source_unavailable", gone.message)
        except Invalid as wrong:  # what the launch is made of is wrong, and stays so until somebody mends it
            await _end(outside, run, wrong.stable_code.replace(".", "_"), wrong.message)
        except StagewrightError as error:
            await _not_now(outside, run, error)


async def _launch(outside: Outside, run: Run) -> None:
    async with outside.db.reading() as reader:
        attempt = await attempt_rows.find_open(reader, run.id)
        closed = await limits.blocked(reader, run.repository_id, now=outside.clock.now())
    if attempt is None:
        if closed is not None:
            await _wait_for_limit(outside, run, *closed)
            return
        attempt, run = await opening.reserve_attempt(outside, run, await read_situation(outside, run))
    if attempt is None or attempt.status is not AttemptStatus.RESERVED or attempt.generation != run.generation:
        return
    await _create(outside, run, attempt)


async def _create(outside: Outside, run: Run, attempt: Attempt) -> None:
    """Create the workload. A name or tree that is still in use is waited for; any other failure ends the attempt."""
    try:
        await outside.workloads.launch(workload_spec(outside, run, attempt))
    except Conflict:
        raise
    except StagewrightError as error:
        log.warning("launch failed", run_id=str(run.id), code=error.stable_code, reason=error.message)
        async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
            await attempts.settle_ended(
                tx, attempt.id, now=outside.clock.now(), outcome="launch_failed", detail=error.message
            )
        return
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        await attempts.mark_launching(tx, run, attempt, now=outside.clock.now())


def workload_spec(outside: Outside, run: Run, attempt: Attempt) -> WorkloadSpec:
    """Return what the workload gets; equal for every repetition."""
    return WorkloadSpec(
        name=attempt.workload_name,
        run_id=run.id,
        attempt_id=attempt.id,
        generation=attempt.generation,
        labels={
            "stagewright.dev/managed": "true",
            "stagewright.dev/run-id": str(run.id),
            "stagewright.dev/attempt-id": str(attempt.id),
            "stagewright.dev/generation": str(attempt.generation),
            "stagewright.dev/project-id": str(run.project_id),
            "stagewright.dev/lane": run.lane,
            "stagewright.dev/role": run.role,
            "stagewright.dev/component": "runner",
        },
        controlplane_url=outside.addresses.controlplane_url,
        tokens=outside.mint_tokens(run, attempt),
        deadline=attempt.deadline,
        run_dir_key=short_id(run.id),
    )


async def _end(outside: Outside, run: Run, code: str, detail: str) -> None:
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        current = await run_rows.lock(tx, run.id)
        if current.status is not RunStatus.PREPARING:
            return
        if code in REVISE_REFUSED:
            extra = {"branch": current.branch, "reason": code}
            tx.publish(events.RevisePullRequestNotFound(run=current, extra=extra))
        await moves.fail(tx, current, code, now=outside.clock.now(), detail=detail)


async def _not_now(outside: Outside, run: Run, error: StagewrightError) -> None:
    """A closed bucket lets the run wait; anything else is tried again until the time to prepare is over."""
    log.warning("launch postponed", run_id=str(run.id), code=error.stable_code, reason=error.message)
    now = outside.clock.now()
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        current = await run_rows.lock(tx, run.id)
        closed = await limits.note_refusal(tx, run.repository_id, "core", error, now=now)
        if current.status is not RunStatus.PREPARING:
            return
        if closed is not None and await attempt_rows.lock_open(tx, run.id) is None:
            await waits.wait_for_limit(tx, current, bucket=closed[0], resume_at=closed[1], now=now)
        elif now - current.status_since > PREPARE_LIMIT:
            await moves.fail(tx, current, "prepare_timeout", now=now, detail=error.message)
        else:
            await run_rows.postpone(tx, run.id, now + POSTPONE)


async def _wait_for_limit(outside: Outside, run: Run, bucket: str, until: datetime) -> None:
    now = outside.clock.now()
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        current = await run_rows.lock(tx, run.id)
        if current.status is RunStatus.PREPARING and await attempt_rows.lock_open(tx, run.id) is None:
            await waits.wait_for_limit(tx, current, bucket=bucket, resume_at=until, now=now)
