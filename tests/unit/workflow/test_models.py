"""WF1: one case per row of section 9."""

from dataclasses import replace

import pytest
from tests.unit.workflow.words import ENGINES, a_policy

from stagewright.contexts.workflow.api import (
    LaunchRefusal,
    ModelChoice,
    ModelQuestion,
    StickyProfile,
    engine_ready,
    resolve_model,
)

POLICY = a_policy()
PR, ISSUE = "[ai-model-gpt-5.2]", "[ai-model-gpt-5.1-codex-max]"


def question(kind: str = "plan", **changes: object) -> ModelQuestion:
    return replace(ModelQuestion(kind=kind, engines_available=ENGINES), **changes)  # type: ignore[arg-type]


def chosen(asked: ModelQuestion, text: str | None = None) -> ModelChoice:
    answer = resolve_model(asked, a_policy(text))
    assert isinstance(answer, ModelChoice), answer
    return answer


def refused(asked: ModelQuestion, text: str | None = None) -> LaunchRefusal:
    answer = resolve_model(asked, a_policy(text))
    assert isinstance(answer, LaunchRefusal), answer
    return answer


@pytest.mark.parametrize("kind", ["dev_revise", "reviewer"])
def test_row_1_labels_of_the_pull_request_come_first(kind: str) -> None:
    asked = question(kind, pr_labels=(PR, "[ai-reasoning-low]"), issue_labels=(ISSUE, "[ai-reasoning-high]"))
    answer = chosen(asked)
    assert (answer.model, answer.model_source) == ("gpt-5.2", "pull_request_label")
    assert (answer.reasoning, answer.reasoning_source) == ("low", "pull_request_label")


def test_row_2_labels_of_the_issue_come_next_and_other_kinds_read_no_pull_request() -> None:
    answer = chosen(question("plan", pr_labels=(PR,), issue_labels=(ISSUE.upper(), "AI-Reasoning-Medium")))
    assert (answer.model, answer.model_source) == ("gpt-5.1-codex-max", "issue_label")
    assert (answer.reasoning, answer.reasoning_source) == ("medium", "issue_label")


def test_row_3_a_revise_keeps_the_profile_of_its_link() -> None:
    sticky = StickyProfile("gpt-5.2-codex", "low")
    answer = chosen(question("dev_revise", sticky=sticky))
    assert (answer.model, answer.model_source) == ("gpt-5.2-codex", "last_run_context")
    assert (answer.reasoning, answer.reasoning_source) == ("low", "last_run_context")
    assert chosen(question("dev", sticky=sticky)).model_source == "stage_default"
    assert chosen(question("dev_revise", sticky=StickyProfile("gone", None))).model_source == "stage_default"
    assert chosen(question("dev_revise", sticky=StickyProfile("gone", None))).session_compatible is False


def test_row_4_the_stage_comes_before_the_role() -> None:
    text = "roles: {em: {model: gpt-5.2, reasoning: low}}"
    both = text + "\nstages: {plan: {model: gpt-5.2-codex, reasoning: medium}}"
    of_role, of_stage = chosen(question("plan"), text), chosen(question("plan"), both)
    assert (of_role.model, of_role.model_source) == ("gpt-5.2", "agent_default")
    assert (of_role.reasoning, of_role.reasoning_source) == ("low", "agent_default")
    assert (of_stage.model, of_stage.model_source) == ("gpt-5.2-codex", "stage_default")
    assert (of_stage.reasoning, of_stage.reasoning_source) == ("medium", "stage_default")
    assert chosen(question("discussion", role="em"), text).model == "gpt-5.2"


def test_row_5_the_defaults_come_last() -> None:
    answer = chosen(question("plan"))
    assert (answer.engine, answer.model, answer.model_id) == ("codex", "gpt-5.4", "gpt-5.4")
    assert (answer.model_source, answer.reasoning_source) == ("policy_default", "policy_default")
    assert (answer.reasoning, answer.effort, answer.session_compatible) == ("high", "high", True)
    assert chosen(question("discussion")).model == "gpt-5.4"


