"""Requests that nobody decides: their run ended, a person cancels or renews them, or their time is over."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.approvals import store
from stagewright.contexts.approvals.errors import ApprovalNotExpired, DeniedByPolicy
from stagewright.contexts.approvals.events import ApprovalLapsed, ApprovalRequested
from stagewright.contexts.approvals.model import ApprovalLevel, Circumstances, Request, RequestState
from stagewright.contexts.approvals.rules.actions import needs_typing, policy_version
from stagewright.contexts.approvals.rules.transitions import already_resolved
from stagewright.contexts.approvals.usecases import matrix, moving
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Tx
from stagewright.kit.ids import uuid7

RUN_ENDED = "run_ended"
BY_PERSON = "cancelled_by_person"
COPIED = (
    "project_id",
    "repository_id",
    "run_id",
    "attempt_id",
    "action",
    "run_kind",
    "run_role",
    "run_mode",
    "env",
    "body",
    "action_hash",
    "display",
    "display_hash",
    "target_name",
    "initiator_id",
)


async def cancel_of_run(tx: Tx, run_id: UUID, *, now: datetime) -> None:
    """The run ended: nothing of it is decided or executed any more."""
    for request in await store.lock_open_of_run(tx, run_id):
        await moving.move(tx, request, RequestState.CANCELLED, now=now, reason_code=RUN_ENDED)


async def close_of_run(tx: Tx, run_id: UUID, *, succeeded: bool, now: datetime) -> None:
    """The run is over: what was being executed is applied or failed with it, the rest is cancelled."""
    await cancel_of_run(tx, run_id, now=now)
    for request in await store.lock_applying_of_run(tx, run_id):
        to = RequestState.APPLIED if succeeded else RequestState.FAILED
        await moving.move(tx, request, to, now=now, result={"run": "succeeded" if succeeded else "ended"})


async def expire_due(tx: Tx, *, now: datetime, limit: int) -> int:
    """Expire requests that nobody decided in time."""
    due = await store.claim_due(tx, now=now, limit=limit)
    for request in due:
        await moving.move(tx, request, RequestState.EXPIRED, now=now)
    return len(due)


async def cancel(tx: Tx, request_id: UUID, *, reason: str | None, now: datetime) -> Request:
    """A person gives up a request that waits or whose time is over; who waits for it is told."""
    request = await store.lock(tx, request_id)
    if request.state is RequestState.EXPIRED and request.reason_code is None:
        saved = await store.save(tx, replace(request, reason_code=BY_PERSON, reason=reason))
        tx.publish(ApprovalLapsed(request=saved))
        return saved
    return await moving.move(tx, request, RequestState.CANCELLED, now=now, reason_code=BY_PERSON, reason=reason)


async def renew(tx: Tx, request_id: UUID, *, now: datetime) -> Request:
    """Ask again for what was not decided in time: the same bytes, a fresh policy check, a new term."""
    old = await store.lock(tx, request_id)
    if old.state in (RequestState.REQUESTED, RequestState.APPROVED):
        raise ApprovalNotExpired("this request can still be decided: only one whose time is over is renewed")
    if old.state is not RequestState.EXPIRED or old.reason_code is not None:
        raise already_resolved(old)
    if old.repository_id is None:
        policy = workflow.builtin_policy()
    else:
        policy = await workflow.policy_in_force(tx, old.repository_id)
    row = matrix.row_for(policy, old.action, Circumstances(old.run_kind, old.run_role, old.run_mode, old.env))
    if row is None or row.approval == ApprovalLevel.NONE:
        raise DeniedByPolicy("the policy in force asks nobody to approve this: cancel the request")
    values = {name: getattr(old, name) for name in COPIED}
    renewed = await store.insert(
        tx,
        {
            **values,
            "id": uuid7(),
            "row_id": row.id,
            "policy_version": policy_version(row),
            "level": row.approval,
            "self_approval": row.self_approval,
            "typed_confirm": needs_typing(row, old.action),
            "grantable": row.grantable,
            "on_expiry": row.on_expiry,
            "execute_within": row.execute_within,
            "opened_at": now,
            "expires_at": now + timedelta(seconds=row.expires_in),
            "renews": old.id,
        },
    )
    if renewed is None:
        raise already_resolved(old)
    tx.publish(ApprovalRequested(request=renewed))
    return renewed
