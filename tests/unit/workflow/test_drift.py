"""Labels on the forge beside the policy: how one differs, which one a change is about, and threads beside rows."""

from typing import Any

import pytest
from tests.unit.workflow.words import a_policy

from stagewright.contexts.workflow.api import (
    ActiveOnThread,
    RepositoryLabel,
    ThreadNow,
    differences,
    label_drift,
    managed_label,
)

POLICY = a_policy('labels: {names: {"run:dev": "ai: implement"}, aliases: {"run:plan": ["make a plan"]}}')
DEV = POLICY.catalogue["run:dev"]


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        (None, ["missing"]),
        (RepositoryLabel(DEV.text, DEV.color, DEV.description), []),
        (RepositoryLabel(DEV.text, f"#{DEV.color.upper()}", DEV.description), []),
        (RepositoryLabel("Ai: Implement", DEV.color, DEV.description), ["renamed"]),
        (RepositoryLabel(DEV.text, "ffffff", DEV.description), ["recoloured"]),
        (RepositoryLabel(DEV.text, DEV.color, ""), ["redescribed"]),
        (RepositoryLabel("x", "ffffff", "y"), ["renamed", "recoloured", "redescribed"]),
    ],
)
def test_how_a_label_differs(there: RepositoryLabel | None, expected: list[str]) -> None:
    assert [item.value for item in label_drift(DEV, there)] == expected


@pytest.mark.parametrize(
    ("name", "was", "texts", "expected"),
    [
        ("ai: implement", None, {}, "run:dev"),
        ("[AI: Implement]", None, {}, "run:dev"),
        ("anything", "ai: implement", {"run:dev": "ai: implement"}, "run:dev"),
        ("run:dev", None, {"run:dev": "run:dev"}, "run:dev"),
        ("make a plan", None, {}, None),
        ("bug", None, {}, None),
        ("bug", "defect", {"run:dev": "ai: implement"}, None),
        ("old", None, {"run:gone": "old"}, None),
    ],
)
def test_which_label_a_change_is_about(name: str, was: str | None, texts: dict[str, str], expected: str | None) -> None:
    found = managed_label(name, was, texts, POLICY)
    assert (found.key if found else None) == expected


def a_run(label: str | None = "run:dev", **changes: Any) -> ActiveOnThread:
    return ActiveOnThread(**{"id": "r1", "kind": "dev", "lane": "work", "label": label, "source": "webhook", **changes})


def a_thread(*labels: str, **changes: Any) -> ThreadNow:
    return ThreadNow(**{"number": 7, "is_pull_request": False, "open": True, "labels": labels, **changes})


IN_REVIEW = {"linked": True, "in_review": True}


@pytest.mark.parametrize(
    ("thread", "expected"),
    [
        (a_thread("bug"), None),
        (a_thread("ai: implement"), ("trigger_without_run", "decides")),
        (a_thread("run:dev"), ("trigger_without_run", "decides")),
        (a_thread("ai: implement", handled=frozenset({"run:dev"})), ("trigger_stayed", "nothing")),
        (a_thread("ai: implement", active=(a_run(),)), None),
        (a_thread("ai: implement", open=False), None),
        (a_thread(active=(a_run(),)), ("run_without_trigger", "cancels_run")),
        (a_thread(active=(a_run(source="pull_request_review"),)), None),
        (a_thread("ai: implement", open=False, active=(a_run(),)), ("run_on_closed_thread", "cancels_run")),
        (a_thread("run:ops", open=False, active=(a_run("run:ops", kind="ops"),)), None),
        (a_thread("need:reviewer", is_pull_request=True), ("trigger_without_run", "decides")),
        (a_thread("ai: implement", is_pull_request=True), None),
        (a_thread(**IN_REVIEW), ("in_review_label_missing", "nothing")),
        (a_thread("state:in-review", **IN_REVIEW), None),
        (a_thread("state:in-review", linked=True), ("in_review_label_left", "nothing")),
        (a_thread("state:in-review"), None),
    ],
)
def test_what_the_next_scan_does_about_a_difference(thread: ThreadNow, expected: tuple[str, str] | None) -> None:
    found = [(item.code, item.next_scan.value) for item in differences([thread], POLICY)]
    assert found == ([expected] if expected else [])
