"""What choices at a wait for budget add."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from stagewright.contexts.runs.model import RunId, Wait, WaitId, WaitKind
from stagewright.contexts.runs.rules.budget import added_by, attempts_allowed

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def a_wait(resolution: str | None, kind: WaitKind = WaitKind.BUDGET, target: str = "attempts") -> Wait:
    return Wait(
        id=WaitId(uuid4()),
        run_id=RunId(uuid4()),
        attempt_id=None,
        kind=kind,
        target_kind=target,
        target_id="it",
        opened_at=NOW,
        who_can_act="budget.manage",
        deadline_at=None,
        resume_at=None,
        mark=None,
        status="open" if resolution is None else "resolved",
        resolution=resolution,
        resolution_text=None,
        resolved_by=None,
        resolved_at=None,
    )


@pytest.mark.parametrize(
    ("choice", "limit", "more"),
    [
        ("extend_25", 30, 8),
        ("extend_25", 1, 1),
        ("extend_100", 30, 30),
        ("finish", 30, 0),
        ("stop", 30, 0),
        ("expired", 30, 0),
        (None, 30, 0),
    ],
)
def test_a_choice_adds_its_share_of_the_limit_rounded_up(choice: str | None, limit: int, more: int) -> None:
    assert added_by(choice, limit) == more


def test_every_extension_counts_and_no_other_wait_does() -> None:
    granted = [a_wait("extend_25"), a_wait("extend_100"), a_wait(None), a_wait("expired")]
    others = [a_wait("extend_100", WaitKind.QUESTION), a_wait("extend_100", target="run")]
    assert attempts_allowed(4, []) == 4
    assert attempts_allowed(4, [*granted, *others]) == 9
