"""WF6: a project's file only narrows what protects, stays under the ceilings, and does not speak for the platform."""

import pytest
from tests.unit.workflow.words import a_policy

from stagewright.contexts.workflow.api import PolicyInvalid, builtin_text, load_policy

HELD = "{path: '.github/**', rule: owner_review}, {path: .stagewright/policy.yaml, rule: owner_review}"
PROTECTED = f"{HELD}, {{path: services.yaml, rule: owner_review}}"
LOCKED = """self_improve: {locked: [.stagewright/policy.yaml, ".stagewright/evals/**", ".github/**", services.yaml,
 ".stagewright/prompts/stage/self-improve.*", ".stagewright/prompts/base.*"%s]}"""


def codes(text: str, *, platform_text: str | None = None) -> list[tuple[str, str]]:
    with pytest.raises(PolicyInvalid) as caught:
        a_policy(text, platform_text=platform_text)
    return [(problem.pointer, problem.code) for problem in caught.value.problems]


LOOSER = [
    (f"protected_paths: [{HELD}]", "/protected_paths", "loosened"),
    (f"protected_paths: [{PROTECTED}, {{path: .gitmodules, rule: owner_review}}]", "/protected_paths", "loosened"),
    ("protected_paths: null", "/protected_paths", "loosened"),
    ("self_improve: {locked: [.stagewright/policy.yaml]}", "/self_improve/locked", "loosened"),
    ("senders: {automation_allow: ['github-merge-queue[bot]', 'x[bot]']}", "/senders/automation_allow/1", "loosened"),
    ("limits: {project: {total: 13}}", "/limits/project/total", "ceiling"),
    ("roles: {dev: {limits: {full-env: 5}}}", "/roles/dev/limits/full-env", "ceiling"),
    ("roles: {ux: {name: X, limits: {full-env: 1, code-only: 7}}}", "/roles/ux/limits/code-only", "ceiling"),
    ("budgets: {run_usd: 50.5}", "/budgets/run_usd", "ceiling"),
    ("budgets: {run_usd: null}", "/budgets/run_usd", "loosened"),
    ("ceilings: {roles: {full-env: 9}}", "/ceilings", "not_here"),
    ("engines: {command: {argv: [sh]}}", "/engines/command/argv", "not_here"),
    ("engines: {other: {enabled: true, credential: false, argv: [sh]}}", "/engines/other/argv", "not_here"),
    ("limits: {platform: {total: 1}}", "/limits/platform", "not_here"),
]


@pytest.mark.parametrize(("text", "pointer", "code"), LOOSER)
def test_each_loosening_is_refused(text: str, pointer: str, code: str) -> None:
    assert (pointer, f"policy.{code}") in codes(text)


NARROWER = [
    f"protected_paths: [{PROTECTED}, {{path: .gitmodules, rule: deny}}, {{path: 'db/**', rule: deny}}]",
    f"protected_paths: [{PROTECTED.replace('owner_review', 'deny')}, {{path: .gitmodules, rule: deny}}]",
    LOCKED % ", docs/x.md",
    "senders: {automation_allow: []}",
    "limits: {project: {total: 1, full-env: 1, code-only: 0}}",
    "limits: {project: {total: 12}}",
    "roles: {dev: {limits: {full-env: 4, code-only: 0}}}",
    "budgets: {run_usd: 50, issue_usd: 0}",
    "special: {ai_repair: {publish: default_branch}}",
    "approvals: []",
]


@pytest.mark.parametrize("text", NARROWER)
def test_narrowing_and_raising_to_the_ceiling_is_free(text: str) -> None:
    assert a_policy(text).hash != a_policy().hash


