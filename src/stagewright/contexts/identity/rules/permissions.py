"""The one list of permissions (specification: access, section 3) and the one function that answers by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from stagewright.contexts.identity.model import PlatformRole, Principal, ProjectRole, Scope


class Permission(StrEnum):
    """Everything a route can ask for."""

    SIGNED_IN = "signed_in"
    PROJECT_VIEW = "project.view"
    RUN_START = "run.start"
    RUN_CONTROL = "run.control"
    BUDGET_MANAGE = "budget.manage"
    APPROVAL_DECIDE = "approval.decide"
    APPROVAL_DECIDE_OWNER = "approval.decide_owner"
    INCIDENT_HANDLE = "incident.handle"
    CREDENTIALS_READ = "credentials.read"
    CREDENTIALS_MANAGE = "credentials.manage"
    REPOSITORY_MANAGE = "repository.manage"
    PROJECT_EDIT = "project.edit"
    MEMBER_MANAGE = "member.manage"
    AUDIT_VIEW = "audit.view"
    AUDIT_VIEW_INSTALLATION = "audit.view_installation"
    PROJECT_CREATE = "project.create"
    USER_MANAGE = "user.manage"
    SETTINGS_MANAGE = "settings.manage"
    CONFIG_PLATFORM = "config.platform"
    PLATFORM_OPERATE = "platform.operate"
    PROJECT_DELETE = "project.delete"
    USER_ROLES = "user.roles"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: the token scope, the project roles and the platform roles that have the permission."""

    scope: Scope | None
    project_roles: frozenset[ProjectRole]
    platform_roles: frozenset[PlatformRole]
    in_project: bool = True


R, W, A = ProjectRole.READ, ProjectRole.READ_WRITE, ProjectRole.ADMIN
ADMIN, OWNER = PlatformRole.ADMIN, PlatformRole.OWNER
EVERYBODY = frozenset(PlatformRole)
BOTH = frozenset({ADMIN, OWNER})
ONLY_OWNER = frozenset({OWNER})


def _project(scope: Scope, *roles: ProjectRole, platform: frozenset[PlatformRole] = BOTH) -> Row:
    return Row(scope, frozenset(roles), platform)


def _platform(scope: Scope | None, roles: frozenset[PlatformRole]) -> Row:
    return Row(scope, frozenset(), roles, in_project=False)


TABLE: Mapping[Permission, Row] = {
    Permission.SIGNED_IN: _platform(Scope.READ, EVERYBODY),
    Permission.PROJECT_VIEW: _project(Scope.READ, R, W, A),
    Permission.RUN_START: _project(Scope.OPERATE, W, A),
    Permission.RUN_CONTROL: _project(Scope.OPERATE, W, A),
    Permission.BUDGET_MANAGE: _project(Scope.MANAGE, A, platform=ONLY_OWNER),
    Permission.APPROVAL_DECIDE: _project(Scope.DECIDE, W, A),
    Permission.APPROVAL_DECIDE_OWNER: _project(Scope.DECIDE, A, platform=ONLY_OWNER),
    Permission.INCIDENT_HANDLE: _project(Scope.OPERATE, W, A),
    Permission.CREDENTIALS_READ: _project(Scope.READ, W, A),
    Permission.CREDENTIALS_MANAGE: _project(Scope.MANAGE, A),
    Permission.REPOSITORY_MANAGE: _project(Scope.MANAGE, A),
    Permission.PROJECT_EDIT: _project(Scope.MANAGE, A),
    Permission.MEMBER_MANAGE: _project(Scope.MANAGE, A),
    Permission.AUDIT_VIEW: _project(Scope.READ, A),
    Permission.AUDIT_VIEW_INSTALLATION: _platform(Scope.READ, BOTH),
    Permission.PROJECT_CREATE: _platform(Scope.PLATFORM, BOTH),
    Permission.USER_MANAGE: _platform(Scope.PLATFORM, BOTH),
    Permission.SETTINGS_MANAGE: _platform(Scope.PLATFORM, BOTH),
    Permission.CONFIG_PLATFORM: _platform(Scope.PLATFORM, ONLY_OWNER),
    Permission.PLATFORM_OPERATE: _platform(Scope.PLATFORM, BOTH),
    Permission.PROJECT_DELETE: _platform(None, ONLY_OWNER),
    Permission.USER_ROLES: _platform(None, ONLY_OWNER),
}


def allows(principal: Principal, permission: Permission, project_id: UUID | None = None) -> bool:
    """Say whether ``principal`` may do ``permission`` (in ``project_id`` where the permission is a project's)."""
    row = TABLE[permission]
    if row.scope is None and principal.credential != "session":
        return False
    if row.scope is not None and row.scope not in principal.scopes:
        return False
    if principal.only_project is not None and principal.only_project != project_id:
        return row.in_project is False and permission is Permission.SIGNED_IN
    return has_role(principal, permission, project_id)


def has_role(principal: Principal, permission: Permission, project_id: UUID | None) -> bool:
    """Say whether the user's roles give the permission, whatever the credential."""
    row = TABLE[permission]
    if principal.user.role in row.platform_roles:
        return True
    if not row.in_project or project_id is None:
        return False
    return principal.role_in(project_id) in row.project_roles


def grantors(permission: Permission) -> str:
    """Return who can grant the permission, in words for the answer 403."""
    return "the platform owner" if not TABLE[permission].in_project else "an admin of the project"


def what_is_missing(permission: Permission, project_id: UUID | None = None) -> dict[str, str | None]:
    """Return what the answer 403 names: the permission, the least roles that have it and who can grant it, as codes."""
    row = TABLE[permission]
    return {
        "permission": permission.value,
        "project_id": str(project_id) if row.in_project and project_id is not None else None,
        "project_role": next((role.value for role in (R, W, A) if role in row.project_roles), None),
        "platform_role": next(role.value for role in PlatformRole if role in row.platform_roles),
        "grantor": "project_admin" if row.in_project else "owner",
    }


def expand_scopes(scopes: frozenset[Scope]) -> frozenset[Scope]:
    """``operate`` includes ``read``; the others stand for themselves."""
    return scopes | {Scope.READ} if Scope.OPERATE in scopes else scopes


def may_start_runs(platform_role: PlatformRole, project_role: ProjectRole | None) -> bool:
    """Say whether a person with these roles has ``run.start``."""
    row = TABLE[Permission.RUN_START]
    return platform_role in row.platform_roles or project_role in row.project_roles


def has_scope(principal: Principal, permission: Permission) -> bool:
    """Say whether the credential may be used for the permission at all, in whatever project."""
    scope = TABLE[permission].scope
    return principal.credential == "session" if scope is None else scope in principal.scopes


def sees(principal: Principal, project_id: UUID) -> bool:
    """Say whether the project exists for the principal: its roles show it, and the credential is not for another."""
    elsewhere = principal.only_project is not None and principal.only_project != project_id
    return not elsewhere and has_role(principal, Permission.PROJECT_VIEW, project_id)


def visible_projects(principal: Principal) -> frozenset[UUID] | None:
    """Return the projects that lists show the principal; None for all."""
    if principal.only_project is not None:
        return frozenset({principal.only_project}) if sees(principal, principal.only_project) else frozenset()
    if principal.user.role in TABLE[Permission.PROJECT_VIEW].platform_roles:
        return None
    return frozenset(item.project_id for item in principal.memberships)
