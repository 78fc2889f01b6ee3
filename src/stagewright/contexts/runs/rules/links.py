"""What becomes of a link when its pull request changes (specification: workflow 7.3, runs 9)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

OPEN_STATES = frozenset({"in_review", "approved"})
CLOCK_SLACK = timedelta(seconds=2)
"""How far the forge's clock and ours may tell two acts apart."""


@dataclass(frozen=True, slots=True)
class PullRequestFacts:
    """What is known of a pull request now. ``None``: the source does not say, so the link keeps what it has.

    ``approved``: its latest review by a permitted person, given at ``reviewed_at``, approves. ``merged_at`` and
    ``reviewed_at`` are the forge's times.
    """

    open: bool
    merged: bool
    head_sha: str | None = None
    approved: bool | None = None
    merged_at: datetime | None = None
    reviewed_at: datetime | None = None


def state_after(state: str, facts: PullRequestFacts, *, published_at: datetime | None = None) -> str:
    """Return the link's state. Merged is final; a superseded link leaves its state only by a merge.

    An approval from before the platform published last (``published_at``) is of what the revise replaced.
    """
    if facts.merged or state == "merged":
        return "merged"
    if state == "superseded":
        return state
    if not facts.open:
        return "closed"
    approved = state == "approved" if facts.approved is None else facts.approved
    if published_at is not None and facts.reviewed_at is not None and facts.reviewed_at < published_at - CLOCK_SLACK:
        approved = False
    return "approved" if approved else "in_review"
