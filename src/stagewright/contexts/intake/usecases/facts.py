"""What a delivery says, in the words the workflow decides about."""

from datetime import datetime
from typing import Any

from stagewright.contexts.intake.model import ParsedDelivery
from stagewright.contexts.workflow import api as workflow

LABEL_ACTIONS = frozenset({"labeled", "unlabeled"})
PUSH = "push"
REVIEW, COMMENT = "pull_request_review", "issue_comment"
ENDS = {"issues": frozenset({"closed", "deleted", "transferred"}), "pull_request": frozenset({"closed"})}


def thread_fact(parsed: ParsedDelivery, received_at: datetime) -> workflow.ThreadFact | None:
    """Return what happened to a thread, if the matrix has a row for it that looks at the thread; None for the rest."""
    if parsed.thread is None or parsed.event not in (REVIEW, COMMENT, *ENDS):
        return None
    common: dict[str, Any] = {
        "event": parsed.event,
        "action": parsed.action or "",
        "thread": parsed.thread,
        "is_pull_request": parsed.is_pull_request,
        "sender": workflow.Sender(parsed.sender_type, parsed.sender_login, parsed.sender_id),
        "occurred_at": parsed.occurred_at or received_at,
    }
    if parsed.event == REVIEW:
        return workflow.ReviewEvent(**common, state=parsed.review_state or "")
    if parsed.event == COMMENT:
        return _comment(parsed, common)
    if parsed.action in LABEL_ACTIONS and parsed.label is not None:
        return workflow.LabelEvent(**common, label=parsed.label)
    return workflow.EndEvent(**common) if parsed.action in ENDS[parsed.event] else None


def _comment(parsed: ParsedDelivery, common: dict[str, Any]) -> workflow.CommentEvent | None:
    """Return a new comment; of another one the matrix says the same whatever the thread."""
    if parsed.action != "created" or parsed.comment_id is None:
        return None
    return workflow.CommentEvent(**common, comment_id=parsed.comment_id, body=parsed.comment_body or "")


def other_fact(parsed: ParsedDelivery, forge_repository_id: int | None) -> workflow.OtherEvent | workflow.PushEvent:
    """Return anything else; ``forge_repository_id`` is the number of the repository whose address it came to."""
    if parsed.event == PUSH:
        return workflow.PushEvent(
            ref=parsed.ref or "",
            after=parsed.after or "",
            deleted=parsed.deleted,
            sender=workflow.Sender(parsed.sender_type, parsed.sender_login, parsed.sender_id),
            repository_named_ok=forge_repository_id is None
            or parsed.forge_repository_id in (None, forge_repository_id),
        )
    return workflow.OtherEvent(
        event=parsed.event,
        action=parsed.action,
        repository_named_ok=forge_repository_id is None or parsed.forge_repository_id in (None, forge_repository_id),
        names_repository=parsed.forge_repository_id is not None,
    )
