"""Watch workloads: what is seen of them ends attempts, asks them to stop, and cleans up after them."""

from dataclasses import replace
from datetime import timedelta

from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.runs.model import Attempt, AttemptStatus, Run, RunStatus
from stagewright.contexts.runs.ports import Observed, WorkloadState
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.reconcile.together import each
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import logs as log_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import attempts, cancel

SUSPECT_AFTER = timedelta(seconds=90)
INCIDENT_AFTER = timedelta(minutes=10)
STOP_SUSPECT_AFTER = timedelta(minutes=30)
CONTACT_WITHIN = timedelta(minutes=3)
OUTCOME_WITHIN = timedelta(seconds=60)
ABSENT_GAP = timedelta(seconds=10)
GRACE = timedelta(seconds=30)
KILL_AFTER = timedelta(seconds=45)
ORPHAN_AFTER = timedelta(minutes=5)
STALL = timedelta(minutes=15)
TAIL_LINES = 500
AT_ONCE = 4


async def watch_attempts(outside: Outside) -> int:
    """Look at every open attempt's workload once."""
    async with outside.db.reading() as reader:
        open_attempts = await attempt_rows.list_open(reader)
    for first in range(0, len(open_attempts), AT_ONCE):
        await each(_watch_alone(outside, attempt) for attempt in open_attempts[first : first + AT_ONCE])
    return 0


async def _watch_alone(outside: Outside, attempt: Attempt) -> None:
    async with outside.db.exclusive(f"runs.watch:{attempt.id}") as mine:
        if mine:
            await _watch(outside, attempt)


async def _watch(outside: Outside, attempt: Attempt) -> None:
    async with outside.db.reading() as reader:
        attempt = await attempt_rows.get(reader, attempt.id)
        run = await run_rows.get(reader, attempt.run_id)
    if attempt.status is AttemptStatus.ENDED:
        return
    if attempt.status is AttemptStatus.RESERVED and run.status is RunStatus.PREPARING:
        return  # the launch loop goes on with it
    observed = await outside.workloads.observe(attempt.workload_name)
    await _look(outside, run, attempt, observed)


async def _look(outside: Outside, run: Run, attempt: Attempt, observed: Observed) -> None:
    match observed.state:
        case WorkloadState.FINISHED:
            await _finished(outside, run, attempt, observed)
        case WorkloadState.ABSENT:
            await _absent(outside, run, attempt)
        case _:
            await _alive(outside, run, attempt, observed)


async def _finished(outside: Outside, run: Run, attempt: Attempt, observed: Observed) -> None:
    now = outside.clock.now()
    if attempt.outcome is None and attempt.stop_requested_at is None:
        if attempt.status is not AttemptStatus.LIVE or observed.exit_code == 10:
            await _end(outside, attempt, "launch_failed", None, _no_contact(observed))
            return
        if attempt.exited_at is None:
            await _note(outside, attempt, exited_at=now)
            return
        if now - attempt.exited_at < OUTCOME_WITHIN and observed.exit_code == 0:
            return
        await _end(outside, attempt, "no_outcome", None, f"the runner ended with exit code {observed.exit_code}")
        return
    await _end(outside, attempt, "interrupted", None, None)


def _no_contact(observed: Observed) -> str:
    return f"the runner never asked for its assignment (exit code {observed.exit_code}). {observed.detail}".strip()


async def _absent(outside: Outside, run: Run, attempt: Attempt) -> None:
    now = outside.clock.now()
    if attempt.status is AttemptStatus.RESERVED and attempt.stop_requested_at is not None:
        await _end(outside, attempt, "interrupted", None, "stopped before its workload was created")
        return
    if attempt.absent_since is None:
        await _note(outside, attempt, absent_since=now)
        return
    if now - attempt.absent_since < ABSENT_GAP:
        return
    outcome = "interrupted" if attempt.stop_requested_at is not None else "lost"
    await _end(outside, attempt, outcome, None, "the workload is gone")


