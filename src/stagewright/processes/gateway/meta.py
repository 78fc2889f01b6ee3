"""What a client learns first: which screens this server can fill, and every value of every enumeration.

A screen exists when the routes it reads exist here; nobody keeps a second list. Screens of one platform permission are
left out for those who lack it: what is absent has no entry in the navigation.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from stagewright.contexts.approvals.api import RequestKind, RequestState
from stagewright.contexts.identity.api import Permission, PlatformRole, Principal, ProjectRole, Scope, allows
from stagewright.contexts.incidents.api import IncidentState, Level
from stagewright.contexts.overview.api import InboxKind
from stagewright.contexts.projects.api import Binding, RepositoryState
from stagewright.contexts.runs.http.logs import Stream
from stagewright.contexts.runs.model import AttemptStatus, EffectStatus, FailureClass, RunStatus, WaitKind
from stagewright.contexts.vault.api import CredentialKind, CredentialScope

PROJECT = "/projects/{}"
SCREENS: Mapping[str, tuple[str, ...]] = {
    "inbox": ("/inbox",),
    "runs": ("/runs", "/runs/{}"),
    "waits": ("/waits",),
    "approvals": ("/approvals",),
    "questions": ("/approvals/{}:answer",),
    "deploy": ("/deploys",),
    "projects": ("/projects", PROJECT),
    "repositories": (f"{PROJECT}/repositories",),
    "members": (f"{PROJECT}/members",),
    "users": ("/users",),
    "config": (f"{PROJECT}/config",),
    "errors": ("/incidents",),
    "audit": ("/audit",),
    "docsets": (f"{PROJECT}/docsets",),
    "issues": ("/issues/{}/{}/{}",),
    "agents": (f"{PROJECT}/agents",),
    "labels": ("/policy", f"{PROJECT}/repositories/{{}}/labels"),
    "tools": (f"{PROJECT}/tools",),
    "cluster": ("/environments/{}/objects/{}",),
    "settings": ("/settings",),
    "about": ("/system",),
    "profile": ("/me", "/me/tokens"),
    "databases": (f"{PROJECT}/databases",),
}
"""Screen keys and the routes each cannot do without."""

NEEDS = {
    "users": Permission.USER_MANAGE,
    "settings": Permission.SETTINGS_MANAGE,
    "about": Permission.PLATFORM_OPERATE,
}
PREFIX = "/api/v1"
PARAMETER = re.compile(r"\{\w+\}")


class Channel(StrEnum):
    """Through which door a change came."""

    CONSOLE = "console"
    CLI = "cli"
    MESSENGER = "messenger"
    GITHUB = "github"
    MCP = "mcp"
    SYSTEM = "system"


ENUMS: Mapping[str, Sequence[str]] = {
    name: [str(item) for item in values]
    for name, values in {
        "run_status": RunStatus,
        "failure_class": FailureClass,
        "attempt_status": AttemptStatus,
        "wait_kind": WaitKind,
        "wait_reason": WaitKind,
        "wait_status": ("open", "resolved", "expired", "cancelled"),
        "approval_kind": RequestKind,
        "approval_state": RequestState,
        "effect_status": EffectStatus,
        "link_state": ("in_review", "approved", "merged", "closed", "superseded"),
        "log_stream": Stream,
        "platform_role": PlatformRole,
        "project_role": ProjectRole,
        "user_state": ("invited", "active", "disabled"),
        "permission": Permission,
        "token_scope": Scope,
        "repository_binding": Binding,
        "repository_state": RepositoryState,
        "credential_kind": CredentialKind,
        "credential_scope": CredentialScope,
        "incident_level": Level,
        "incident_state": IncidentState,
        "inbox_kind": InboxKind,
        "audit_channel": Channel,
        "action_mode": ("allow", "dry_run", "deny"),
        "locale": ("en", "ru"),
    }.items()
}


def features(paths: Iterable[str], principal: Principal) -> list[str]:
    """Return the keys of the screens that ``paths`` (templates of the routes) can fill for ``principal``."""
    served = {PARAMETER.sub("{}", path.removeprefix(PREFIX)) for path in paths}
    return [key for key, routes in SCREENS.items() if served.issuperset(routes) and _permitted(key, principal)]


def _permitted(key: str, principal: Principal) -> bool:
    if key == "audit":
        return audits_somewhere(principal)
    return key not in NEEDS or allows(principal, NEEDS[key])


def audits_somewhere(principal: Principal) -> bool:
    """Say whether there is a journal the principal may read: the installation's, or a project's."""
    if allows(principal, Permission.AUDIT_VIEW_INSTALLATION):
        return True
    return any(allows(principal, Permission.AUDIT_VIEW, item.project_id) for item in principal.memberships)
