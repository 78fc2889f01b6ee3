"""What other contexts may use of approvals."""

from stagewright.contexts.approvals.events import ApprovalMoved
from stagewright.contexts.approvals.model import (
    NEEDS_INFORMATION,
    REFUSED,
    Action,
    ApprovalLevel,
    Circumstances,
    Request,
    RequestId,
    RequestKind,
    RequestState,
    Wanted,
)
from stagewright.contexts.approvals.rules.actions import action_body, hash_of
from stagewright.contexts.approvals.rules.deciding import permission_for
from stagewright.contexts.approvals.store import find_newest, list_many, list_of_run
from stagewright.contexts.approvals.usecases.capabilities import PURPOSE
from stagewright.contexts.approvals.usecases.ending import BY_PERSON, cancel_of_run, close_of_run
from stagewright.contexts.approvals.usecases.executing import make_void, redeem, settle
from stagewright.contexts.approvals.usecases.matrix import row_for
from stagewright.contexts.approvals.usecases.opening import open_request

__all__ = [
    "BY_PERSON",
    "NEEDS_INFORMATION",
    "PURPOSE",
    "REFUSED",
    "Action",
    "ApprovalLevel",
    "ApprovalMoved",
    "Circumstances",
    "Request",
    "RequestId",
    "RequestKind",
    "RequestState",
    "Wanted",
    "action_body",
    "cancel_of_run",
    "close_of_run",
    "find_newest",
    "hash_of",
    "list_many",
    "list_of_run",
    "make_void",
    "open_request",
    "permission_for",
    "redeem",
    "row_for",
    "settle",
]
