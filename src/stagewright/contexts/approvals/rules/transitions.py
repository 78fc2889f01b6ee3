"""The table of moves of a request (specification: tools, section 7.2)."""

from stagewright.contexts.approvals.errors import AlreadyResolved
from stagewright.contexts.approvals.model import Request, RequestState

S = RequestState

MOVES: dict[RequestState, frozenset[RequestState]] = {
    S.REQUESTED: frozenset({S.APPROVED, S.DENIED, S.ANSWERED, S.CANCELLED, S.EXPIRED, S.VOID}),
    S.APPROVED: frozenset({S.CANCELLED, S.APPLYING, S.VOID}),
    S.APPLYING: frozenset({S.APPLIED, S.FAILED, S.UNKNOWN}),
    S.UNKNOWN: frozenset({S.APPLIED, S.FAILED, S.APPLYING}),
    S.QUEUED: frozenset({S.DELIVERED, S.UNDELIVERABLE}),
}
TERMINAL = frozenset(S) - MOVES.keys()
OPEN = frozenset({S.REQUESTED, S.APPROVED, S.APPLYING, S.UNKNOWN})
"""States in which an equal action of the same run joins the request instead of opening another."""


def check_move(request: Request, to: RequestState) -> None:
    """Raise ``AlreadyResolved`` with the present state for an event that does not fit."""
    if to not in MOVES.get(request.state, frozenset()):
        raise already_resolved(request)


def already_resolved(request: Request) -> AlreadyResolved:
    """Return the answer to whoever comes after the fact."""
    return AlreadyResolved(f"this request is {request.state} already: read it again", state=request.state.value)
