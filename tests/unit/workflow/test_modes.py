"""WF1: one case per row of 3.3, and of where a kind works (12)."""

import pytest
from tests.unit.workflow.words import a_policy

from stagewright.contexts.workflow.api import (
    DeclaredRuntime,
    LaunchRefusal,
    Mode,
    ModeChoice,
    access_profile,
    resolve_mode,
    target_environment,
)

POLICY = a_policy()
FULL, CODE = Mode.FULL_ENV, Mode.CODE_ONLY
BOTH = frozenset({"candidate", "production"})


def declared(**changes: object) -> DeclaredRuntime:
    return DeclaredRuntime(**{"environments": BOTH, **changes})  # type: ignore[arg-type]


def mode(kind: str, runtime: DeclaredRuntime | None, *, text: str | None = None, cluster: bool = True) -> object:
    return resolve_mode(kind, a_policy(text), runtime, cluster=cluster)


ROWS = [
    ("deploy", None, ModeChoice(FULL, "push_main")),
    ("discussion", declared(default_mode=FULL), ModeChoice(CODE, "discussion_mode")),
    ("reviewer", declared(default_mode=FULL), ModeChoice(CODE, "review")),
    ("dev", declared(trigger_modes={"dev": CODE}, default_mode=FULL), ModeChoice(CODE, "services_yaml")),
    ("intake", declared(trigger_modes={"dev": CODE}, default_mode=FULL), ModeChoice(FULL, "services_yaml")),
    ("dev_revise", declared(trigger_modes={"dev": CODE}), ModeChoice(CODE, "services_yaml")),
    ("doc_audit_revise", declared(trigger_modes={"doc_audit": FULL}), ModeChoice(FULL, "services_yaml")),
    ("dev_revise", declared(trigger_modes={"dev": CODE, "dev_revise": FULL}), ModeChoice(FULL, "services_yaml")),
    ("dev", declared(), ModeChoice(FULL, "policy_stage")),
    ("prd", declared(), ModeChoice(CODE, "policy_stage")),
    ("prd", None, ModeChoice(CODE, "policy_stage")),
    ("dev", None, ModeChoice(CODE, "policy_stage", "no_services_yaml")),
    ("dev", declared(environments=frozenset({"production"})), ModeChoice(CODE, "policy_stage", "no_services_yaml")),
    ("ops", declared(environments=frozenset({"candidate"})), ModeChoice(CODE, "policy_stage", "no_services_yaml")),
    ("ops", declared(environments=frozenset({"production"})), ModeChoice(FULL, "policy_stage")),
    (
        "intake",
        declared(default_mode=FULL, environments=frozenset()),
        ModeChoice(CODE, "services_yaml", "no_services_yaml"),
    ),
]


@pytest.mark.parametrize(("kind", "runtime", "expected"), ROWS)
def test_each_row_of_the_mode_at_launch(kind: str, runtime: DeclaredRuntime | None, expected: ModeChoice) -> None:
    assert mode(kind, runtime) == expected


def test_a_projects_policy_is_named_as_the_source() -> None:
    assert mode("dev", declared(), text="stages: {dev: {mode: code-only}}") == ModeChoice(CODE, "project_policy")


def test_without_a_cluster_a_full_environment_falls_back_and_says_so() -> None:
    assert mode("dev", declared(), cluster=False) == ModeChoice(CODE, "policy_stage", "no_cluster")
    assert mode("prd", declared(), cluster=False) == ModeChoice(CODE, "policy_stage")


def test_a_mode_outside_the_stages_modes_is_refused() -> None:
    runtime = declared(trigger_modes={"rethink": FULL})
    expected = LaunchRefusal("mode_not_allowed", params={"mode": "full-env", "allowed": "code-only"})
    assert mode("rethink", runtime) == expected


def test_a_broken_services_file_is_refused_where_it_is_asked() -> None:
    assert mode("dev", declared(valid=False)) == LaunchRefusal("stack_invalid", params={"problem": ""})
    assert mode("reviewer", declared(valid=False)) == ModeChoice(CODE, "review")


def test_a_stage_that_requires_its_environment_does_not_fall_back() -> None:
    text = "stages: {dev: {environment_required: true}}"
    expected = LaunchRefusal("environment_not_declared", params={"env": "slot"})
    assert mode("dev", None, text=text) == expected
    assert mode("dev", declared(), text=text, cluster=False) == expected


@pytest.mark.parametrize(
    ("kind", "where", "access"),
    [
        ("arch", "ai", "candidate"),
        ("dev_revise", "ai", "candidate"),
        ("qa", "ai", "candidate"),
        ("release_revise", "ai", "candidate"),
        ("postdeploy", "production", "production-readonly"),
        ("ops_revise", "production", "production-readonly"),
        ("ai_repair", "production", "repair"),
        ("deploy", "production", "code-only"),
        ("intake", "ai", "candidate"),
    ],
)
def test_each_kind_works_where_section_12_says(kind: str, where: str, access: str) -> None:
    assert target_environment(kind, FULL, POLICY) == where
    assert target_environment(kind, CODE, POLICY) is None
    assert access_profile(kind, FULL, POLICY) == access
    assert access_profile(kind, CODE, POLICY) == "code-only"
