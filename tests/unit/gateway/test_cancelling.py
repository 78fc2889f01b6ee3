"""What a person reads before cancelling, and which runs can be cancelled at all."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

import pytest

from stagewright.contexts.runs.model import Attempt, Link, Run, RunStatus
from stagewright.contexts.runs.rules.cancelling import what_cancel_does, why_not_cancel
from stagewright.kit.consequences import Consequence

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


def codes(said: Sequence[Consequence]) -> list[str]:
    return [item.code for item in said]


def test_a_queued_run_loses_nothing() -> None:
    shown = what_cancel_does(a_run(RunStatus.QUEUED), None, None)
    assert shown.stops == [Consequence("run.ends", {"run": "run-0042", "kind": "dev", "status": "queued"})]
    assert codes(shown.lost) == []
    assert codes(shown.survives) == ["run.history_stays"]


def test_a_running_run_loses_what_was_not_handed_over() -> None:
    shown = what_cancel_does(a_run(RunStatus.RUNNING), a_row(Attempt, workload_name="sw-1"), None)
    assert Consequence("run.workload_stops", {"workload": "sw-1", "count": 30}) in shown.stops
    assert codes(shown.lost) == ["run.changes_lost"]


def test_a_waiting_run_stops_waiting_and_a_finishing_one_loses_its_result() -> None:
    assert "run.wait_ends" in codes(what_cancel_does(a_run(RunStatus.WAITING), None, None).stops)
    assert codes(what_cancel_does(a_run(RunStatus.FINISHING), None, None).lost) == ["run.result_lost"]


def test_its_pull_request_stays() -> None:
    link = a_row(Link, pr_number=7, branch="stagewright/issue-1/dev")
    survives = what_cancel_does(a_run(RunStatus.RUNNING), None, link).survives
    assert Consequence("run.pull_request_stays", {"number": 7, "branch": "stagewright/issue-1/dev"}) in survives
