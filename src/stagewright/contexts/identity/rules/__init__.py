"""Decisions of identity: permissions, who may change whom, logins."""

from stagewright.contexts.identity.rules.permissions import (
    ADMIN,
    BOTH,
    EVERYBODY,
    ONLY_OWNER,
    OWNER,
    TABLE,
    Permission,
    Row,
    allows,
    expand_scopes,
    grantors,
    has_role,
    has_scope,
    may_start_runs,
    sees,
    visible_projects,
)

__all__ = [
    "ADMIN",
    "BOTH",
    "EVERYBODY",
    "ONLY_OWNER",
    "OWNER",
    "TABLE",
    "Permission",
    "Row",
    "allows",
    "expand_scopes",
    "grantors",
    "has_role",
    "has_scope",
    "may_start_runs",
    "sees",
    "visible_projects",
]
