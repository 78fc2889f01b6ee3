"""Close waits whose time has come, and let runs go on whose last wait closed."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from stagewright.contexts.runs import events
from stagewright.contexts.runs.model import Run, RunStatus, Wait, WaitKind
from stagewright.contexts.runs.rules.talking import ATTEMPTS, DISCUSSION
from stagewright.contexts.runs.rules.waiting import PARKED
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store import waits as wait_rows
from stagewright.contexts.runs.usecases import moves, talk
from stagewright.kit.db import Tx

REASONS = {
    WaitKind.RATE_LIMIT: "limit_cleared",
    WaitKind.BUDGET: "budget_granted",
    WaitKind.OWNER_REVIEW: "review_feedback",
}
COMMENTS = "comments"
CHANGES_ASKED = "needs_information"
EXPIRY_CODES = {WaitKind.RATE_LIMIT: "rate_limit_exhausted", WaitKind.BUDGET: "budget_unanswered"}


async def close_due(tx: Tx, *, now: datetime, limit: int = 50) -> int:
    """Expire waits at their deadline; resolve those for a limit that is over. An approval nobody gave stays open.

    The run's row is locked before its waits, as everywhere: a cancel that comes meanwhile waits, or is passed over.
    """
    due = await wait_rows.claim_due(tx, now=now, limit=limit)
    for wait in due:
        if _is_over(wait, now):
            await wait_rows.close(
                tx, wait.id, status="resolved", resolution="limit_cleared", text=None, by="system", now=now
            )
            continue
        if wait.kind in PARKED:
            await wait_rows.mark_expired(tx, wait.id)
            continue
        await wait_rows.close(tx, wait.id, status="expired", resolution="expired", text=None, by="system", now=now)
        if wait.target_kind == DISCUSSION:
            await talk.end_idle(tx, wait, now=now)
            continue
        code = "agent_not_configured" if wait.target_kind == "credential" else EXPIRY_CODES.get(wait.kind)
        if code is not None:
            run = await run_rows.lock(tx, wait.run_id)
            if run.status is RunStatus.WAITING:
                await moves.fail(tx, run, code, now=now, detail=f"nothing changed until {wait.deadline_at}")
    return len(due)


def _is_over(wait: Wait, now: datetime) -> bool:
    """Say whether the limit waited for is over before the time to wait is."""
    if wait.kind is not WaitKind.RATE_LIMIT or wait.resume_at is None or wait.resume_at > now:
        return False
    return wait.deadline_at is None or wait.resume_at <= wait.deadline_at


async def resume_ready(tx: Tx, *, now: datetime, limit: int = 50) -> int:
    """Let every waiting run go on that has no open wait left."""
    ready = await wait_rows.claim_runs_with_all_closed(tx, limit=limit)
    for run_id in ready:
        await resume(tx, run_id, now=now)
    return len(ready)


async def resume(tx: Tx, run_id: UUID, *, now: datetime) -> None:
    """Let a waiting run go on: to publishing where it was held back there, else to its next attempt."""
    run = await run_rows.lock(tx, run_id)
    if run.status is not RunStatus.WAITING:
        return
    closed = [wait for wait in await wait_rows.list_of(tx, run_id) if wait.resolved_at is not None]
    last = max(closed, key=_resolved_at) if closed else None
    changes_asked = last is not None and last.kind is WaitKind.OWNER_REVIEW and last.resolution == CHANGES_ASKED
    finishing = run.finish_step is not None and not changes_asked
    reason = _reason(last)
    fresh = reason == COMMENTS
    limits = {"limit_seconds": await talk.next_limit(tx, run), "warned_at": None} if fresh else {}
    extra = {"waited_seconds": int((now - run.status_since).total_seconds())}
    await moves.move(
        tx,
        run,
        RunStatus.FINISHING if finishing else RunStatus.QUEUED,
        events.RunWaitResumed,
        now=now,
        resumed=not finishing,
        finish_step=run.finish_step if finishing else None,
        world=replace(run.world, attempt_reason=reason),
        extra=extra,
        **limits,
        waits=[wait for wait in closed if _resolved_at(wait) >= run.status_since],
    )


def _reason(last: Wait | None) -> str:
    """Return what the next attempt is opened for: what closed last."""
    if last is None:
        return "answer"
    return COMMENTS if last.target_kind in (DISCUSSION, ATTEMPTS) else REASONS.get(last.kind, "answer")


def _resolved_at(wait: Wait) -> datetime:
    return wait.resolved_at or wait.opened_at


async def wait_for_limit(tx: Tx, run: Run, *, bucket: str, resume_at: datetime, now: datetime) -> Run:
    """The run needs the provider now and may not ask: it waits and continues by itself."""
    await moves.open_wait(
        tx,
        run,
        WaitKind.RATE_LIMIT,
        target_kind="provider",
        target_id=bucket,
        who_can_act="nobody",
        now=now,
        resume_at=resume_at,
    )
    return await moves.pause(tx, run, now=now)
