"""WF2: all cells of 11.1 for three profiles, provisional or not; texts in both languages; deep links."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.workflow import golden
from tests.unit.workflow.words import a_policy

from stagewright.contexts.workflow.api import (
    FinishedRun,
    NextStep,
    ProfileSource,
    StepGroup,
    StoredProfile,
    deep_link,
    next_steps,
    step_text,
    variant_text,
)

POLICY = a_policy()
FORWARD = {
    "intake": ["run:vision full_flow", "run:prd shortened_flow", "run:plan very_short_flow"],
    "vision": ["run:prd full_or_shortened_flow", "run:plan very_short_flow"],
    "prd": ["run:arch full_flow", "run:design shortened_flow", "run:plan very_short_flow"],
    "arch": ["run:design full_or_shortened_flow", "run:plan very_short_flow"],
    "design": ["run:plan all_flows", "run:dev go_to_dev"],
    "plan": ["run:dev all_flows"],
    "dev": ["run:qa all_flows"],
    "qa": ["run:release all_flows"],
    "release": ["run:postdeploy all_flows"],
    "postdeploy": ["run:ops all_flows"],
    "ops": [],
    "doc-audit": ["run:plan prepare_plan", "run:dev go_to_dev", "run:qa go_to_qa"],
    "self-improve": ["run:qa go_to_qa"],
}
SIDE = {stage: ["rethink"] for stage in FORWARD}
SIDE |= {stage: ["rethink", "doc-audit"] for stage in ("dev", "qa", "release")}
SIDE |= {stage: ["rethink", "doc-audit", "self-improve"] for stage in ("postdeploy", "ops")}
SIDE |= {stage: [] for stage in ("intake", "doc-audit", "self-improve")}
VARIANTS = {"new-service": "full", "feature": "shortened", "quick-fix": "very_short"}
STORED = [None, *(StoredProfile(*pair) for pair in itertools.product(POLICY.profiles.order, ProfileSource))]


def cells(run: FinishedRun) -> list[str]:
    """The steps as ``group: target variant``, recommended ones with a star."""
    return [
        f"{step.group.value}: {step.target} {step.variant}{'*' if step.recommended else ''}"
        for step in next_steps(run, POLICY)
    ]


def expected(stage: str, stored: StoredProfile | None, *, link: bool) -> list[str]:
    """The row of the table, narrowed to the stored profile and those above it, its own cell first."""
    jumps = [cell for cell in FORWARD[stage] if "flow" not in cell]
    forward = [cell for cell in FORWARD[stage] if "flow" in cell]
    listed = [f"revise: run:{stage}:revise revise"]
    if stored is None or stored.provisional:
        listed += [f"forward: {cell}" for cell in forward]
    else:
        kept = [VARIANTS[key] for key in POLICY.profiles.order[POLICY.profiles.order.index(stored.profile) :]]
        names = {cell: set(cell.split(" ")[1].removesuffix("_flow").split("_or_")) for cell in forward}
        every = {cell: set(VARIANTS.values()) if "all_flows" in cell else names[cell] for cell in forward}
        own = [cell for cell in forward if VARIANTS[stored.profile] in every[cell]]
        higher = [cell for cell in forward if cell not in own and every[cell] & set(kept)]
        listed += [f"forward: {cell}*" for cell in own] + [f"forward: {cell}" for cell in higher]
    listed += [f"jump: {cell}" for cell in jumps]
    listed += ["reviewer: need:reviewer reviewer"] if link else []
    return listed + [f"side: run:{key} {key.replace('-', '_')}" for key in SIDE[stage]]


@pytest.mark.parametrize("stored", STORED, ids=lambda item: f"{item.profile}-{item.source}" if item else "none")
@pytest.mark.parametrize("stage", FORWARD)
def test_each_cell_of_the_matrix(stage: str, stored: StoredProfile | None) -> None:
    for link, suffix in itertools.product((False, True), ("", "_revise")):
        run = FinishedRun(stage.replace("-", "_") + suffix, has_open_link=link, profile=stored)
        assert cells(run) == expected(stage, stored, link=link)


def test_a_chosen_profile_comes_first_and_is_recommended() -> None:
    run = FinishedRun("intake", profile=StoredProfile("feature", ProfileSource.CHOSEN))
    assert cells(run) == [
        "revise: run:intake:revise revise",
        "forward: run:prd shortened_flow*",
        "forward: run:vision full_flow",
    ]


def test_a_rethink_offers_restarts_that_carry_their_profile() -> None:
    steps = next_steps(FinishedRun("rethink", has_open_link=True), POLICY)
    assert [(step.target, step.variant, step.profile) for step in steps] == [
        ("run:intake", "restart_full", "new-service"),
        ("run:prd", "restart_shortened", "feature"),
        ("run:plan", "restart_very_short", "quick-fix"),
    ]


def test_a_review_offers_what_its_links_stage_offers_but_a_review() -> None:
    run = FinishedRun("reviewer", has_open_link=True, link_stage="dev")
    assert cells(run) == expected("dev", None, link=False)
    assert next_steps(replace(run, link_stage=None), POLICY) == ()


@pytest.mark.parametrize("kind", ["discussion", "ai_repair", "deploy"])
def test_some_kinds_offer_nothing(kind: str) -> None:
    assert next_steps(FinishedRun(kind, has_open_link=True), POLICY) == ()
    assert next_steps(FinishedRun(kind, succeeded=False), POLICY) == ()


def test_after_a_failure_the_same_trigger_comes_first_then_the_rethink() -> None:
    assert cells(FinishedRun("dev_revise", succeeded=False, has_open_link=True)) == [
        "retry: run:dev:revise retry",
        "side: run:rethink rethink",
    ]
    assert cells(FinishedRun("intake", succeeded=False)) == ["retry: run:intake retry"]
    assert cells(FinishedRun("rethink", succeeded=False)) == ["retry: run:rethink retry"]
    assert cells(FinishedRun("qa", succeeded=False, trigger="run:qa")) == [
        "retry: run:qa retry",
        "side: run:rethink rethink",
    ]
    review = next_steps(FinishedRun("reviewer", succeeded=False, link_stage="intake"), POLICY)
    assert [(step.action_kind, step.target) for step in review] == [("pull_request_label_add", "need:reviewer")]


def test_a_stage_that_was_switched_off_is_not_tried_again() -> None:
    policy = a_policy("stages: {qa: {enabled: false}}")
    steps = next_steps(FinishedRun("qa", succeeded=False, trigger="run:qa"), policy)
    assert [step.target for step in steps] == ["run:rethink"]


@pytest.mark.parametrize(("to", "count"), [("new-service", 1), ("feature", 0), ("quick-fix", 0), ("gone", 0)])
def test_an_agents_proposal_to_escalate_is_the_last_step_and_only_upwards(to: str, count: int) -> None:
    run = FinishedRun("prd", profile=StoredProfile("feature", ProfileSource.CHOSEN), escalation=to)
    steps = next_steps(run, POLICY)
    found = [step for step in steps if step.group is StepGroup.ESCALATION]

    assert len(found) == count
    if count:
        assert steps[-1] == found[0]
        assert (found[0].target, found[0].variant, found[0].profile) == ("run:arch", "accept_escalation", to)


def test_an_escalation_counts_from_the_default_where_nothing_is_stored() -> None:
    assert cells(FinishedRun("prd", escalation="new-service"))[-1] == "escalation: run:arch accept_escalation"
    assert "escalation" not in cells(FinishedRun("prd", escalation="feature"))[-1]


def test_disabled_stages_are_not_offered() -> None:
    policy = a_policy(
        "stages: {prd: {enabled: false}, dev: {enabled: false}, doc-audit: {enabled: false}, qa: {revise: false}}"
    )
    after_intake = [step.target for step in next_steps(FinishedRun("intake"), policy)]
    after_audit = [step.target for step in next_steps(FinishedRun("doc_audit"), policy)]
    after_qa = [step.target for step in next_steps(FinishedRun("qa"), policy)]

    assert after_intake == ["run:intake:revise", "run:vision", "run:design", "run:plan"]
    assert after_audit == ["run:plan", "run:qa"]
    assert after_qa == ["run:release", "run:rethink"]


def test_a_stage_of_a_projects_own_gets_its_steps_from_the_profiles() -> None:
    policy = a_policy(
        """
        stages: {mock-up: {role: pm, mode: code-only, env: none, scope: docs, limit_minutes: 5}}
        profiles:
          paths:
            new-service: [intake, mock-up, vision, prd, arch, design, plan, dev, qa, release, postdeploy, ops]
        """
    )
    steps = [(step.target, step.variant) for step in next_steps(FinishedRun("mock_up"), policy)]
    assert steps == [
        ("run:mock-up:revise", "revise"),
        ("run:vision", "full_flow"),
        ("run:prd", "shortened_flow"),
        ("run:plan", "very_short_flow"),
    ]


def test_a_deep_link_has_its_keys_in_order_and_encoded() -> None:
    step = NextStep(StepGroup.REVISE, "issue_stage_transition", "run:dev:revise", "revise")
    url = deep_link("https://x.example/", step, repository="acme/shop & co", issue=12, pull_request=40, run_id="0196")
    assert url == (
        "https://x.example/next-step?repository_full_name=acme%2Fshop%20%26%20co&issue_number=12"
        "&pull_request_number=40&action_kind=issue_stage_transition&target_label=run%3Adev%3Arevise"
        "&display_variant=revise&source_run_id=0196"
    )
    plain = deep_link("https://x.example", step, repository="a/b", issue=1, run_id="r")
    assert plain is not None
    assert "pull_request_number" not in plain
    assert deep_link(None, step, repository="a/b", issue=1, run_id="r") is None
    assert deep_link("https://x.example", step, repository="a/b", issue=None, run_id="r") is None


def test_steps_are_shown_in_both_languages_with_the_labels_of_the_project() -> None:
    policy = a_policy('labels: {names: {"run:plan": "ai: план `x`"}}')
    steps = next_steps(FinishedRun("vision", profile=StoredProfile("quick-fix", ProfileSource.CHOSEN)), policy)

    assert [step_text(step, "ru_RU", policy) for step in steps] == [
        "Доработать этот результат: `run:vision:revise`",
        "Продолжить: `ai: план x` (очень короткий путь, рекомендуется)",
        "Продолжить: `run:prd` (полный путь или сокращённый путь)",
        "Кроме того: `run:rethink`",
    ]
    assert step_text(steps[2], "en", policy) == "Go on: `run:prd` (full path or shortened path)"
    assert variant_text("all_flows", "en") == "every path"
    assert variant_text("fast_flow", "en") == "fast"


def test_every_step_of_every_kind_has_a_text_in_both_languages() -> None:
    for kind, stored, ok in itertools.product(POLICY.kinds, STORED, (True, False)):
        run = FinishedRun(kind, ok, has_open_link=True, profile=stored, link_stage="dev", escalation="new-service")
        for step in next_steps(run, POLICY):
            assert step_text(step, "ru", POLICY) != step_text(step, "en", POLICY)
            assert step.target in POLICY.catalogue


def test_every_cell_with_its_texts_and_links_is_that_of_the_golden_page() -> None:
    known = (Path(__file__).parent / "next_steps.golden.txt").read_text(encoding="utf-8")
    assert golden.page() == known, "read the difference; if it is meant, write the page anew: see golden.py"


@pytest.mark.parametrize("column", golden.COLUMNS)
@pytest.mark.parametrize("kind", golden.ROWS)
def test_a_cell_depends_on_the_profile_and_on_whether_anybody_chose_it(kind: str, column: str) -> None:
    shown = [golden.cell(kind, column, stored) for stored in golden.stored_as(column)]
    assert all(cell == shown[0] for cell in shown)


@pytest.mark.parametrize("stage", [kind for kind in golden.ROWS if kind != "rethink"])
def test_a_revise_offers_what_its_stage_offers(stage: str) -> None:
    for stored in STORED:
        assert golden.of(f"{stage}_revise", stored) == golden.of(stage, stored)


def test_a_restart_and_an_escalation_say_which_path_they_lead_to() -> None:
    restarts = [step_text(step, "en", POLICY) for step in next_steps(FinishedRun("rethink"), POLICY)]
    (*_, accept) = next_steps(FinishedRun("prd", escalation="new-service"), POLICY)

    assert restarts == [
        "Go straight to: `run:intake` (full path)",
        "Go straight to: `run:prd` (shortened path)",
        "Go straight to: `run:plan` (very short path)",
    ]
    assert step_text(accept, "en", POLICY).endswith("`run:arch` (full path)")
