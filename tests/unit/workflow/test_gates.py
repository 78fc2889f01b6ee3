"""WF1: every cell of the gate table of section 8, and its knobs."""

from dataclasses import replace

import pytest
from tests.unit.workflow.words import a_link, a_policy

from stagewright.contexts.workflow.api import GateView, Kind, KindClass, Link, Policy, check_gates, result_accepted

POLICY = a_policy()
OF_CLASS = {
    "F": POLICY.kinds["dev"],
    "R": POLICY.kinds["dev_revise"],
    "X": POLICY.kinds["rethink"],
    "A": POLICY.kinds["doc_audit"],
    "P": POLICY.kinds["ai_repair"],
    "V": POLICY.kinds["reviewer"],
    "D": POLICY.kinds["discussion"],
}

TABLE = [
    ("issue_blocked", GateView(labels=("state:blocked",)), "FRAV"),
    ("issue_abandoned", GateView(labels=("state:abandoned",)), "FRAPVD"),
    ("issue_superseded", GateView(labels=("state:superseded",)), "FRAPV"),
    ("issue_superseded", GateView(labels=(), target_labels=("state:superseded",)), "R"),
    ("previous_stage_in_review", GateView(labels=("state:in-review",)), "F"),
    ("issue_needs_input", GateView(labels=("need:input",)), "FA"),
    ("role_input_required", GateView(labels=("need:pm",)), "FA"),
    ("stage_prerequisite_missing", GateView(labels=(), missing_stages=("plan",)), "F"),
]


def reason(kind: Kind, view: GateView, policy: Policy = POLICY) -> str | None:
    hit = check_gates(kind, view, policy)
    return None if hit is None else hit.reason.value


@pytest.mark.parametrize("column", OF_CLASS)
@pytest.mark.parametrize(("expected", "view", "classes"), TABLE)
def test_each_cell_of_the_gate_table(expected: str, view: GateView, classes: str, column: str) -> None:
    policy = a_policy("gates: {stage_order: enforce}")
    assert OF_CLASS[column].kind_class is KindClass(column)
    assert reason(OF_CLASS[column], view, policy) == (expected if column in classes else None)


def test_what_a_late_stage_examines_may_be_in_review() -> None:
    view = GateView(labels=("state:in-review",))
    assert reason(POLICY.kinds["qa"], view) is None
    assert reason(POLICY.kinds["release"], view) is None


@pytest.mark.parametrize(
    "view",
    [
        GateView(labels=("state:in-review",), accepted=True),
        GateView(labels=("state:in-review", "state:approved")),
        GateView(labels=("need:input",), platform_needs_input=True),
        GateView(labels=("need:dev", "need:reviewer", "bug")),
        GateView(labels=(), missing_stages=("plan",)),
    ],
)
def test_what_holds_nothing_back(view: GateView) -> None:
    assert reason(POLICY.kinds["dev"], view) is None


def test_input_of_the_stages_own_role_is_the_stages_work() -> None:
    assert reason(POLICY.kinds["prd"], GateView(labels=("need:pm",))) is None
    assert reason(POLICY.kinds["prd"], GateView(labels=("need:pm", "need:sa"))) == "role_input_required"


def test_the_knobs_switch_their_gates_off_and_no_others() -> None:
    policy = a_policy("gates: {blocked: off, in_review: off, need: off, stage_order: off}")
    still_shut = {expected for expected, view, _ in TABLE if reason(POLICY.kinds["dev_revise"], view, policy)}
    still_shut |= {expected for expected, view, _ in TABLE if reason(POLICY.kinds["dev"], view, policy)}

    assert still_shut == {"issue_abandoned", "issue_superseded"}


def test_the_gates_are_asked_in_the_order_of_the_table() -> None:
    labels = ("need:pm", "need:input", "state:in-review", "state:superseded", "state:abandoned", "state:blocked")
    expected = [row[0] for row in TABLE if row[0] != "stage_prerequisite_missing"]
    found = []
    view = GateView(labels=labels)
    while (hit := check_gates(POLICY.kinds["dev"], view, POLICY)) is not None:
        found.append(hit.reason.value)
        view = replace(view, labels=tuple(label for label in view.labels if label not in hit.labels))
    assert found == list(dict.fromkeys(expected))


OLD, NEW = a_link("plan", pr_number=41), a_link("dev", pr_number=42)


@pytest.mark.parametrize(
    ("finished", "links", "accepted"),
    [
        ((), (), False),
        (("doc-audit",), (), False),
        (("plan",), (), True),
        (("plan",), (OLD,), False),
        (("plan",), (replace(OLD, state="approved"),), True),
        (("plan",), (replace(OLD, state="merged"),), True),
        (("plan",), (replace(OLD, state="superseded"),), True),
        (("plan",), (replace(OLD, state="closed"),), True),
        (("plan",), (replace(OLD, labels=("[State:Approved]",)),), True),
        (("plan",), (a_link("plan", pr_number=43), replace(OLD, state="merged")), False),
        (("dev", "plan"), (NEW, replace(OLD, state="merged")), False),
        (("dev", "plan"), (replace(NEW, state="merged"), OLD), True),
        (("doc-audit", "plan"), (a_link("doc-audit"), replace(OLD, state="merged")), True),
    ],
)
def test_the_result_of_the_last_stage_on_the_path_is_what_has_to_be_accepted(
    finished: tuple[str, ...], links: tuple[Link, ...], accepted: bool
) -> None:
    assert result_accepted(finished, "feature", links, POLICY) is accepted
