"""A next step that a person takes: which labels are steps, what happens to labels and to the profile (11.3, 6)."""

import string
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.workflow.words import a_policy

from stagewright.contexts.workflow.api import (
    ISSUE_ACTION,
    PULL_REQUEST_ACTION,
    ProfileDowngrade,
    ProfileSource,
    StepChoice,
    StepReason,
    StepUnknown,
    StoredProfile,
    labels_hash,
    plan_acceptance,
    plan_labels,
    profile_of_step,
    step_refusal_text,
    step_target,
)
from stagewright.contexts.workflow.rules.step_texts import EN, RU

POLICY = a_policy()
RENAMED = a_policy("labels: {names: {'run:dev': 'ai: implement', 'state:in-review': 'ai: in review'}}")
CHOSEN = StoredProfile("feature", ProfileSource.CHOSEN)
LABELS = st.lists(st.sampled_from([*POLICY.catalogue, "bug", "Ümlaut"]), unique=True, max_size=8)


def after(target: str, variant: str, stored: StoredProfile | None = CHOSEN, **more: Any) -> str:
    """Return profile and source after a step, `-` where it says nothing of them."""
    kind = step_target(ISSUE_ACTION, target, POLICY)[1]
    found = profile_of_step(stored, StepChoice(target, variant, **more), kind, POLICY)
    return "-" if found is None else f"{found.profile} {found.source.value}"


def test_a_step_is_named_by_its_key_or_by_the_label_the_project_calls_so() -> None:
    assert step_target(ISSUE_ACTION, "run:dev", RENAMED)[0] == "run:dev"
    key, kind = step_target(ISSUE_ACTION, " AI:  implement", RENAMED)
    assert (key, kind.key) == ("run:dev", "dev")
    assert step_target(PULL_REQUEST_ACTION, "need:reviewer", POLICY)[1].key == "reviewer"


@pytest.mark.parametrize("target", ["run:ai-repair", "run:debug", "mode:discussion", "need:reviewer", "bug", ""])
def test_what_never_is_a_step_of_an_issue(target: str) -> None:
    with pytest.raises(StepUnknown) as refused:
        step_target(ISSUE_ACTION, target, POLICY)
    assert [item.pointer for item in refused.value.problems] == ["/target_label"]


def test_an_action_that_nobody_knows() -> None:
    with pytest.raises(StepUnknown) as refused:
        step_target("merge", "run:dev", POLICY)
    assert [item.pointer for item in refused.value.problems] == ["/action_kind"]
    with pytest.raises(StepUnknown):
        step_target(PULL_REQUEST_ACTION, "run:dev", POLICY)


def test_a_policy_without_reviews_has_no_such_step() -> None:
    kinds = {key: kind for key, kind in POLICY.kinds.items() if key != "reviewer"}
    with pytest.raises(StepUnknown):
        step_target(PULL_REQUEST_ACTION, "need:reviewer", replace(POLICY, kinds=kinds))


@pytest.mark.parametrize(
    ("target", "variant", "outcome"),
    [
        ("run:dev", "", "-"),
        ("run:dev:revise", "revise", "-"),
        ("run:dev", "retry", "-"),
        ("run:doc-audit", "doc_audit", "-"),
        ("run:self-improve", "self_improve", "-"),
        ("run:rethink", "rethink", "-"),
        ("run:dev", "go_to_dev", "-"),
        ("run:plan", "prepare_plan", "-"),
        ("run:dev", "all_flows", "feature chosen"),
        ("run:arch", "full_flow", "new-service escalated"),
    ],
)
def test_what_a_variant_says_of_the_profile(target: str, variant: str, outcome: str) -> None:
    assert after(target, variant) == outcome


def test_a_proposed_path_is_accepted_only_where_somebody_proposed_it() -> None:
    assert after("run:arch", "accept_escalation", escalation="new-service") == "new-service escalated"
    with pytest.raises(StepUnknown):
        after("run:arch", "accept_escalation")
    with pytest.raises(StepUnknown):
        after("run:vision", "accept_escalation", escalation="feature")
    with pytest.raises(ProfileDowngrade):
        after("run:plan", "accept_escalation", escalation="quick-fix")


