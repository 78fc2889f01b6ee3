"""Who may change whom: roles, states, members. Values in, a refusal or nothing out."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from stagewright.contexts.identity.errors import LastAdmin, NotTransferable, OwnerProtected, OwnRole, PermissionMissing
from stagewright.contexts.identity.model import Member, Membership, PlatformRole, Principal, ProjectRole, UserState
from stagewright.contexts.identity.rules.permissions import Permission, allows, grantors, what_is_missing

RANK = {PlatformRole.MEMBER: 0, PlatformRole.ADMIN: 1, PlatformRole.OWNER: 2}
MEMBER_VERBS = ("change_role", "remove")
Refusal = PermissionMissing | OwnerProtected | OwnRole | NotTransferable | LastAdmin


class Target(Protocol):
    """What the rules ask of the person an act is done to: a user, or a user's frame."""

    @property
    def id(self) -> UUID:
        """Return who it is."""
        ...

    @property
    def role(self) -> PlatformRole:
        """Return the platform role."""
        ...

    @property
    def state(self) -> UserState:
        """Return whether the person may sign in."""
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """What a frame says of a person, as far as the rules ask."""

    id: UUID
    role: PlatformRole
    state: UserState


def is_demotion(before: PlatformRole, after: PlatformRole) -> bool:
    """Say whether the platform role becomes less: sessions end then."""
    return RANK[after] < RANK[before]


def why_not_change_role(by: Principal, target: Target, role: PlatformRole) -> Refusal | None:
    """Return why ``by`` may not give ``target`` the platform role. Only the owner does that, and never to themself."""
    if not allows(by, Permission.USER_ROLES):
        return _needs_roles()
    if target.role is PlatformRole.OWNER or role is PlatformRole.OWNER:
        return OwnerProtected("the owner's role changes by a transfer of ownership only")
    return None


def why_not_manage(by: Principal, target: Target) -> Refusal | None:
    """Return why ``by`` may not disable, enable or rename ``target``: admins manage members, the owner manages all."""
    if target.role is PlatformRole.OWNER and by.user.id != target.id:
        return OwnerProtected("the owner is not changed by others")
    if target.role is PlatformRole.ADMIN and by.user.id != target.id and not allows(by, Permission.USER_ROLES):
        return _needs_roles()
    return None


def why_not_disable(by: Principal, target: Target) -> Refusal | None:
    """Return why ``by`` may not disable ``target``."""
    if target.role is PlatformRole.OWNER:
        return OwnerProtected("an owner is not disabled: transfer the ownership first")
    if by.user.id == target.id:
        return OwnRole("you cannot disable yourself")
    return why_not_manage(by, target)


def why_not_transfer(target: Target) -> Refusal | None:
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


def why_not_pin(by: Principal, target: Target) -> Refusal | None:
    """Return why ``by`` may not say which forge account ``target`` is: it decides what their labels start."""
    return None if allows(by, Permission.USER_ROLES) else _needs_roles()


def why_not(by: Principal, target: Target) -> Mapping[str, str | None]:
    """Return each verb on ``target`` with the code of why ``by`` may not do it now, None where they may."""
    disabled = target.state is UserState.DISABLED
    hands = None if allows(by, Permission.USER_ROLES) else _needs_roles()
    found: Mapping[str, Refusal | str | None] = {
        "change_role": why_not_change_role(by, target, PlatformRole.MEMBER),
        "edit": why_not_manage(by, target),
        "disable": "already_disabled" if disabled else why_not_disable(by, target),
        "enable": why_not_manage(by, target) if disabled else "not_disabled",
        "pin_account": why_not_pin(by, target),
        "make_owner": hands or why_not_transfer(target),
    }
    return {verb: why if why is None or isinstance(why, str) else why.stable_code for verb, why in found.items()}


def why_not_as_member(by: Principal, members: Collection[Member], target: Member) -> Mapping[str, str | None]:
    """Return each verb on a member with the code of why ``by`` may not do it now, None where they may."""
    if not allows(by, Permission.MEMBER_MANAGE, target.project_id):
        return dict.fromkeys(MEMBER_VERBS, PermissionMissing.code)
    memberships = [Membership(item.project_id, item.user_id, item.role) for item in members]
    why = why_not_leave(by, memberships, target.user_id, None)
    return dict.fromkeys(MEMBER_VERBS, why.stable_code if why else None)


def _needs_roles() -> PermissionMissing:
    permission = Permission.USER_ROLES
    return PermissionMissing(
        f"this needs the permission {permission.value}; {grantors(permission)} can grant it, signed in with a session",
        **what_is_missing(permission),
    )
