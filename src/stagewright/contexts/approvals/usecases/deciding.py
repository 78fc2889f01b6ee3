"""Decide a request: one transaction under its row's lock (specification: tools, section 7.3)."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from stagewright.contexts.approvals import store
from stagewright.contexts.approvals.model import ApproverKind, Decision, Request, RequestState
from stagewright.contexts.approvals.rules import deciding as rules
from stagewright.contexts.approvals.usecases import capabilities, matrix, moving
from stagewright.kit.crypto import MacSigner
from stagewright.kit.db import Reader, Tx

POLICY_CHANGED = "policy_changed"
Own = Literal["no", "barred", "sole"]


async def decide(
    tx: Tx, request_id: UUID, decision: Decision, *, by: UUID, signer: MacSigner, sole_may: bool, now: datetime
) -> Request:
    """Write the decision of the active user ``by``, whose permission the door checked.

    A request whose row of the matrix changed meanwhile becomes void instead; the run may ask again.
    """
    request = await store.lock(tx, request_id)
    rules.check_decision(request, decision, now)
    others = [user for user in await matrix.list_deciders(tx, request.project_id, request.level) if user != by]
    sole = rules.check_self(request, by, others, acknowledged=decision.acknowledge_sole, sole_may=sole_may)
    if not await matrix.is_current(tx, request):
        return await moving.move(tx, request, RequestState.VOID, now=now, reason_code=POLICY_CHANGED)
    said = {
        "reason": (decision.reason or "").strip() or None,
        "reason_code": rules.reason_code(decision),
        "acknowledged_sole": sole,
    }
    if not decision.approve:
        whose = {"approver_kind": ApproverKind.USER, "approver_id": str(by), "decided_at": now}
        return await moving.move(tx, request, RequestState.DENIED, now=now, **whose, **said)
    given = capabilities.granted(request, signer, kind=ApproverKind.USER, approver_id=str(by), now=now)
    return await moving.move(tx, request, RequestState.APPROVED, now=now, **given, **said)


async def how_self(reader: Reader, request: Request, by: UUID, *, sole_may: bool) -> Own:
    """Return ``no`` unless ``by`` started the run and that matters: then ``barred``, or ``sole`` to acknowledge."""
    if request.self_approval or request.initiator_id != by:
        return "no"
    others = [user for user in await matrix.list_deciders(reader, request.project_id, request.level) if user != by]
    return "barred" if others or not sole_may else "sole"