async def _alive(outside: Outside, run: Run, attempt: Attempt, observed: Observed) -> None:
    now = outside.clock.now()
    if attempt.stop_requested_at is not None:
        await _stop(outside, run, attempt)
        return
    if attempt.generation != run.generation or run.status.terminal:
        await _retire(outside, run, attempt)
        return
    if attempt.status is AttemptStatus.LAUNCHING and now - (attempt.launched_at or now) > CONTACT_WITHIN:
        await outside.workloads.delete(attempt.workload_name)
        await _end(outside, attempt, "launch_failed", None, "no_contact: the runner did not report within 3 minutes")
        return
    if attempt.status is AttemptStatus.LIVE:
        await _heartbeat(outside, run, attempt)


async def _retire(outside: Outside, run: Run, attempt: Attempt) -> None:
    """An attempt nobody needs any more may end by itself for a minute, then it is stopped."""
    since = run.status_since
    if outside.clock.now() - since < OUTCOME_WITHIN and run.status.terminal:
        return
    await _note(outside, attempt, stop_reason="superseded", stop_requested_at=outside.clock.now())


async def _stop(outside: Outside, run: Run, attempt: Attempt) -> None:
    now = outside.clock.now()
    asked = attempt.stop_requested_at or now
    if now - asked > KILL_AFTER:
        await outside.workloads.delete(attempt.workload_name)
    else:
        await outside.workloads.stop(attempt.workload_name, grace=GRACE)
    if run.status is RunStatus.CANCELLING and now - run.status_since > ORPHAN_AFTER:
        async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
            await cancel.settle_cancelling(tx, run.id, now=now, orphaned=True)


async def _heartbeat(outside: Outside, run: Run, attempt: Attempt) -> None:
    now = outside.clock.now()
    silent = now - (attempt.heartbeat_at or attempt.started_at or now)
    if silent > SUSPECT_AFTER and attempt.suspect_since is None:
        await _note(outside, attempt, suspect_since=now)
        return
    if attempt.suspect_since is not None and await _suspect(outside, run, attempt):
        return
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        locked = await run_rows.lock(tx, run.id)
        current = await attempt_rows.lock(tx, attempt.id)
        await attempts.tick_clock(tx, locked, current, now=now, stall=STALL)


async def _suspect(outside: Outside, run: Run, attempt: Attempt) -> bool:
    """Tell people about a silent attempt, and end it after half an hour; say whether it was ended."""
    now = outside.clock.now()
    since = now - (attempt.suspect_since or now)
    if since > STOP_SUSPECT_AFTER:
        await outside.workloads.delete(attempt.workload_name)
        await _end(outside, attempt, "lost", None, "no sign of life for 30 minutes")
        return True
    if since > INCIDENT_AFTER:
        async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
            await incidents.report(
                tx,
                level="warning",
                source="runs.watch",
                code="attempt_suspect",
                message="an attempt gives no sign of life although its workload exists",
                run_id=run.id,
                project_id=run.project_id,
                now=now,
            )
    return False


async def _note(outside: Outside, attempt: Attempt, **changes: object) -> None:
    async with outside.db.transaction() as tx:
        current = await attempt_rows.lock(tx, attempt.id)
        if current.status is attempt.status:
            await attempt_rows.save(tx, replace(current, **changes), was=current.status.value)  # type: ignore[arg-type]


async def _end(outside: Outside, attempt: Attempt, outcome: str, code: str | None, detail: str | None) -> None:
    """Keep the last container lines where the runner said nothing, end the attempt, then remove the workload."""
    now = outside.clock.now()
    if attempt.outcome is None:
        tail = await outside.workloads.tail(attempt.workload_name, TAIL_LINES)
        if tail:
            async with outside.db.transaction() as tx:
                text = outside.redact(tail).encode()
                await log_rows.append(tx, attempt.id, [("platform", now, text)])
    async with outside.db.transaction() as tx:
        await attempts.settle_ended(tx, attempt.id, now=now, outcome=outcome, code=code, detail=detail)
    await outside.workloads.delete(attempt.workload_name)


async def sweep_workloads(outside: Outside) -> int:
    """Delete workloads whose attempt has ended or never existed here."""
    names = await outside.workloads.list_names()  # first: an attempt is written before its workload exists
    async with outside.db.reading() as reader:
        open_names = {attempt.workload_name for attempt in await attempt_rows.list_open(reader)}
    left = [name for name in names if name not in open_names]
    await each(outside.workloads.delete(name) for name in left)
    return len(left)
