"""What decisions do to the runs that wait for them. A lower context never calls up: this looks at its rows."""

from datetime import datetime

from stagewright.contexts.approvals import api as approvals
from stagewright.contexts.runs.model import Run, RunStatus, Wait, WaitKind
from stagewright.contexts.runs.rules import asking
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store import waits as wait_rows
from stagewright.contexts.runs.usecases import moves
from stagewright.kit.db import Tx

State = approvals.RequestState
PASSED = frozenset({State.APPROVED, State.APPLYING, State.UNKNOWN, State.APPLIED, State.FAILED})
OURS = frozenset({asking.START, asking.PUBLISH})
REJECTED = "owner_rejected"


async def settle_requests(tx: Tx, *, now: datetime, limit: int = 50) -> int:
    """Close every wait whose request was decided, and end the runs that were refused. Return how many it looked at."""
    runs = await wait_rows.claim_answered(tx, limit=limit)
    for run_id in runs:
        waits = await wait_rows.list_open(tx, run_id)
        asked = {str(item.id): item for item in await approvals.list_of_run(tx, run_id)}
        newer = {str(item.renews): item for item in asked.values() if item.renews}
        for wait in waits:
            run = await run_rows.lock(tx, run_id)
            if wait.target_id in asked and run.status is RunStatus.WAITING:
                await _settle(tx, run, wait, asked[wait.target_id], newer.get(wait.target_id), now=now)
    return len(runs)


async def _settle(
    tx: Tx, run: Run, wait: Wait, request: approvals.Request, renewed: approvals.Request | None, *, now: datetime
) -> None:
    if request.state in PASSED:
        await _close(tx, wait, request, "approve", now=now)
    elif request.state is State.VOID:
        await _close(tx, wait, request, "void", now=now)
    elif request.state is State.EXPIRED and renewed is not None:
        await wait_rows.move_target(tx, wait.id, target_id=str(renewed.id), deadline_at=renewed.expires_at)
    elif _asks_changes(request, wait):
        await _close(tx, wait, request, approvals.NEEDS_INFORMATION, now=now)
    elif request.state is State.DENIED:
        await _close(tx, wait, request, "deny", now=now)
        await _reject(tx, run, request, request.reason or "an owner refused it", now=now)
    elif _given_up(request):
        await _close(tx, wait, request, "expired", now=now)
        await _reject(tx, run, request, request.reason or "nobody approved it", now=now)


def _asks_changes(request: approvals.Request, wait: Wait) -> bool:
    """A held result goes back to the agent; a start has nothing to change."""
    asks = request.state is State.DENIED and request.reason_code == approvals.NEEDS_INFORMATION
    return asks and wait.kind is WaitKind.OWNER_REVIEW


def _given_up(request: approvals.Request) -> bool:
    lapsed = request.state is State.EXPIRED and (request.reason_code is not None or request.on_expiry == "resume")
    return lapsed or request.state is State.CANCELLED


async def _close(tx: Tx, wait: Wait, request: approvals.Request, resolution: str, *, now: datetime) -> None:
    by = request.approver_id or "system"
    await wait_rows.close(tx, wait.id, status="resolved", resolution=resolution, text=request.reason, by=by, now=now)


async def _reject(tx: Tx, run: Run, request: approvals.Request, detail: str, *, now: datetime) -> None:
    """Without its approval a run does not start and publishes nothing; a tool's caller is told instead."""
    if request.action in OURS:
        await moves.fail(tx, run, REJECTED, now=now, detail=detail)
