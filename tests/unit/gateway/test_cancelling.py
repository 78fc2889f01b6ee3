"""What a person reads before cancelling, and which runs can be cancelled at all."""

from dataclasses import fields
from typing import Any, TypeVar

import pytest

from stagewright.contexts.runs.model import Attempt, Link, Run, RunStatus
from stagewright.contexts.runs.rules.cancelling import what_cancel_does, why_not_cancel

T = TypeVar("T")


def a_row(row: type[T], /, **values: Any) -> T:
    """Return a row of which only ``values`` matter."""
    return row(**({item.name: None for item in fields(row)} | values))  # type: ignore[arg-type]


def a_run(status: RunStatus) -> Run:
    return a_row(Run, number=42, kind="dev", status=status)


@pytest.mark.parametrize("status", RunStatus)
def test_only_a_live_run_can_be_cancelled(status: RunStatus) -> None:
    reasons = {RunStatus.CANCELLING: "already_cancelling"} | dict.fromkeys(
        (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED), "already_terminal"
    )
    assert why_not_cancel(status) == reasons.get(status)


def test_a_queued_run_loses_nothing() -> None:
    shown = what_cancel_does(a_run(RunStatus.QUEUED), None, None)
    assert shown["stops"] == ["run-0042 (dev), which is queued"]
    assert shown["lost"] == []
    assert len(shown["survives"]) == 1


def test_a_running_run_loses_what_was_not_handed_over() -> None:
    shown = what_cancel_does(a_run(RunStatus.RUNNING), a_row(Attempt, workload_name="sw-1"), None)
    assert any("sw-1" in item for item in shown["stops"])
    assert any("not handed over" in item for item in shown["lost"])


def test_a_waiting_run_stops_waiting_and_a_finishing_one_loses_its_result() -> None:
    assert any("waits for" in item for item in what_cancel_does(a_run(RunStatus.WAITING), None, None)["stops"])
    assert any("not published" in item for item in what_cancel_does(a_run(RunStatus.FINISHING), None, None)["lost"])


def test_its_pull_request_stays() -> None:
    link = a_row(Link, pr_number=7, branch="stagewright/issue-1/dev")
    survives = what_cancel_does(a_run(RunStatus.RUNNING), None, link)["survives"]
    assert "the pull request #7 and its branch stagewright/issue-1/dev" in survives
