"""What becomes of a link when its pull request changes."""

import pytest

from stagewright.contexts.runs.rules.links import PullRequestFacts, state_after

OPEN, CLOSED, MERGED = (PullRequestFacts(True, False), PullRequestFacts(False, False), PullRequestFacts(False, True))
APPROVED, NOT_APPROVED = PullRequestFacts(True, False, approved=True), PullRequestFacts(True, False, approved=False)
TABLE = {
    "in_review": ("in_review", "closed", "merged", "approved", "in_review"),
    "approved": ("approved", "closed", "merged", "approved", "in_review"),
    "closed": ("in_review", "closed", "merged", "approved", "in_review"),
    "merged": ("merged", "merged", "merged", "merged", "merged"),
    "superseded": ("superseded", "superseded", "merged", "superseded", "superseded"),
}


@pytest.mark.parametrize("state", sorted(TABLE))
def test_each_state_follows_what_is_known(state: str) -> None:
    known = (OPEN, CLOSED, MERGED, APPROVED, NOT_APPROVED)
    assert tuple(state_after(state, facts) for facts in known) == TABLE[state]
