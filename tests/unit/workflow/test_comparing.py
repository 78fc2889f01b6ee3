"""Two policies beside each other: what the other one means differently, and for what is going on."""

import pytest
from tests.unit.workflow.words import a_policy

from stagewright.contexts.workflow.api import GoingOn, compare_policies, foresee, step_matrix

POLICY = a_policy()


def changes(text: str) -> list[tuple[str, str, str, str | None]]:
    found = compare_policies(POLICY, a_policy(text))
    return [(item.area, item.subject, item.kind.value, item.field) for item in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("version: 1", set()),
        ("stages: {dev: {limit_minutes: 240}}", {("stages", "dev", "changed", "limit_minutes")}),
        ("gates: {stage_order: enforce}", {("gates", "stage_order", "changed", None)}),
        ('labels: {names: {"run:dev": "ai: implement"}}', {("labels", "run:dev", "changed", "text")}),
        ('labels: {aliases: {"run:dev": ["go"]}}', {("label_aliases", "run:dev", "added", None)}),
        ("limits: {project: {total: 3}}", {("limits", "project.total", "changed", None)}),
        ("roles: {dev: {limits: {full-env: 1}}}", {("roles", "dev", "changed", "limits.full_env")}),
        ("budgets: {run_usd: 5}", {("budgets", "run_usd", "changed", None)}),
        ("defaults: {model: rehearsal}", {("defaults", "model", "changed", None)}),
        (
            "profiles: {default: new-service}",
            {("profile_order", "default", "changed", None)},
        ),
        (
            "stages: {own: {role: km, mode: code-only, env: none, scope: docs, limit_minutes: 5, side: true}}",
            {
                ("stages", "own", "added", None),
                ("labels", "run:own", "added", None),
                ("labels", "run:own:revise", "added", None),
                ("next_steps", "own", "added", None),
            },
        ),
    ],
)
def test_what_means_something_else_is_named(text: str, expected: set[tuple[str, str, str, str | None]]) -> None:
    assert set(changes(text)) == expected


def test_a_path_changes_the_next_steps_that_follow_from_it() -> None:
    text = "profiles: {paths: {feature: [intake, prd, plan, dev, qa, release, postdeploy, ops]}}"
    found = compare_policies(POLICY, a_policy(text))
    assert ("profiles", "feature") in {(item.area, item.subject) for item in found}
    prd = next(item for item in found if (item.area, item.subject) == ("next_steps", "prd"))
    assert (prd.before or "").count("run:design") == 1
    assert "run:design" not in (prd.after or "")


def test_values_are_told_before_and_after() -> None:
    (change,) = compare_policies(POLICY, a_policy("stages: {dev: {limit_minutes: 240}}"))
    assert (change.before, change.after) == ("180", "240")


def test_the_matrix_names_every_stage_and_no_talk() -> None:
    matrix = step_matrix(POLICY)
    assert matrix["plan"][:2] == ("run:plan:revise [revise]", "run:dev [all_flows]")
    assert "discussion" not in matrix
    assert set(matrix) >= {"intake", "rethink", "doc_audit"}


OWN = "stages: {own: {role: km, mode: code-only, env: none, scope: docs, limit_minutes: 5, side: true}}"

TINY = "profiles: {paths: {tiny: [dev]}, variants: {tiny: tiny_flow}, choose_when: {tiny: one line}}"


@pytest.mark.parametrize(
    ("before", "after", "going_on", "expected"),
    [
        ("", "stages: {dev: {limit_minutes: 240}}", GoingOn(runs=[(4, "dev")]), []),
        (OWN, "", GoingOn(runs=[(4, "own"), (5, "dev")]), [("run_kind_gone", "own", (4,))]),
        ("", "stages: {dev: {enabled: false}}", GoingOn(runs=[(4, "dev")]), [("run_stage_off", "dev", (4,))]),
        (OWN, "", GoingOn(links=[(9, "own"), (8, "dev")]), [("link_stage_gone", "own", (9,))]),
        (
            "",
            'labels: {names: {"run:dev": "go"}}',
            GoingOn(labels=[(7, ("run:dev", "bug"))]),
            [("label_renamed", "run:dev -> go", (7,))],
        ),
        (OWN, "", GoingOn(labels=[(7, ("run:own",))]), [("label_means_nothing", "run:own", (7,))]),
        (
            "",
            "profiles: {paths: {feature: [intake, prd, plan, dev, qa, release, postdeploy, ops]}}",
            GoingOn(profiles=[(7, "feature"), (8, "quick-fix")]),
            [("path_changed", "feature", (7,))],
        ),
        (TINY, "", GoingOn(profiles=[(7, "tiny")]), [("profile_gone", "tiny", (7,))]),
    ],
)
def test_what_is_going_on_is_warned_of(
    before: str, after: str, going_on: GoingOn, expected: list[tuple[str, str, tuple[int, ...]]]
) -> None:
    found = foresee(a_policy(before), a_policy(after), going_on)
    assert [(item.code, item.subject, item.met) for item in found] == expected
