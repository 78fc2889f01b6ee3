"""What becomes of a waiting run: what each answer does, and what happens when nobody answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from stagewright.contexts.runs.model import WaitKind
from stagewright.contexts.runs.rules.budget import Choice
from stagewright.contexts.runs.rules.talking import ATTEMPTS, DISCUSSION, REPORT

ABANDONED_AFTER = timedelta(days=30)
CREDENTIAL = "credential"
Group = Literal["tool", "review", "back_pressure"]
End = Literal["run_resumes", "run_fails", "run_is_cancelled", "run_succeeds"]
GROUPS: Mapping[WaitKind, Group] = {
    WaitKind.APPROVAL: "tool",
    WaitKind.QUESTION: "tool",
    WaitKind.OWNER_REVIEW: "review",
    WaitKind.RATE_LIMIT: "back_pressure",
    WaitKind.BUDGET: "back_pressure",
}
"""How screens group waits by who is asked: a person by a tool, a reviewer, nobody."""

ANSWERS: Mapping[WaitKind, tuple[tuple[str, str], ...]] = {
    WaitKind.APPROVAL: (("approve", "run_resumes"), ("deny", "run_fails")),
    WaitKind.OWNER_REVIEW: (
        ("approve", "result_is_published"),
        ("ask_for_changes", "run_resumes"),
        ("refuse", "run_fails"),
    ),
    WaitKind.RATE_LIMIT: (("retry", "run_resumes"),),
}
"""Only what a door takes today: a kind without answers is left by a cancel, and its comment says so."""

PARKED = frozenset({WaitKind.APPROVAL, WaitKind.OWNER_REVIEW})
"""Waits whose deadline changes nothing but a mark: a person renews the request or gives it up."""

TARGETS: Mapping[str, tuple[tuple[str, str], ...]] = {
    CREDENTIAL: (("replace_credential", "run_resumes"),),
    REPORT: (("answer", "run_resumes"),),
    DISCUSSION: (("comment", "run_resumes"),),
    ATTEMPTS: (
        (Choice.EXTEND_25.value, "run_resumes"),
        (Choice.EXTEND_100.value, "run_resumes"),
        (Choice.FINISH.value, "run_succeeds"),
        (Choice.STOP.value, "run_fails"),
    ),
}
"""What is waited for says more than the kind where it has answers of its own."""


@dataclass(frozen=True, slots=True)
class Consequence:
    """What happens at ``at`` when nobody does anything; ``code`` is the wait's or the run's then."""

    effect: End
    code: str
    at: datetime


def what_answers_do(kind: WaitKind, target_kind: str) -> tuple[tuple[str, str], ...]:
    """Return the answers a wait can be given now, each with its effect."""
    return TARGETS.get(target_kind) or ANSWERS.get(kind, ())


def what_nothing_does(
    kind: WaitKind,
    target_kind: str,
    *,
    deadline_at: datetime | None,
    resume_at: datetime | None,
    waiting_since: datetime,
) -> Consequence:
    """Return what follows if nobody answers, and when: the first of all that would."""
    found = [Consequence("run_is_cancelled", "wait_abandoned", waiting_since + ABANDONED_AFTER)]
    if deadline_at is not None and kind not in PARKED:
        found.append(_at_deadline(kind, target_kind, deadline_at))
    if kind is WaitKind.RATE_LIMIT and resume_at is not None:
        found.append(Consequence("run_resumes", "limit_cleared", resume_at))
    return min(found, key=lambda item: item.at)


def _at_deadline(kind: WaitKind, target_kind: str, at: datetime) -> Consequence:
    if target_kind == CREDENTIAL:
        return Consequence("run_fails", "agent_not_configured", at)
    if target_kind == DISCUSSION:
        return Consequence("run_succeeds", "discussion_idle", at)
    match kind:
        case WaitKind.RATE_LIMIT:
            return Consequence("run_fails", "rate_limit_exhausted", at)
        case WaitKind.BUDGET:
            return Consequence("run_fails", "budget_unanswered", at)
        case _:
            return Consequence("run_resumes", "expired", at)
