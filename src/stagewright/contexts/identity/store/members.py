"""Rows of ``memberships``."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from stagewright.contexts.identity.model import Member, Membership
from stagewright.kit.db import Reader, Row, Tx, record

to_membership = record(Membership)
to_member = record(Member)

MEMBERS = """
select m.project_id, m.user_id, m.role, m.version, u.email::text as email, u.display_name, u.github_login, u.state
from memberships m join users u on u.id = m.user_id where m.project_id = %(project_id)s order by u.email
"""
MEMBERSHIPS = "select * from memberships where user_id = %(user_id)s"
LOCK = "select * from memberships where project_id = %(project_id)s order by user_id for no key update"
INSERT = """
insert into memberships (project_id, user_id, role, created_at) values (%(project)s, %(user)s, %(role)s, %(now)s)
on conflict do nothing
returning *
"""
SET_ROLE = """
update memberships set role = %(role)s, version = version + 1
where project_id = %(project)s and user_id = %(user)s and role <> %(role)s
returning *
"""
MAY = """
select u.id from users u where u.state = 'active' and (u.role = any(%(platform)s) or exists (
    select 1 from memberships m where m.user_id = u.id and m.project_id = %(project_id)s and m.role = any(%(roles)s)))
order by u.id
"""
DELETE = "delete from memberships where project_id = %(project)s and user_id = %(user)s returning *"


async def list_memberships(reader: Reader, user_id: UUID) -> list[Membership]:
    """Return the user's memberships."""
    return await reader.all(to_membership, MEMBERSHIPS, user_id=user_id)


async def list_members(reader: Reader, project_id: UUID) -> list[Member]:
    """Return the project's members with who they are."""
    return await reader.all(to_member, MEMBERS, project_id=project_id)


async def lock_members(tx: Tx, project_id: UUID) -> list[Membership]:
    """Return the project's memberships, locked: whether an admin is left is decided on these."""
    return await tx.all(to_membership, LOCK, project_id=project_id)


async def insert_member(tx: Tx, project_id: UUID, user_id: UUID, role: str, now: datetime) -> Membership | None:
    """Make the user a member; None when they are one already."""
    return await tx.find(to_membership, INSERT, project=project_id, user=user_id, role=role, now=now)


async def set_role(tx: Tx, project_id: UUID, user_id: UUID, role: str) -> Membership | None:
    """Give the member another role; None when there is no such member or the role is that already."""
    return await tx.find(to_membership, SET_ROLE, project=project_id, user=user_id, role=role)


async def delete_member(tx: Tx, project_id: UUID, user_id: UUID) -> Membership | None:
    """End the membership; None when there is none."""
    return await tx.find(to_membership, DELETE, project=project_id, user=user_id)


async def list_with_role(
    reader: Reader, project_id: UUID, *, platform_roles: Sequence[str], project_roles: Sequence[str]
) -> list[UUID]:
    """Return the active users with one of these roles on the platform or in the project."""
    return await reader.all(
        _user_id, MAY, project_id=project_id, platform=list(platform_roles), roles=list(project_roles)
    )


def _user_id(row: Row) -> UUID:
    value: UUID = row["id"]
    return value
