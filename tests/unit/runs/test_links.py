"""What becomes of a link when its pull request changes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

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


@pytest.mark.parametrize(("seconds", "state"), [(-60, "in_review"), (-1, "approved"), (60, "approved")])
def test_an_approval_from_before_the_last_publication_is_of_an_older_result(seconds: int, state: str) -> None:
    published = datetime(2026, 5, 4, 12, tzinfo=UTC)
    given = replace(APPROVED, reviewed_at=published + timedelta(seconds=seconds))
    assert state_after("in_review", given, published_at=published) == state
    assert state_after("in_review", given) == "approved"
