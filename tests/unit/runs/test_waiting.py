"""What becomes of a waiting run: every kind of wait has its answers and an end without one."""

from datetime import UTC, datetime, timedelta

import pytest

from stagewright.contexts.runs.model import WaitKind
from stagewright.contexts.runs.rules.waiting import GROUPS, Consequence, what_answers_do, what_nothing_does

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
DEADLINE, LIMIT, LATE = (SINCE + timedelta(days=days) for days in (7, 1, 30))

TABLE = [
    (WaitKind.APPROVAL, "request", None, None, Consequence("run_is_cancelled", "wait_abandoned", LATE)),
    (WaitKind.OWNER_REVIEW, "tree", None, None, Consequence("run_is_cancelled", "wait_abandoned", LATE)),
    (WaitKind.APPROVAL, "run.start", DEADLINE, None, Consequence("run_is_cancelled", "wait_abandoned", LATE)),
    (WaitKind.QUESTION, "report", DEADLINE, None, Consequence("run_resumes", "expired", DEADLINE)),
    (WaitKind.QUESTION, "discussion", DEADLINE, None, Consequence("run_succeeds", "discussion_idle", DEADLINE)),
    (WaitKind.QUESTION, "credential", DEADLINE, None, Consequence("run_fails", "agent_not_configured", DEADLINE)),
    (WaitKind.BUDGET, "run", DEADLINE, None, Consequence("run_fails", "budget_unanswered", DEADLINE)),
    (WaitKind.RATE_LIMIT, "provider", DEADLINE, LIMIT, Consequence("run_resumes", "limit_cleared", LIMIT)),
    (WaitKind.RATE_LIMIT, "provider", LIMIT, DEADLINE, Consequence("run_fails", "rate_limit_exhausted", LIMIT)),
]


@pytest.mark.parametrize(("kind", "target", "deadline", "resume", "expected"), TABLE)
def test_what_follows_when_nobody_answers(
    kind: WaitKind, target: str, deadline: datetime | None, resume: datetime | None, expected: Consequence
) -> None:
    found = what_nothing_does(kind, target, deadline_at=deadline, resume_at=resume, waiting_since=SINCE)
    assert found == expected


@pytest.mark.parametrize("kind", list(WaitKind))
def test_every_kind_has_a_group_and_lists_only_answers_that_a_door_takes(kind: WaitKind) -> None:
    assert kind in GROUPS
    answers = {
        WaitKind.RATE_LIMIT: ["retry"],
        WaitKind.APPROVAL: ["approve", "deny"],
        WaitKind.OWNER_REVIEW: ["approve", "ask_for_changes", "refuse"],
    }
    assert [answer for answer, _ in what_answers_do(kind, "any")] == answers.get(kind, [])
    assert what_answers_do(kind, "credential") == (("replace_credential", "run_resumes"),)


def test_a_wait_for_more_attempts_takes_four_choices() -> None:
    assert what_answers_do(WaitKind.BUDGET, "attempts") == (
        ("extend_25", "run_resumes"),
        ("extend_100", "run_resumes"),
        ("finish", "run_succeeds"),
        ("stop", "run_fails"),
    )
