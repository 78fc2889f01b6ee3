"""Open a request: the action's bytes and hash, the row that decides, what the approver is shown."""

from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.approvals import store
from stagewright.contexts.approvals.events import ApprovalRequested
from stagewright.contexts.approvals.model import ApprovalLevel, ApproverKind, Request, RequestState, Wanted
from stagewright.contexts.approvals.rules.actions import action_body, hash_of, needs_typing, policy_version
from stagewright.contexts.approvals.usecases import capabilities, moving
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.crypto import MacSigner
from stagewright.kit.db import Tx
from stagewright.kit.ids import uuid7
from stagewright.kit.journal import canonical


async def open_request(
    tx: Tx,
    wanted: Wanted,
    row: workflow.ApprovalRow,
    *,
    signer: MacSigner,
    now: datetime,
    renews: UUID | None = None,
) -> Request:
    """Open the request, or join the run's open one of the same action. A row of approval ``none`` approves it."""
    action, where, body = wanted.action, wanted.circumstances, action_body(wanted.action)
    level = ApprovalLevel(row.approval)
    opened = await store.insert(
        tx,
        {
            "id": uuid7(),
            "project_id": action.project_id,
            "repository_id": action.repository_id,
            "run_id": action.run_id,
            "attempt_id": wanted.attempt_id,
            "action": action.name,
            "run_kind": where.kind,
            "run_role": where.role,
            "run_mode": where.mode,
            "env": where.env,
            "body": body,
            "action_hash": hash_of(body),
            "display": dict(wanted.display),
            "display_hash": hash_of(canonical(dict(wanted.display))),
            "target_name": wanted.target_name,
            "row_id": row.id,
            "policy_version": policy_version(row),
            "level": level.value,
            "self_approval": row.self_approval,
            "typed_confirm": needs_typing(row, action.name),
            "grantable": row.grantable,
            "on_expiry": row.on_expiry,
            "execute_within": row.execute_within,
            "initiator_id": wanted.initiator_id,
            "opened_at": now,
            "expires_at": now + timedelta(seconds=row.expires_in),
            "renews": renews,
        },
    )
    if opened is None:
        known = await store.lock_open(tx, action.run_id, action.name, hash_of(body))
        assert known is not None
        return known
    tx.publish(ApprovalRequested(request=opened))
    if level is not ApprovalLevel.NONE:
        return opened
    given = capabilities.granted(opened, signer, kind=ApproverKind.POLICY, approver_id=f"policy:{row.id}", now=now)
    return await moving.move(tx, opened, RequestState.APPROVED, now=now, **given)
