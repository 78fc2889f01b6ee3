"""What follows an attempt that ended, row by row."""

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.runs.words import a_run, an_attempt

from stagewright.contexts.runs.model import RunStatus
from stagewright.contexts.runs.rules.after_attempt import (
    Fail,
    Following,
    Nothing,
    Park,
    Past,
    Resume,
    Retry,
    decide_after_attempt,
)

SOON, LATER, NOW = timedelta(seconds=30), timedelta(minutes=2), timedelta(0)
TOOLS_DOWN = {"outcome": "agent_failed", "code": "engine_error", "detail": "mcp_unavailable: refused"}
FRESH: dict[str, Any] = {"open_waits": 0, "infrastructure_retries": 0, "stalls": 0, "has_proposal": False}


def follow(past: dict[str, Any], **attempt: Any) -> Following:
    return decide_after_attempt(a_run(status=RunStatus.RUNNING), an_attempt(**attempt), Past(**(FRESH | past)))


@pytest.mark.parametrize(
    ("attempt", "past", "wanted"),
    [
        ({"outcome": "completed"}, {"has_proposal": True}, Nothing()),
        ({"outcome": "completed"}, {"open_waits": 1, "has_proposal": True}, Park()),
        ({"outcome": "parked"}, {"open_waits": 2}, Park()),
        ({"outcome": "parked"}, {}, Resume()),
        ({"outcome": "rate_limited"}, {"open_waits": 1}, Park()),
        ({"outcome": "budget"}, {"open_waits": 1}, Park()),
        ({"outcome": "agent_failed", "code": "context_exhausted"}, {}, Fail("context_exhausted")),
        ({"outcome": "agent_failed"}, {}, Fail("engine_error")),
        ({"outcome": "precondition_failed", "code": "session_lost"}, {}, Fail("session_lost")),
        (
            {"outcome": "agent_failed", "code": "provider_unavailable"},
            {},
            Retry("infrastructure_retry", SOON, "provider_unavailable"),
        ),
        (TOOLS_DOWN, {}, Retry("infrastructure_retry", SOON, "engine_error")),
        (TOOLS_DOWN, {"infrastructure_retries": 1}, Fail("engine_error", "mcp_unavailable: refused")),
        ({"outcome": "agent_failed", "code": "workload_lost"}, {"has_proposal": True}, Nothing()),
        ({"outcome": "lost"}, {}, Retry("infrastructure_retry", SOON, "workload_lost")),
        ({"outcome": "lost"}, {"infrastructure_retries": 1}, Retry("infrastructure_retry", LATER, "workload_lost")),
        ({"outcome": "lost"}, {"infrastructure_retries": 2}, Fail("workload_lost")),
        ({"outcome": "lost"}, {"has_proposal": True}, Nothing()),
        ({"outcome": "lost"}, {"has_proposal": True, "open_waits": 1}, Park()),
        ({"outcome": "no_outcome"}, {"has_proposal": True}, Nothing()),
        ({"outcome": "no_outcome"}, {"infrastructure_retries": 2}, Fail("no_outcome")),
        ({"outcome": "launch_failed"}, {}, Retry("infrastructure_retry", SOON, "launch_failed")),
        ({"outcome": "lost", "code": "out_of_memory"}, {}, Fail("out_of_memory")),
        ({"outcome": "launch_failed", "code": "image_unavailable"}, {}, Fail("image_unavailable")),
        (
            {"outcome": "interrupted", "stop_reason": "agent_stalled"},
            {},
            Retry("infrastructure_retry", NOW, "agent_stalled"),
        ),
        ({"outcome": "interrupted", "stop_reason": "cancelled"}, {}, Nothing()),
        ({"outcome": "interrupted"}, {}, Retry("infrastructure_retry", SOON, "workload_lost")),
        ({"outcome": None}, {}, Retry("infrastructure_retry", SOON, "workload_lost")),
    ],
)
def test_each_outcome(attempt: dict[str, Any], past: dict[str, Any], wanted: Following) -> None:
    assert follow(past, **attempt) == wanted


@pytest.mark.parametrize(
    ("stop_reason", "past", "code"),
    [
        ("active_time_exceeded", {}, "active_time_exceeded"),
        ("prepare_timeout", {}, "prepare_timeout"),
        ("agent_stalled", {"stalls": 1}, "agent_stalled"),
    ],
)
def test_a_clock_that_ran_out_fails_the_run(stop_reason: str, past: dict[str, Any], code: str) -> None:
    following = follow(past, outcome="interrupted", stop_reason=stop_reason)
    assert isinstance(following, Fail)
    assert following.code == code


def test_a_completion_without_a_report_fails_the_run() -> None:
    following = follow({}, outcome="completed")
    assert isinstance(following, Fail)
    assert following.code == "report_invalid"


@pytest.mark.parametrize("status", [status for status in RunStatus if status.value not in ("preparing", "running")])
def test_a_run_that_went_on_by_itself_is_left_alone(status: RunStatus) -> None:
    failed = "agent_failed"
    assert decide_after_attempt(a_run(status=status), an_attempt(outcome=failed), Past(**FRESH)) == Nothing()
