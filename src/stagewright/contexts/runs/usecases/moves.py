"""The one way a run or an attempt changes status: compare-and-set, one event, same transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from stagewright.contexts.approvals import api as approvals
from stagewright.contexts.runs import events, views
from stagewright.contexts.runs.model import Attempt, AttemptStatus, FailureClass, Run, RunStatus, Wait, WaitId, WaitKind
from stagewright.contexts.runs.rules import transitions
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import effects as effect_rows
from stagewright.contexts.runs.store import logs as log_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store import waits as wait_rows
from stagewright.contexts.runs.usecases import closing
from stagewright.kit.db import Tx
from stagewright.kit.ids import uuid7

DETAIL_BYTES = 2048
MOST_WAITS = 10  # in one event, so that its body keeps to 16 KiB
NOTHING: Mapping[str, Any] = {}
WAIT_DEADLINES = {
    WaitKind.RATE_LIMIT: timedelta(hours=24),
    WaitKind.QUESTION: timedelta(days=7),
    WaitKind.BUDGET: timedelta(days=7),
}


def cut_detail(text: str | None) -> str | None:
    """Cut ``text`` to what the column holds, on a character border."""
    return None if text is None else text.encode()[:DETAIL_BYTES].decode(errors="ignore")


async def move(tx: Tx, run: Run, to: RunStatus, event: type[events.RunMoved], *, now: datetime, **changes: Any) -> Run:
    """Move ``run`` to ``to`` and journal ``event``. Keeps the active clock: it runs in ``running`` only."""
    extra, closed = changes.pop("extra", {}), changes.pop("waits", ())
    moved = await _write(tx, run, to, now=now, **changes)
    await tell(tx, event, moved, extra=extra, waits=closed)
    return moved


async def tell(
    tx: Tx, event: type[events.RunMoved], run: Run, *, extra: Mapping[str, Any] = NOTHING, waits: Sequence[Wait] = ()
) -> None:
    """Journal ``event`` of a run as it is now, with what its frame shows beside its row: call it after other writes."""
    wait, link = await views.find_beside(tx, run.id)
    told = event(run=run, wait=wait, link=link, extra=extra, waits=waits[-MOST_WAITS:])
    tx.publish(told, correlation_id=run.correlation_id)


async def _write(tx: Tx, run: Run, to: RunStatus, *, now: datetime, **changes: Any) -> Run:
    transitions.check_move(run.status, to)
    if run.status is RunStatus.RUNNING and to is not RunStatus.RUNNING:
        changes["active_seconds"] = transitions.active_seconds(run, now)
        changes["clock_started_at"] = None
    if to is RunStatus.RUNNING:
        changes["clock_started_at"] = now
        changes["started_at"] = run.started_at or now
    if to.terminal:
        changes["finished_at"] = now
    return await run_rows.save(tx, replace(run, status=to, status_since=now, **changes))


async def fail(tx: Tx, run: Run, code: str, *, now: datetime, detail: str | None = None) -> Run:
    """End the run as failed by ``code``: close its waits, ask its attempt to stop, move its labels."""
    failure: FailureClass = transitions.failure_class(code)
    failed = await _write(
        tx, run, RunStatus.FAILED, now=now, failure_class=failure, code=code, detail=cut_detail(detail)
    )
    await effect_rows.supersede_critical(tx, failed.id, now)
    await close_waits(tx, failed, now=now, by="system")
    await tell(tx, events.failed_event(failed), failed)
    await request_stop(tx, failed, "superseded", now=now)
    await closing.close_run(tx, failed, now=now)
    return failed


async def close_waits(tx: Tx, run: Run, *, now: datetime, by: str) -> None:
    """Cancel what the run still waits for, and what of it nobody has decided or executed."""
    await approvals.cancel_of_run(tx, run.id, now=now)
    for wait in await wait_rows.list_open(tx, run.id):
        await wait_rows.close(tx, wait.id, status="cancelled", resolution=None, text=None, by=by, now=now)


async def open_wait(
    tx: Tx,
    run: Run,
    kind: WaitKind,
    *,
    target_kind: str,
    target_id: str,
    who_can_act: str,
    now: datetime,
    attempt: Attempt | None = None,
    resume_at: datetime | None = None,
    deadline_at: datetime | None = None,
) -> Wait:
    """Open a wait of ``run`` (one per kind and target), until ``deadline_at`` or for the kind's own time.

    A limit that is met again before the run got on is waited for as one: the deadline counts all of it.
    """
    deadline = WAIT_DEADLINES.get(kind)
    if deadline is not None and kind is WaitKind.RATE_LIMIT:
        deadline = max(timedelta(0), deadline - await wait_rows.limit_waited(tx, run.id))
    return await wait_rows.open_wait(
        tx,
        {
            "id": WaitId(uuid7()),
            "run_id": run.id,
            "attempt_id": attempt.id if attempt else None,
            "kind": kind.value,
            "target_kind": target_kind,
            "target_id": target_id,
            "now": now,
            "who_can_act": who_can_act,
            "deadline_at": now + deadline if deadline_at is None and deadline is not None else deadline_at,
            "resume_at": resume_at,
        },
    )


async def pause(tx: Tx, run: Run, *, now: datetime) -> Run:
    """Let the run wait for what is open: no workload, no running clock."""
    opened = await wait_rows.list_open(tx, run.id)
    return await move(tx, run, RunStatus.WAITING, events.RunWaitPaused, now=now, waits=opened)


async def request_stop(tx: Tx, run: Run, reason: str, *, now: datetime) -> Attempt | None:
    """Ask the run's open attempt to stop; the watch loop sees to it."""
    attempt = await attempt_rows.lock_open(tx, run.id)
    if attempt is None or attempt.stop_requested_at is not None:
        return attempt
    return await attempt_rows.save(
        tx, replace(attempt, stop_reason=reason, stop_requested_at=now), was=attempt.status.value
    )


async def move_attempt(tx: Tx, attempt: Attempt, to: AttemptStatus, **changes: Any) -> Attempt:
    """Move ``attempt`` if it still is where it was read."""
    transitions.check_attempt_move(attempt.status, to)
    return await attempt_rows.save(tx, replace(attempt, status=to, **changes), was=attempt.status.value)


async def end_attempt(
    tx: Tx,
    run: Run,
    attempt: Attempt,
    *,
    now: datetime,
    outcome: str | None = None,
    code: str | None = None,
    detail: str | None = None,
) -> Attempt:
    """End the attempt and close its log streams with totals and digests; also after a crash."""
    await log_rows.close(tx, attempt.id, now)
    ended = await move_attempt(
        tx,
        attempt,
        AttemptStatus.ENDED,
        ended_at=now,
        outcome=attempt.outcome or outcome,
        code=attempt.code or code,
        detail=attempt.detail or cut_detail(detail),
    )
    tx.publish(events.AttemptEnded(run=run, attempt=ended))
    return ended