def test_model_and_level_are_resolved_each_for_itself() -> None:
    answer = chosen(question("dev_revise", pr_labels=("[ai-reasoning-low]",), issue_labels=(ISSUE,)))
    assert (answer.model_source, answer.reasoning_source) == ("issue_label", "pull_request_label")


@pytest.mark.parametrize(
    "labels", [(PR, ISSUE), ("[ai-reasoning-low]", "[ai-reasoning-high]")], ids=["model", "reasoning"]
)
def test_two_labels_of_one_group_in_one_scope_are_a_conflict(labels: tuple[str, str]) -> None:
    answer = refused(question(issue_labels=labels))
    assert (answer.code, answer.labels, answer.scope) == ("model_label_conflict", labels, "issue")
    on_pr = refused(question("dev_revise", pr_labels=labels))
    assert on_pr.scope == "pull_request"
    assert chosen(question("dev_revise", pr_labels=labels[:1], issue_labels=labels[1:]))


@pytest.mark.parametrize(
    ("label", "known"), [("[ai-model-gpt-9]", "[ai-model-gpt-5.2]"), ("AI-Reasoning-Ultra", "[ai-reasoning-low]")]
)
def test_an_unknown_label_of_a_group_lists_the_known_ones(label: str, known: str) -> None:
    answer = refused(question(issue_labels=("bug", label)))
    assert (answer.code, answer.labels, answer.scope) == ("model_unknown", (label,), "issue")
    assert known in answer.params["known"].split(", ")


def test_a_model_without_its_engine_is_never_changed_silently() -> None:
    answer = refused(question(engines_available=frozenset({"claude"})))
    assert (answer.code, answer.params) == ("agent_not_configured", {"engine": "codex", "model": "gpt-5.4"})
    assert refused(question(), "engines: {codex: {enabled: false}}").code == "agent_not_configured"


def test_engines_of_ours_need_no_credential() -> None:
    nothing: frozenset[str] = frozenset()
    with_argv = a_policy(platform_text="engines: {command: {argv: [agent]}}")
    assert engine_ready("scripted", nothing, POLICY)
    assert engine_ready("command", nothing, with_argv)
    assert not engine_ready("command", nothing, POLICY)
    assert engine_ready("command", frozenset({"command"}), POLICY)
    assert not engine_ready("codex", nothing, POLICY)
    assert engine_ready("codex", ENGINES, POLICY)


@pytest.mark.parametrize(
    ("model", "asked", "level", "effort"),
    [
        ("gpt-5.4", "extra-high", "extra-high", "xhigh"),
        ("claude-sonnet-4-5", "extra-high", "high", "high"),
        ("claude-sonnet-4-5", "low", "low", "low"),
        ("rehearsal", "high", "high", None),
    ],
)
def test_a_level_the_engine_cannot_express_falls_to_the_next_lower(
    model: str, asked: str, level: str, effort: str | None
) -> None:
    answer = chosen(question(), f"defaults: {{model: {model}, reasoning: {asked}}}")
    assert (answer.reasoning, answer.effort, answer.reasoning_asked) == (level, effort, asked)


def test_an_engine_with_higher_levels_only_takes_its_lowest() -> None:
    text = "defaults: {model: rehearsal, reasoning: low}\nreasoning: {high: {effort: {scripted: think}}}"
    answer = chosen(question(), text)
    assert (answer.reasoning, answer.effort) == ("high", "think")


def test_another_engine_does_not_continue_the_session() -> None:
    sticky = StickyProfile("claude-sonnet-4-5", "high")
    assert chosen(question("dev_revise", sticky=sticky)).session_compatible is True
    assert chosen(question("dev_revise", sticky=sticky, pr_labels=(PR,))).session_compatible is False