def test_the_platforms_file_is_not_bound_by_what_binds_projects() -> None:
    policy = a_policy(
        platform_text="""
        engines: {command: {argv: [agent, "{prompt_file}"]}}
        limits: {project: {total: 100}, platform: {total: 200}}
        budgets: {run_usd: null}
        senders: {automation_allow: []}
        protected_paths: []
        """
    )
    assert policy.engines["command"].argv == ("agent", "{prompt_file}")
    assert (policy.limits.platform_total, policy.protected_paths) == (200, ())
    with pytest.raises(PolicyInvalid, match="ceilings stand in the built-in policy only"):
        a_policy(platform_text="ceilings: {roles: {full-env: 9}}")


def test_a_project_may_keep_what_the_platform_raised_and_not_raise_it_further() -> None:
    raised = "limits: {project: {total: 100}}"
    assert a_policy("limits: {project: {total: 100}}", platform_text=raised).limits.project.total == 100
    assert a_policy("limits: {project: {total: 99}}", platform_text=raised).limits.project.total == 99
    assert ("/limits/project/total", "policy.ceiling") in codes("limits: {project: {total: 101}}", platform_text=raised)


def test_a_ceiling_on_publishing_repairs_holds_against_the_project() -> None:
    text = "special:\n  ai_repair: {publish: default_branch}\n"
    strict = builtin_text().replace("ai_repair: {publish: default_branch}", "ai_repair: {publish: pull_request}")

    assert a_policy(text).special["ai_repair"].publish == "default_branch"
    with pytest.raises(PolicyInvalid, match="line 2: default_branch is more than the ceiling pull_request"):
        load_policy(strict, text)


def a_row(action: str, kinds: str, roles: str, env: str, approval: str, **more: str) -> str:
    row = {"id": "x", "action": action, "kinds": kinds, "roles": roles, "env": env, "approval": approval, **more}
    return "{" + ", ".join(f"{key}: {value}" for key, value in row.items()) + "}"


def a_repair(approval: str = "owner", **more: str) -> str:
    strict = {"self_approval": "false"}
    return a_row("run.start", "[ai_repair]", "all", "production", approval, **{**strict, **more})


SECRETS = "'secret_sync_*'"
FULL = {"modes": "[full-env]"}
APPROVALS = [
    # what no row allowed before
    (a_row("secret_sync_k8s", "[plan]", "all", "ai", "owner"), False),
    (a_row("secret_sync_k8s", "[ops]", "[sre]", "production", "owner", modes="[code-only]"), False),
    (a_row("github_comment_create", "[reviewer]", "all", "any", "none"), False),
    # looser than the row that was there
    (a_row(SECRETS, "[ops]", "[sre]", "ai", "none", **FULL), False),
    (a_repair("delegated"), False),
    (a_repair(self_approval="true"), False),
    (a_repair(typed_confirm="false"), False),
    (a_repair(expires_in="30d"), False),
    (a_repair(execute_within="2d"), False),
    (a_repair(on_expiry="resume"), False),
    (a_repair(grantable="true"), False),
    # as strict or stricter
    (a_repair(), True),
    (a_repair("deny"), True),
    (a_row(SECRETS, "[ops]", "[sre]", "ai", "owner", **FULL), True),
    (a_row("request_get", "all", "[dev]", "any", "none"), True),
    (a_row("environment.delete", "all", "all", "production", "owner", self_approval="false", expires_in="60m"), True),
]


@pytest.mark.parametrize(("row", "allowed"), APPROVALS)
def test_each_cell_of_the_matrix_is_compared(row: str, allowed: bool) -> None:
    text = f"approvals: [{row}]"
    if allowed:
        assert len(a_policy(text).approvals) == 1
    else:
        assert codes(text) == [("/approvals/0", "policy.loosened")]


def test_a_first_row_that_loosens_is_named_once_with_the_cell() -> None:
    with pytest.raises(PolicyInvalid) as caught:
        a_policy("approvals:\n- {id: all, action: 'secret_sync_*', kinds: all, roles: all, env: any, approval: none}\n")
    (problem,) = caught.value.problems
    assert problem.message.startswith("line 2: row 'all' is looser than the platform's policy (secret_sync_k8s")
