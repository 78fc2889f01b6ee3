"""The capability of an approval: what was decided on, by whom, until when; signed, so that no row can be forged."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from stagewright.contexts.approvals.model import ApproverKind, Request
from stagewright.kit.crypto import BadSignature, MacSigner
from stagewright.kit.journal import canonical

PURPOSE = "approval-capability"
NONCE_BYTES = 16


def granted(
    request: Request, signer: MacSigner, *, kind: ApproverKind, approver_id: str, now: datetime
) -> Mapping[str, Any]:
    """Return what an approval writes into the row of ``request``."""
    given: dict[str, Any] = {
        "approver_kind": kind,
        "approver_id": approver_id,
        "decided_at": now,
        "not_after": now + timedelta(seconds=request.execute_within),
        "nonce": secrets.token_bytes(NONCE_BYTES),
    }
    payload = _payload(replace(request, **given))
    signed = signer.sign(payload)
    return {**given, "mac": signed[: -len(payload)]}


def is_genuine(request: Request, signer: MacSigner) -> bool:
    """Say whether the row's capability is as we signed it."""
    if request.mac is None or request.nonce is None:
        return False
    try:
        signer.verify(request.mac + _payload(request))
    except BadSignature:
        return False
    return True


def _payload(request: Request) -> bytes:
    kind = request.approver_kind
    return canonical(
        {
            "v": 1,
            "request": str(request.id),
            "run": str(request.run_id) if request.run_id else None,
            "action": request.action,
            "action_hash": request.action_hash,
            "approver": {"kind": kind.value if kind else None, "id": request.approver_id},
            "decided_at": _micros(request.decided_at),
            "policy_version": request.policy_version,
            "not_after": _micros(request.not_after),
            "nonce": (request.nonce or b"").hex(),
        }
    )


def _micros(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1_000_000)
