"""What becomes of a link when its pull request changes (specification: workflow 7.3, runs 9)."""

from dataclasses import dataclass
from datetime import datetime

OPEN_STATES = frozenset({"in_review", "approved"})


@dataclass(frozen=True, slots=True)
class PullRequestFacts:
    """What is known of a pull request now. ``None``: the source does not say, so the link keeps what it has.

    ``approved``: its latest review by a permitted person approves; ``merged_at`` is the forge's time.
    """

    open: bool
    merged: bool
    head_sha: str | None = None
    approved: bool | None = None
    merged_at: datetime | None = None


def state_after(state: str, facts: PullRequestFacts) -> str:
    """Return the link's state. Merged is final; a superseded link leaves its state only by a merge."""
    if facts.merged or state == "merged":
        return "merged"
    if state == "superseded":
        return state
    if not facts.open:
        return "closed"
    approved = state == "approved" if facts.approved is None else facts.approved
    return "approved" if approved else "in_review"
