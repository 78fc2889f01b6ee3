"""The built-in policy is complete and says what the specification's tables say."""

import pytest
from tests.unit.workflow.words import a_policy

from stagewright.contexts.workflow.api import (
    KindClass,
    KindUnknown,
    Mode,
    PathRule,
    builtin_policy,
    effective,
    effective_policy,
    kind_of,
    label_catalogue,
    limits,
)

POLICY = a_policy()

STAGES = """
intake       pm  code-only none                docs         -  60
vision       pm  code-only none                docs         -  60
prd          pm  code-only none                docs         -  60
arch         sa  full-env  slot                docs         -  90
design       sa  full-env  slot                docs         -  90
plan         em  full-env  slot                docs         -  60
dev          dev full-env  slot                any          - 180
doc-audit    km  code-only none                docs         -  60
qa           qa  full-env  candidate           docs         yes 120
release      em  full-env  candidate           docs         yes 60
postdeploy   sre full-env  production-readonly docs         -  60
ops          sre full-env  production-readonly docs         -  90
self-improve km  code-only none                self_improve -  90
"""


def test_the_stage_table_is_that_of_the_specification() -> None:
    rows = [line.split() for line in STAGES.strip().splitlines()]

    assert [row[0] for row in rows] == list(POLICY.stages)
    for key, role, mode, env, scope, candidate, minutes in rows:
        stage = POLICY.stages[key]
        assert (stage.role, stage.mode, stage.env, stage.scope) == (role, mode, env, scope), key
        assert stage.needs_candidate is (candidate == "yes"), key
        assert stage.limit_minutes == int(minutes), key
        assert stage.revise, key
        assert stage.result_required, key
        assert set(stage.modes) == set(Mode), key
        assert not stage.environment_required, key
        assert stage.artifacts, key
        assert stage.name.en != stage.name.ru, key


def test_the_flags_of_closing_stand_where_the_specification_says() -> None:
    assert {key for key, stage in POLICY.stages.items() if stage.closes_issue} == {"dev"}
    on_closed = {kind.key for kind in POLICY.kinds.values() if kind.on_closed_issue and not kind.revise}
    assert on_closed >= {"postdeploy", "ops", "doc_audit", "self_improve", "rethink"}
    assert not on_closed & {"intake", "vision", "prd", "arch", "design", "plan", "dev", "qa", "release", "ai_repair"}


def test_the_special_kinds_are_those_of_the_specification() -> None:
    rows = {
        key: (kind.role, kind.mode.value, kind.limit_minutes, kind.scope)
        for key, kind in POLICY.kinds.items()
        if kind.stage is None
    }
    assert rows == {
        "ai_repair": ("sre", "full-env", 60, "any"),
        "rethink": ("em", "code-only", 45, "docs"),
        "reviewer": ("reviewer", "code-only", 45, "none"),
        "discussion": (None, "code-only", 15, "none"),
        "deploy": (None, "full-env", 60, "none"),
    }
    assert POLICY.kinds["ai_repair"].publish == "held"
    talk = POLICY.special["discussion"]
    assert (talk.default_role, talk.idle_days, talk.max_attempts) == ("dev", 7, 30)


def test_every_kind_has_its_class() -> None:
    classes = {kind.key: kind.kind_class for kind in POLICY.kinds.values()}
    assert classes["dev"] is KindClass.FORWARD
    assert classes["dev_revise"] is KindClass.REVISE
    assert classes["doc_audit"] is classes["self_improve"] is KindClass.SIDE
    assert classes["doc_audit_revise"] is KindClass.REVISE
    assert classes["rethink"] is KindClass.RETHINK
    assert classes["ai_repair"] is KindClass.REPAIR
    assert classes["reviewer"] is KindClass.REVIEW
    assert classes["discussion"] is KindClass.DISCUSSION
    assert classes["deploy"] is KindClass.DEPLOY
    assert len(POLICY.kinds) == 13 * 2 + 5


def test_roles_and_limits_are_those_of_the_specification() -> None:
    of = limits(POLICY)
    assert {key: (role.limits.full_env, role.limits.code_only) for key, role in POLICY.roles.items()} == {
        "pm": (1, 1), "sa": (1, 1), "em": (1, 1), "sre": (1, 1),
        "km": (1, 2), "dev": (2, 2), "reviewer": (2, 2), "qa": (2, 2),
    }  # fmt: skip
    assert (of.project.total, of.project.full_env, of.project.code_only) == (4, 2, 3)
    assert (of.platform_total, of.deploy_reserve) == (20, 2)
    assert all(role.name.of("ru-RU") != role.name.of("de") for role in POLICY.roles.values())


def test_the_catalogue_holds_every_label_with_its_colour() -> None:
    labels = label_catalogue(POLICY)
    colors = {"trigger": "1f6feb", "review": "1f6feb", "mode": "8250df", "state": "57606a", "need": "bf8700"}
    counts: dict[str, int] = {}
    for label in labels:
        counts[label.label_class.value] = counts.get(label.label_class.value, 0) + 1
        assert label.color == colors.get(label.label_class.value, "1a7f37"), label.key
        assert label.text == label.key
        assert 0 < len(label.description) <= 100, label.key
        assert len(label.text) <= 50, label.key

    assert counts == {"trigger": 28, "review": 1, "mode": 1, "state": 5, "need": 7, "model": 7, "reasoning": 4}
    assert "run:debug" not in {label.key for label in labels}


