"""Exactly one execution of an approved request (specification: tools, section 7.4), and how it ended."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from stagewright.contexts.approvals import store
from stagewright.contexts.approvals.model import ApproverKind, Request, RequestState
from stagewright.contexts.approvals.usecases import capabilities, matrix, moving
from stagewright.kit.crypto import MacSigner
from stagewright.kit.db import Reader, Tx


async def redeem(tx: Tx, request_id: UUID, action_hash: str, *, signer: MacSigner, now: datetime) -> Request:
    """Burn the capability for the action with ``action_hash``, recomputed from the bytes about to be executed.

    The answer is ``applying``, or ``void`` with the reason's code: then nothing is executed. A request that is
    neither approved nor void already is returned as it is.
    """
    request = await store.lock(tx, request_id)
    if request.state is not RequestState.APPROVED:
        return request
    problem = await _why_not(tx, request, action_hash, signer=signer, now=now)
    if problem is not None:
        return await moving.move(tx, request, RequestState.VOID, now=now, reason_code=problem)
    return await moving.move(tx, request, RequestState.APPLYING, now=now, nonce_used_at=now)


async def _why_not(
    reader: Reader, request: Request, action_hash: str, *, signer: MacSigner, now: datetime
) -> str | None:
    if not capabilities.is_genuine(request, signer):
        return "capability_forged"
    if action_hash != request.action_hash:
        return "action_changed"
    if request.not_after is None or now >= request.not_after:
        return "executed_too_late"
    if not await matrix.is_current(reader, request):
        return "policy_changed"
    if request.approver_kind is ApproverKind.USER:
        deciders = await matrix.list_deciders(reader, request.project_id, request.level)
        if request.approver_id not in {str(user) for user in deciders}:
            return "approver_not_eligible"
    return None


async def settle(
    tx: Tx, request_id: UUID, *, applied: bool, now: datetime, result: Mapping[str, Any] | None = None
) -> Request:
    """Write how the execution ended; only the executor knows. What is not being executed stays as it is."""
    request = await store.lock(tx, request_id)
    if request.state not in (RequestState.APPLYING, RequestState.UNKNOWN):
        return request
    to = RequestState.APPLIED if applied else RequestState.FAILED
    return await moving.move(tx, request, to, now=now, result=dict(result or {}))


async def make_void(tx: Tx, request_id: UUID, code: str, *, now: datetime) -> Request:
    """What the request is about has changed: nobody decides or executes it any more.

    One whose execution had begun, and did nothing yet, has failed.
    """
    request = await store.lock(tx, request_id)
    if request.state is RequestState.APPLYING:
        return await moving.move(tx, request, RequestState.FAILED, now=now, result={"code": code})
    if request.state not in (RequestState.REQUESTED, RequestState.APPROVED):
        return request
    return await moving.move(tx, request, RequestState.VOID, now=now, reason_code=code)
