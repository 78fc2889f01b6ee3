"""Members of projects: added, their roles changed, removed; a project keeps its last admin."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from stagewright.contexts.identity import store
from stagewright.contexts.identity.errors import MemberExists, MemberNotFound, UserNotFound
from stagewright.contexts.identity.events import AccessChanged, MemberAdded, MemberRemoved, MemberRoleChanged
from stagewright.contexts.identity.model import Member, Membership, Principal, ProjectRole, UserState
from stagewright.contexts.identity.rules import people as rules
from stagewright.kit.db import Reader, Tx


async def set_member(tx: Tx, project_id: UUID, user_id: UUID, role: ProjectRole, *, now: datetime) -> Membership:
    """Make a user a member of a project, or change the role."""
    await store.lock_users(tx, user_id)  # the user before the membership, everywhere: no two wait for each other
    added = await store.insert_member(tx, project_id, user_id, role.value, now)
    if added is not None:
        tx.publish(MemberAdded(membership=added))
        await _note_access(tx, user_id)
        return added
    changed = await store.set_role(tx, project_id, user_id, role.value)
    if changed is not None:
        tx.publish(MemberRoleChanged(membership=changed))
        await _note_access(tx, user_id)
        return changed
    known = await store.list_memberships(tx, user_id)
    return next(item for item in known if item.project_id == project_id)


async def add_member(
    tx: Tx, project_id: UUID, *, email: str | None, user_id: UUID | None, role: ProjectRole, now: datetime
) -> Member:
    """Make an existing user a member. Raises ``UserNotFound`` or ``MemberExists``; nobody is created here."""
    user = await store.find_user(tx, user_id) if user_id else await store.find_by_email(tx, email or "")
    if user is None or user.state is UserState.DISABLED:
        raise UserNotFound("there is no such user; a member is somebody who may sign in already")
    await store.lock_users(tx, user.id)
    membership = await store.insert_member(tx, project_id, user.id, role.value, now)
    if membership is None:
        raise MemberExists(f"{user.email} is a member of this project already")
    tx.publish(MemberAdded(membership=membership))
    await _note_access(tx, user.id)
    return await get_member(tx, project_id, user.id)


async def get_member(reader: Reader, project_id: UUID, user_id: UUID) -> Member:
    """Return the member with who they are. Raises ``MemberNotFound``."""
    found = next((item for item in await store.list_members(reader, project_id) if item.user_id == user_id), None)
    if found is None:
        raise MemberNotFound(f"there is no member {user_id} in the project")
    return found


def member_verbs(by: Principal, members: Collection[Member], target: Member) -> Mapping[str, str | None]:
    """Return each verb on ``target``, one of the project's ``members``, with why ``by`` may not do it, or None."""
    return rules.why_not_as_member(by, members, target)


async def check_leaving(tx: Tx, by: Principal, project_id: UUID, user_id: UUID, role: ProjectRole | None) -> Membership:
    """Lock the project's members and refuse when it would lose its last admin; return the membership as it is."""
    members = await store.lock_members(tx, project_id)
    known = next((item for item in members if item.user_id == user_id), None)
    if known is None:
        raise MemberNotFound(f"there is no member {user_id} in the project")
    why = rules.why_not_leave(by, members, user_id, role)
    if why is not None:
        raise why
    return known


async def change_role(
    tx: Tx, by: Principal, project_id: UUID, user_id: UUID, role: ProjectRole, *, reason: str | None = None
) -> Member:
    """Give a member another role; the ``reason`` is kept in the journal."""
    await check_leaving(tx, by, project_id, user_id, role)
    changed = await store.set_role(tx, project_id, user_id, role.value)
    if changed is not None:
        tx.publish(MemberRoleChanged(membership=changed, reason=reason))
        await _note_access(tx, user_id)
    return await get_member(tx, project_id, user_id)


async def remove_member(tx: Tx, by: Principal, project_id: UUID, user_id: UUID, *, reason: str | None = None) -> Member:
    """End a membership; the ``reason`` is kept in the journal."""
    await check_leaving(tx, by, project_id, user_id, None)
    shown = await get_member(tx, project_id, user_id)
    removed = await store.delete_member(tx, project_id, user_id)
    assert removed is not None  # locked a moment ago
    tx.publish(MemberRemoved(membership=removed, reason=reason))
    await _note_access(tx, user_id)
    return shown


async def _note_access(tx: Tx, user_id: UUID) -> None:
    """Let open sockets of the user see that what they may do changed."""
    tx.publish(AccessChanged(user=await store.set_access(tx, user_id)))