def test_labels_of_disabled_stages_are_not_in_the_catalogue() -> None:
    keys = {label.key for label in label_catalogue(a_policy("stages: {dev: {enabled: false}}"))}
    assert not keys & {"run:dev", "run:dev:revise"}


def test_profiles_gates_and_protected_paths_are_those_of_the_specification() -> None:
    paths = POLICY.profiles.paths
    assert POLICY.profiles.order == ("quick-fix", "feature", "new-service")
    assert POLICY.profiles.default == "feature"
    assert paths["quick-fix"] == ("intake", "plan", "dev", "qa", "release", "postdeploy", "ops")
    assert paths["feature"] == ("intake", "prd", "design", "plan", "dev", "qa", "release", "postdeploy", "ops")
    assert paths["new-service"] == POLICY.profiles.full_path
    assert len(POLICY.profiles.full_path) == 11
    assert (POLICY.gates.blocked, POLICY.gates.in_review, POLICY.gates.need) == ("enforce", "enforce", "enforce")
    assert POLICY.gates.stage_order == "advise"
    rules = {row.path: row.rule for row in POLICY.protected_paths}
    assert rules[".github/**"] is rules[".stagewright/policy.yaml"] is rules["services.yaml"] is PathRule.OWNER_REVIEW
    assert rules[".gitmodules"] is PathRule.DENY


def test_models_and_levels_are_those_of_the_specification() -> None:
    assert [entry.label for entry in POLICY.models.values() if entry.label] == [
        f"[ai-model-{key}]" for key, entry in POLICY.models.items() if entry.engine == "codex"
    ]
    assert POLICY.models["rehearsal"].engine == "scripted"
    assert list(POLICY.reasoning) == ["low", "medium", "high", "extra-high"]
    assert POLICY.reasoning["extra-high"].effort["codex"] == "xhigh"
    assert (POLICY.defaults.model, POLICY.defaults.reasoning) == ("gpt-5.4", "high")
    assert {entry.engine for entry in POLICY.models.values()} == {"codex", "claude", "command", "scripted"}


def test_the_demos_policy_needs_no_credential() -> None:
    policy = a_policy("defaults: {model: rehearsal}\nstages: {dev: {model: rehearsal}}\n")
    assert policy.defaults.model == policy.kinds["dev"].model == "rehearsal"


def test_the_policy_is_loaded_once_and_its_hash_is_that_of_its_content() -> None:
    assert builtin_policy() is builtin_policy()
    assert len(POLICY.hash) == 64
    assert effective_policy("# only a comment\n").hash == POLICY.hash
    assert effective_policy("limits: {project: {total: 4}}").hash == POLICY.hash
    assert effective_policy("limits: {project: {total: 3}}").hash != POLICY.hash


def test_the_order_of_profiles_counts_in_the_hash() -> None:
    variants = "profiles: {default: b, variants: null, choose_when: null, paths: {quick-fix: null, feature: null, "
    one = a_policy(variants + "new-service: null, a: [dev], b: [dev, qa]}}\nnext_steps: {rethink: null}")
    two = a_policy(variants + "new-service: null, b: [dev, qa], a: [dev]}}\nnext_steps: {rethink: null}")

    assert one.profiles.order != two.profiles.order
    assert one.hash != two.hash


def test_the_source_of_each_value_is_shown() -> None:
    policy = a_policy("stages: {dev: {limit_minutes: 90}}", platform_text="budgets: {run_usd: 5, issue_usd: null}")
    shown = effective(policy)

    assert shown["hash"] == policy.hash
    assert shown["policy"]["stages"]["dev"]["limit_minutes"] == 90
    assert shown["sources"]["/stages/dev/limit_minutes"] == "project"
    assert shown["sources"]["/stages/dev/role"] == "builtin"
    assert shown["sources"]["/budgets/run_usd"] == "platform"
    assert "/budgets/issue_usd" not in shown["sources"]
    assert policy.budgets.issue_usd is None
    shown["policy"]["stages"].clear()
    assert policy.document["stages"]


def test_a_project_adds_stages_roles_models_and_scopes_of_its_own() -> None:
    policy = a_policy(
        """
        roles: {ux: {name: Designer, limits: {full-env: 1, code-only: 1}, prompt: ux, model: sketch}}
        models: {sketch: {engine: claude, id: claude-x, label: "[ai-model-sketch]"}}
        scopes: {web: {allow: ["web/**"]}}
        stages:
          mock-up: {
            description: UX first, role: ux, mode: code-only, env: none, scope: web, limit_minutes: 30, side: true
            }
        labels: {names: {"run:mock-up": "ai: mock-up"}}
        """
    )
    kind = policy.kinds["mock_up"]

    assert (kind.kind_class, kind.role, kind.scope, kind.label) == (KindClass.SIDE, "ux", "web", "run:mock-up")
    assert policy.kinds["mock_up_revise"].revise
    assert policy.roles["ux"].name.ru == "Designer"
    assert {"run:mock-up", "run:mock-up:revise", "[ai-model-sketch]"} <= set(policy.catalogue)
    assert policy.catalogue["run:mock-up"].text == "ai: mock-up"
    assert policy.catalogue["run:mock-up:revise"].description == "Revise the result: UX first"
    assert policy.catalogue["run:dev:revise"].description.startswith("Revise the result: write the code")


def test_an_unknown_kind_is_not_found() -> None:
    assert kind_of(POLICY, "dev_revise").stage == "dev"
    with pytest.raises(KindUnknown, match="knows no kind 'cook'"):
        kind_of(POLICY, "cook")
