"""Every pair of statuses: what the table lists may happen, everything else is refused."""

import itertools
from datetime import timedelta

import pytest
from tests.unit.runs.words import NOW, a_run

from stagewright.contexts.runs.errors import TransitionNotAllowed
from stagewright.contexts.runs.model import AttemptStatus, FailureClass, RunStatus
from stagewright.contexts.runs.rules import transitions

# The table of the specification (runs, section 2), row by row.
ALLOWED = {
    ("queued", "preparing"),
    ("queued", "waiting"),
    ("preparing", "running"),
    ("preparing", "preparing"),
    ("running", "preparing"),
    ("preparing", "waiting"),
    ("running", "waiting"),
    ("waiting", "queued"),
    ("waiting", "finishing"),
    ("running", "finishing"),
    ("preparing", "finishing"),
    ("finishing", "waiting"),
    ("finishing", "queued"),
    ("running", "queued"),
    ("finishing", "succeeded"),
    ("cancelling", "cancelled"),
    *((one, "failed") for one in ("queued", "preparing", "running", "waiting", "finishing")),
    *((one, "cancelling") for one in ("queued", "preparing", "running", "waiting", "finishing")),
}
ATTEMPT_ALLOWED = {
    ("reserved", "launching"),
    ("reserved", "live"),
    ("launching", "live"),
    ("live", "draining"),
    *((one, "ended") for one in ("reserved", "launching", "live", "draining")),
}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(RunStatus, RunStatus)))
def test_each_pair_of_run_statuses(before: RunStatus, after: RunStatus) -> None:
    if (before.value, after.value) in ALLOWED:
        transitions.check_move(before, after)
        return
    with pytest.raises(TransitionNotAllowed, match=f"{before} cannot become {after}"):
        transitions.check_move(before, after)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(AttemptStatus, AttemptStatus)))
def test_each_pair_of_attempt_statuses(before: AttemptStatus, after: AttemptStatus) -> None:
    if (before.value, after.value) in ATTEMPT_ALLOWED:
        transitions.check_attempt_move(before, after)
        return
    with pytest.raises(TransitionNotAllowed):
        transitions.check_attempt_move(before, after)


def test_nothing_follows_a_terminal_status() -> None:
    assert {status for status in RunStatus if status.terminal} == {
        status for status, following in transitions.MOVES.items() if not following
    }


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("pr_not_found", FailureClass.PRECONDITION),
        ("issue_blocked", FailureClass.PRECONDITION),
        ("scope_violation", FailureClass.POLICY),
        ("secret_in_result", FailureClass.POLICY),
        ("workload_lost", FailureClass.INFRASTRUCTURE),
        ("publish_failed", FailureClass.INFRASTRUCTURE),
        ("empty_result", FailureClass.AGENT),
        ("agent_stalled", FailureClass.TIMEOUT),
        ("budget_unanswered", FailureClass.BUDGET),
    ],
)
def test_a_code_belongs_to_the_class_of_those_who_can_mend_it(code: str, wanted: FailureClass) -> None:
    assert transitions.failure_class(code) is wanted


def test_active_time_is_the_sum_over_attempts() -> None:
    idle = a_run(active_seconds=100)
    working = a_run(active_seconds=100, clock_started_at=NOW - timedelta(seconds=30))
    early = a_run(active_seconds=100, clock_started_at=NOW + timedelta(seconds=5))
    assert [transitions.active_seconds(run, NOW) for run in (idle, working, early)] == [100, 130, 100]
