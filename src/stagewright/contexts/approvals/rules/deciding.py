"""May this decision count, of this person, now? (specification: tools, section 7.3)"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from stagewright.contexts.approvals.errors import (
    ApprovalExpired,
    HashMismatch,
    ReasonMissing,
    SelfApproval,
    SoleApprover,
)
from stagewright.contexts.approvals.model import (
    NEEDS_INFORMATION,
    REFUSED,
    ApprovalLevel,
    Decision,
    Request,
    RequestState,
)
from stagewright.contexts.approvals.rules.transitions import already_resolved
from stagewright.contexts.identity.api import Permission
from stagewright.kit.consequences import Catalogue, Consequences

PERMISSIONS = {ApprovalLevel.OWNER: Permission.APPROVAL_DECIDE_OWNER}
LONGEST_REASON = 500
SAYS = Catalogue({"approval.executes": ("action", "name"), "approval.history_stays": ()})


def permission_for(level: ApprovalLevel) -> Permission:
    """Return the permission that decides requests of a level."""
    return PERMISSIONS.get(level, Permission.APPROVAL_DECIDE)


def check_decision(request: Request, decision: Decision, now: datetime) -> None:
    """Raise why the decision comes too late or is about something else."""
    if request.state is not RequestState.REQUESTED:
        raise already_resolved(request)
    if now >= request.expires_at:
        raise ApprovalExpired("the time to decide is over: renew the request, or cancel it")
    if decision.action_hash != request.action_hash:
        raise HashMismatch("the decision names another action than the request holds: read the request again")
    if not decision.approve and not (decision.reason or "").strip():
        raise ReasonMissing("say in `reason` why: it is kept, and the agent is told")


def check_self(request: Request, by: UUID, others: Collection[UUID], *, acknowledged: bool, sole_may: bool) -> bool:
    """Apply the rule about one's own runs; return whether the sole approver decides their own request.

    ``others`` may decide it besides ``by``. Where nobody else may, the single person of an embedded installation
    (``sole_may``) decides after saying that they know.
    """
    if request.self_approval or request.initiator_id != by:
        return False
    if others or not sole_may:
        raise SelfApproval("who started the run may not decide this: another project admin or the owner does")
    if not acknowledged:
        raise SoleApprover("nobody else may decide this: repeat it with `acknowledge_sole`, which the journal keeps")
    return True


def reason_code(decision: Decision) -> str | None:
    """Return what a refusal asks for; a plain one refuses."""
    if decision.approve:
        return None
    return NEEDS_INFORMATION if decision.reason_code == NEEDS_INFORMATION else REFUSED


def what_approving_does(request: Request) -> Consequences:
    """Return what the preview of an approval shows."""
    does = SAYS("approval.executes", action=request.action, name=request.target_name)
    return Consequences(stops=(does,), survives=(SAYS("approval.history_stays"),))
