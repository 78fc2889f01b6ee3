"""The actions an approval row may name, and which row decides for one action of one run."""

from collections.abc import Iterable, Sequence

from stagewright.contexts.workflow.model.policy import ApprovalRow, Kind, Mode, Policy

READ_TOOLS = (
    "prompt_context_get",
    "request_get",
    "run_status_report",
    "github_labels_list",
    "github_issue_get",
    "github_issue_comments_list",
    "github_pull_request_get",
    "github_pull_request_diff",
    "github_review_threads_list",
)
TOOLS = (
    *READ_TOOLS,
    "github_labels_add",
    "github_labels_remove",
    "github_labels_transition",
    "github_comment_create",
    "user_notify",
    "user_decision_request",
    "owner_feedback_request",
    "self_improve_runs_list",
    "self_improve_run_lookup",
    "self_improve_session_get",
    "database_lifecycle:describe",
    "database_lifecycle:create",
    "database_lifecycle:delete",
    "environment_redeploy",
    "secret_sync_k8s",
    "secret_sync_github",
)
PLATFORM_ACTIONS = (
    "run.start",
    "result.publish",
    "deploy.start",
    "environment.delete",
    "environment.adopt",
    "config.apply",
)
ACTIONS = (*TOOLS, *PLATFORM_ACTIONS)
ENVIRONMENTS = ("ai", "persistent", "production")


def _spelled(action: str) -> str:
    return action if action in PLATFORM_ACTIONS else action.replace(".", "_")


def action_matches(pattern: str, action: str) -> bool:
    """Say whether a row's ``pattern`` names ``action``: exactly, without its verb, or by a ``*`` at the end."""
    wanted = _spelled(pattern)
    if wanted.endswith("*"):
        return action.startswith(wanted[:-1])
    return action == wanted or action.split(":")[0] == wanted


def is_known_action(pattern: str) -> bool:
    """Say whether ``pattern`` names at least one action."""
    return any(action_matches(pattern, action) for action in ACTIONS)


def kind_matches(patterns: Iterable[str], kind: str) -> bool:
    """Say whether a row's kinds hold ``kind``: ``*`` is every kind, ``!kind`` takes one out."""
    listed = tuple(patterns)
    return f"!{kind}" not in listed and (kind in listed or "*" in listed)


def match_row(
    rows: Sequence[ApprovalRow], action: str, *, kind: str, role: str | None, mode: Mode, env: str
) -> ApprovalRow | None:
    """Return the first row that decides for ``action`` (``tool[:verb]``); None means deny."""
    for row in rows:
        if (
            row.env in ("any", env)
            and mode in row.modes
            and kind_matches(row.kinds, kind)
            and ("*" in row.roles or (role is not None and role in row.roles))
            and any(action_matches(pattern, action) for pattern in row.action)
        ):
            return row
    return None


def tool_catalogue(policy: Policy, role: str, kind: str, mode: Mode) -> frozenset[str]:
    """Return the tools a run is offered: those whose first matching row in some environment is not ``deny``.

    An unknown role, kind or mode is offered nothing (``tools.md`` section 2).
    """
    row_of: Kind | None = policy.kinds.get(kind)
    if row_of is None or role not in policy.roles:
        return frozenset()
    granted: set[str] = set()
    for action in TOOLS:
        for env in ENVIRONMENTS:
            row = match_row(policy.approvals, action, kind=kind, role=role, mode=mode, env=env)
            if row is not None and row.approval != "deny":
                granted.add(action.split(":")[0])
    return frozenset(granted)