def test_a_restart_goes_down_after_a_rethink_only() -> None:
    assert after("run:plan", "restart_very_short", after_rethink=True) == "quick-fix restarted"
    assert after("run:intake", "restart_full", after_rethink=True) == "new-service restarted"
    assert after("run:intake", "restart_full") == "new-service escalated"
    with pytest.raises(ProfileDowngrade):
        after("run:plan", "restart_very_short")


@pytest.mark.parametrize(
    ("target", "variant"), [("run:vision", "very_short_flow"), ("run:dev", "prepare_plan"), ("run:dev", "fastest")]
)
def test_a_variant_that_is_not_the_labels_is_no_step(target: str, variant: str) -> None:
    with pytest.raises(StepUnknown):
        after(target, variant, None)


def test_a_step_forward_takes_the_result_out_of_review_and_other_steps_do_not() -> None:
    live = ("bug", "ai: in review", "run:prd", "need:pm")
    dev = step_target(ISSUE_ACTION, "run:dev", RENAMED)[1]
    plan = plan_labels("run:dev", dev, live, RENAMED)
    assert (plan.removed, plan.added) == (("run:prd", "ai: in review"), ("ai: implement", "state:approved"))
    assert plan.final == ("bug", "need:pm", "ai: implement", "state:approved")
    revise = step_target(ISSUE_ACTION, "run:prd:revise", RENAMED)[1]
    assert plan_labels("run:prd:revise", revise, live, RENAMED).final == (
        "bug",
        "ai: in review",
        "need:pm",
        "run:prd:revise",
    )
    accepted = plan_acceptance(("ai: in review", "x"), RENAMED)
    assert (accepted.removed, accepted.added) == (("ai: in review",), ("state:approved",))


def test_a_pull_request_only_gets_its_label() -> None:
    kind = step_target(PULL_REQUEST_ACTION, "need:reviewer", POLICY)[1]
    plan = plan_labels("need:reviewer", kind, ("state:in-review", "run:dev"), POLICY)
    assert (plan.removed, plan.added) == ((), ("need:reviewer",))


@given(live=LABELS)
def test_a_plan_leaves_one_trigger_label_and_is_done_once(live: list[str]) -> None:
    kind = step_target(ISSUE_ACTION, "run:qa", POLICY)[1]
    plan = plan_labels("run:qa", kind, live, POLICY)
    assert [label for label in plan.final if label in POLICY.triggers] == ["run:qa"]
    assert set(plan.final) == (set(live) - set(plan.removed)) | set(plan.added)
    again = plan_labels("run:qa", kind, plan.final, POLICY)
    assert (again.removed, again.added) == ((), ())


@given(one=LABELS, other=LABELS)
def test_the_hash_tells_sets_of_labels_apart_and_not_their_order(one: list[str], other: list[str]) -> None:
    assert labels_hash({1: one, 2: other}) == labels_hash({2: [label.upper() for label in other], 1: [*reversed(one)]})
    assert (labels_hash({1: one}) == labels_hash({1: other})) is (sorted(one) == sorted(other))
    assert len({labels_hash({1: one}), labels_hash({2: one}), labels_hash({1: one, 2: ()})}) == 3


def test_every_reason_of_steps_has_words_in_both_languages() -> None:
    assert set(EN) == set(RU) == set(StepReason)
    for key in EN:
        for english, russian in zip(EN[key], RU[key], strict=True):
            assert fields(english) == fields(russian)
    assert "`feature`" in step_refusal_text("profile_downgrade", "en", {"profile": "feature"}).remedy
    assert step_refusal_text("issue_closed", "ru").reason == "Задача закрыта."
    assert "`event_not_used`" in step_refusal_text("event_not_used", "ru").reason


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}
