"""Facts of requests (specification: tools, section 12). Every one is a move and carries the request's frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from stagewright.contexts.approvals.model import Request, RequestState
from stagewright.contexts.approvals.rules.frames import approval_frame
from stagewright.kit.journal import Event


@dataclass(frozen=True, kw_only=True)
class ApprovalMoved(Event):
    """A move of one request; the body is its frame after it."""

    topic: ClassVar[str] = "approvals"

    request: Request

    def __post_init__(self) -> None:
        object.__setattr__(self, "project_id", self.request.project_id)
        object.__setattr__(self, "run_id", self.request.run_id)

    @property
    def stream(self) -> str:
        return f"approval:{self.request.id}"

    def body(self) -> Mapping[str, Any]:
        return {"v": 1, **approval_frame(self.request)}


class ApprovalRequested(ApprovalMoved):
    kind = "approval.requested"


class ApprovalDecided(ApprovalMoved):
    """Approved or denied, by a person, a grant or the policy's row itself."""

    kind = "approval.decided"


class ApprovalApplying(ApprovalMoved):
    kind = "approval.applying"


class ApprovalApplied(ApprovalMoved):
    kind = "approval.applied"


class ApprovalFailed(ApprovalMoved):
    kind = "approval.failed"


class ApprovalUnknown(ApprovalMoved):
    kind = "approval.unknown"


class ApprovalLapsed(ApprovalMoved):
    """The time to decide is over."""

    kind = "approval.expired"


class ApprovalVoid(ApprovalMoved):
    kind = "approval.void"


class ApprovalCancelled(ApprovalMoved):
    kind = "approval.cancelled"


MOVED: Mapping[RequestState, type[ApprovalMoved]] = {
    RequestState.REQUESTED: ApprovalRequested,
    RequestState.APPROVED: ApprovalDecided,
    RequestState.DENIED: ApprovalDecided,
    RequestState.APPLYING: ApprovalApplying,
    RequestState.APPLIED: ApprovalApplied,
    RequestState.FAILED: ApprovalFailed,
    RequestState.UNKNOWN: ApprovalUnknown,
    RequestState.EXPIRED: ApprovalLapsed,
    RequestState.VOID: ApprovalVoid,
    RequestState.CANCELLED: ApprovalCancelled,
}
