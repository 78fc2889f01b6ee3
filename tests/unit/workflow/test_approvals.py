"""The approval matrix of the built-in policy, and the tools that follow from it (tools.md 2 and 7.1)."""

import pytest
from tests.unit.workflow.words import a_policy

from stagewright.contexts.workflow.api import Mode, match_row, tool_catalogue
from stagewright.contexts.workflow.rules.actions import ACTIONS, READ_TOOLS, action_matches, is_known_action

POLICY = a_policy()
FULL, CODE = Mode.FULL_ENV, Mode.CODE_ONLY
WRITE = {"github_labels_add", "github_labels_remove", "github_labels_transition", "github_comment_create"}
ASK = {"user_notify", "user_decision_request", "owner_feedback_request"}
IMPROVE = {"self_improve_runs_list", "self_improve_run_lookup", "self_improve_session_get"}
SECRETS = {"secret_sync_k8s", "secret_sync_github"}

CELLS = [
    ("secret_sync_k8s", "dev", "dev", FULL, "ai", "sec-ai"),
    ("secret_sync_github", "qa", "qa", FULL, "ai", "sec-ai"),
    ("secret_sync_github", "dev", "dev", CODE, "ai", None),
    ("secret_sync_k8s", "dev", "dev", FULL, "persistent", "gov-persistent"),
    ("secret_sync_k8s", "qa", "qa", FULL, "persistent", None),
    ("secret_sync_k8s", "ops", "sre", FULL, "production", "gov-production"),
    ("secret_sync_k8s", "dev", "dev", FULL, "production", None),
    ("database_lifecycle:create", "dev_revise", "dev", FULL, "ai", "db-create-ai"),
    ("database_lifecycle:delete", "dev", "dev", FULL, "ai", "db-delete-ai"),
    ("database_lifecycle:delete", "qa", "qa", FULL, "ai", None),
    ("database_lifecycle:delete", "ops", "sre", FULL, "persistent", "gov-persistent"),
    ("database_lifecycle:delete", "ops", "sre", FULL, "production", None),
    ("database_lifecycle:create", "ai_repair", "sre", FULL, "production", "gov-production"),
    ("database_lifecycle:describe", "qa", "qa", CODE, "production", "describe"),
    ("environment_redeploy", "dev", "dev", FULL, "ai", "redeploy"),
    ("environment_redeploy", "dev", "dev", CODE, "ai", None),
    ("environment_redeploy", "qa", "qa", FULL, "ai", None),
    ("github_comment_create", "reviewer", "reviewer", CODE, "ai", None),
    ("github_comment_create", "plan", "em", CODE, "ai", "write"),
    ("user_decision_request", "self_improve", "km", CODE, "ai", None),
    ("user_decision_request", "rethink", "em", CODE, "ai", "ask"),
    ("self_improve_runs_list", "self_improve_revise", "km", CODE, "ai", "improve"),
    ("self_improve_runs_list", "doc_audit", "km", CODE, "ai", None),
    ("run.start", "ai_repair", "sre", FULL, "production", "repair-start"),
    ("result.publish", "dev", "dev", CODE, "ai", "publish-held"),
    ("deploy.start", "deploy", None, FULL, "production", "deploy-start"),
    ("environment.delete", "deploy", None, FULL, "production", "environment-delete"),
    ("environment.adopt", "deploy", None, FULL, "production", "environment-adopt"),
    ("environment.delete", "deploy", None, FULL, "ai", None),
    ("config.apply", "deploy", None, FULL, "persistent", "config-apply"),
    ("secret_sync_k8s", "ops", None, FULL, "production", None),
]


@pytest.mark.parametrize(("action", "kind", "role", "mode", "env", "row_id"), CELLS)
def test_cells_of_the_built_in_matrix(
    action: str, kind: str, role: str | None, mode: Mode, env: str, row_id: str | None
) -> None:
    row = match_row(POLICY.approvals, action, kind=kind, role=role, mode=mode, env=env)
    assert (row.id if row is not None else None) == row_id


def test_the_rows_carry_what_the_specification_says() -> None:
    rows = {row.id: row for row in POLICY.approvals}
    production = rows["gov-production"]
    assert (production.approval, production.self_approval) == ("owner", False)
    assert (production.expires_in, production.execute_within) == (72 * 3600, 4 * 3600)
    assert (rows["sec-ai"].approval, rows["sec-ai"].grantable) == ("delegated", True)
    assert (rows["read"].approval, rows["read"].expires_in, rows["read"].execute_within) == ("none", 604800, 86400)
    assert [row_id for row_id, row in rows.items() if not row.self_approval] == [
        "gov-production",
        "repair-start",
        "environment-delete",
        "environment-adopt",
        "config-apply",
    ]


@pytest.mark.parametrize(
    ("role", "kind", "mode", "more"),
    [
        ("dev", "dev", FULL, WRITE | ASK | SECRETS | {"database_lifecycle", "environment_redeploy"}),
        ("dev", "dev", CODE, WRITE | ASK | {"database_lifecycle"}),
        ("reviewer", "reviewer", CODE, ASK),
        ("dev", "discussion", CODE, set()),
        ("km", "self_improve", CODE, WRITE | IMPROVE),
        ("km", "doc_audit", CODE, WRITE | ASK),
        ("pm", "prd", CODE, WRITE | ASK),
    ],
)
def test_the_tools_of_a_run_follow_from_the_matrix(role: str, kind: str, mode: Mode, more: set[str]) -> None:
    assert tool_catalogue(POLICY, role, kind, mode) == set(READ_TOOLS) | more


def test_an_unknown_role_or_kind_is_offered_nothing() -> None:
    assert tool_catalogue(POLICY, "cook", "dev", FULL) == frozenset()
    assert tool_catalogue(POLICY, "dev", "cook", FULL) == frozenset()


def test_a_denied_tool_is_not_offered() -> None:
    text = "approvals: [{id: x, action: secret.sync.k8s, kinds: all, roles: all, env: any, approval: deny}]"
    assert tool_catalogue(a_policy(text), "dev", "dev", FULL) == frozenset()


def test_actions_are_named_exactly_by_tool_or_with_a_star() -> None:
    assert action_matches("database_lifecycle", "database_lifecycle:create")
    assert action_matches("database.lifecycle:create", "database_lifecycle:create")
    assert not action_matches("database_lifecycle:delete", "database_lifecycle:create")
    assert action_matches("secret_sync_*", "secret_sync_github")
    assert action_matches("run.start", "run.start")
    assert all(is_known_action(action) for action in ACTIONS)
    assert not is_known_action("fly")
