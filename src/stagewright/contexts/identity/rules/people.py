"""Who may change whom: roles, states, members. Values in, a refusal or nothing out."""

from collections.abc import Collection
from uuid import UUID

from stagewright.contexts.identity.errors import LastAdmin, NotTransferable, OwnerProtected, OwnRole, PermissionMissing
from stagewright.contexts.identity.model import Membership, PlatformRole, Principal, ProjectRole, User, UserState
from stagewright.contexts.identity.rules.permissions import Permission, allows, grantors

RANK = {PlatformRole.MEMBER: 0, PlatformRole.ADMIN: 1, PlatformRole.OWNER: 2}
Refusal = PermissionMissing | OwnerProtected | OwnRole | NotTransferable | LastAdmin


def is_demotion(before: PlatformRole, after: PlatformRole) -> bool:
    """Say whether the platform role becomes less: sessions end then."""
    return RANK[after] < RANK[before]


def why_not_change_role(by: Principal, target: User, role: PlatformRole) -> Refusal | None:
    """Return why ``by`` may not give ``target`` the platform role. Only the owner does that, and never to themself."""
    if not allows(by, Permission.USER_ROLES):
        return _needs_roles()
    if target.role is PlatformRole.OWNER or role is PlatformRole.OWNER:
        return OwnerProtected("the owner's role changes by a transfer of ownership only")
    return None


def why_not_manage(by: Principal, target: User) -> Refusal | None:
    """Return why ``by`` may not disable, enable or rename ``target``: admins manage members, the owner manages all."""
    if target.role is PlatformRole.OWNER and by.user.id != target.id:
        return OwnerProtected("the owner is not changed by others")
    if target.role is PlatformRole.ADMIN and by.user.id != target.id and not allows(by, Permission.USER_ROLES):
        return _needs_roles()
    return None


def why_not_disable(by: Principal, target: User) -> Refusal | None:
    """Return why ``by`` may not disable ``target``."""
    if target.role is PlatformRole.OWNER:
        return OwnerProtected("an owner is not disabled: transfer the ownership first")
    if by.user.id == target.id:
        return OwnRole("you cannot disable yourself")
    return why_not_manage(by, target)


def why_not_transfer(target: User) -> Refusal | None:
    """Return why ``target`` cannot become the owner."""
    if target.role is PlatformRole.ADMIN and target.state is UserState.ACTIVE:
        return None
    return NotTransferable("ownership goes to an active platform admin: give that role first")


def why_not_leave(
    by: Principal, members: Collection[Membership], target: UUID, role: ProjectRole | None
) -> Refusal | None:
    """Return why the member may not get ``role`` (None: leave): a project keeps its last admin.

    Those who administer the platform may take it away: they can always name another.
    """
    admins = {item.user_id for item in members if item.role is ProjectRole.ADMIN}
    if role is ProjectRole.ADMIN or admins != {target} or RANK[by.user.role] > 0:
        return None
    return LastAdmin("the project would have no admin: name another one first")


def _needs_roles() -> PermissionMissing:
    permission = Permission.USER_ROLES
    return PermissionMissing(
        f"this needs the permission {permission.value}; {grantors(permission)} can grant it, signed in with a session",
        permission=permission.value,
        grantors=grantors(permission),
    )
