"""The part of a request that is equal for all readers: what an event carries and a screen shows."""

from datetime import UTC, datetime
from typing import Any

from stagewright.contexts.approvals.model import Request
from stagewright.contexts.approvals.rules.deciding import permission_for


def iso(value: datetime | None) -> str | None:
    """Return RFC 3339 in UTC with milliseconds."""
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def approval_frame(request: Request) -> dict[str, Any]:
    """Return the frame of ``request``; never its nonce, mac or bytes."""
    approver = {"kind": request.approver_kind.value, "id": request.approver_id} if request.approver_kind else None
    return {
        "id": str(request.id),
        "kind": request.kind.value,
        "project_id": str(request.project_id),
        "repository_id": str(request.repository_id) if request.repository_id else None,
        "run_id": str(request.run_id) if request.run_id else None,
        "attempt_id": str(request.attempt_id) if request.attempt_id else None,
        "action": request.action,
        "env": request.env,
        "target_name": request.target_name,
        "action_hash": request.action_hash,
        "state": request.state.value,
        "version": request.version,
        "row": request.row_id,
        "policy_version": request.policy_version,
        "level": request.level.value,
        "who_can_act": permission_for(request.level).value,
        "self_approval": request.self_approval,
        "typed_confirm": request.typed_confirm,
        "grantable": request.grantable,
        "on_expiry": request.on_expiry,
        "effect": dict(request.display["effect"]),
        "requester": dict(request.display["requester"]),
        "opened_at": iso(request.opened_at),
        "expires_at": iso(request.expires_at),
        "not_after": iso(request.not_after),
        "decided_at": iso(request.decided_at),
        "approver": approver,
        "reason": request.reason,
        "reason_code": request.reason_code,
        "acknowledged_sole": request.acknowledged_sole,
        "renews": str(request.renews) if request.renews else None,
        "settled_at": iso(request.settled_at),
    }
