"""Rows of ``users``."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg.errors
from psycopg.types.json import Jsonb

from stagewright.contexts.identity.errors import MismatchedAccount
from stagewright.contexts.identity.model import User
from stagewright.kit.db import Reader, Tx, record

to_user = record(User)

INSTALLATION = "select id from installation"
INSERT_USER = """
insert into users (id, email, display_name, locale, role, state, invited_by, created_at)
values (%(id)s, %(email)s, %(name)s, %(locale)s, %(role)s, %(state)s, %(invited_by)s, %(now)s)
on conflict do nothing
returning *
"""
OWNER = "select * from users where role = 'owner'"
USER = "select * from users where id = %(id)s"
USERS = "select * from users order by email"
LOCK = "select * from users where id = any(%(ids)s) order by id for no key update"
BY_EMAIL = "select * from users where email = %(email)s"
BY_EMAILS = "select * from users where email = any(%(emails)s::citext[])"
BY_GITHUB_ID = "select * from users where github_user_id = %(github_id)s"
PIN = """
update users set github_user_id = %(github_id)s, github_login = %(login)s, access_version = access_version + 1,
    version = version + 1
where id = %(id)s and github_user_id is distinct from %(github_id)s
returning *
"""
CHANGE = """
update users set display_name = coalesce(%(name)s, display_name), locale = coalesce(%(locale)s, locale),
    zone = coalesce(%(zone)s, zone), preferences = coalesce(%(preferences)s::jsonb, preferences),
    github_login = coalesce(%(login)s, github_login), version = version + 1
where id = %(id)s returning *
"""
SET_ACCESS = """
update users set role = coalesce(%(role)s, role), state = coalesce(%(state)s, state),
    access_version = access_version + 1, version = version + 1
where id = %(id)s returning *
"""
NAMES = "select id::text as id, display_name from users where id = any(%(ids)s::uuid[])"


async def installation_id(reader: Reader) -> UUID:
    """Return this installation's id."""
    value = await reader.value(INSTALLATION)
    assert isinstance(value, UUID)
    return value


async def insert_user(
    tx: Tx,
    *,
    user_id: UUID,
    email: str,
    name: str,
    locale: str,
    role: str,
    now: datetime,
    state: str = "active",
    invited_by: UUID | None = None,
) -> User | None:
    """Insert a user; None when the e-mail (or the owner's place) is taken."""
    return await tx.find(
        to_user,
        INSERT_USER,
        id=user_id,
        email=email,
        name=name,
        locale=locale,
        role=role,
        state=state,
        invited_by=invited_by,
        now=now,
    )


async def find_owner(reader: Reader) -> User | None:
    """Return the owner."""
    return await reader.find(to_user, OWNER)


async def find_user(reader: Reader, user_id: UUID) -> User | None:
    """Return the user or None."""
    return await reader.find(to_user, USER, id=user_id)


async def list_users(reader: Reader) -> list[User]:
    """Return all users by e-mail."""
    return await reader.all(to_user, USERS)


async def lock_users(tx: Tx, *user_ids: UUID) -> dict[UUID, User]:
    """Return the users by id, locked in the order of their ids."""
    found = await tx.all(to_user, LOCK, ids=list(user_ids))
    return {user.id: user for user in found}


async def find_by_email(reader: Reader, email: str) -> User | None:
    """Return the user with the e-mail."""
    return await reader.find(to_user, BY_EMAIL, email=email)


async def list_by_emails(reader: Reader, emails: Sequence[str]) -> list[User]:
    """Return the users with one of the e-mails."""
    return await reader.all(to_user, BY_EMAILS, emails=list(emails))


async def find_by_github_id(reader: Reader, github_id: int) -> User | None:
    """Return the user with the pinned GitHub id."""
    return await reader.find(to_user, BY_GITHUB_ID, github_id=github_id)


async def pin_github(tx: Tx, user_id: UUID, *, github_id: int, login: str) -> User | None:
    """Pin the user's GitHub id; None when it is pinned so already. Raise ``MismatchedAccount`` if it is another's."""
    try:
        async with tx.savepoint():
            return await tx.find(to_user, PIN, id=user_id, github_id=github_id, login=login)
    except psycopg.errors.UniqueViolation as error:
        raise MismatchedAccount(f"the forge account {login} is pinned to another user") from error


async def change_user(
    tx: Tx,
    user_id: UUID,
    *,
    name: str | None = None,
    locale: str | None = None,
    zone: str | None = None,
    preferences: Mapping[str, Any] | None = None,
    login: str | None = None,
) -> User:
    """Change what is given of the user; the rest stays."""
    kept = None if preferences is None else Jsonb(dict(preferences))
    user = await tx.find(
        to_user, CHANGE, id=user_id, name=name, locale=locale, zone=zone, preferences=kept, login=login
    )
    assert user is not None
    return user


async def set_access(tx: Tx, user_id: UUID, *, role: str | None = None, state: str | None = None) -> User:
    """Change role or state of the user, or only note that what they may do changed."""
    user = await tx.find(to_user, SET_ACCESS, id=user_id, role=role, state=state)
    assert user is not None
    return user


async def list_names(reader: Reader, user_ids: Sequence[str]) -> dict[str, str]:
    """Return the display names of users by id."""
    rows = await reader.all(lambda row: (str(row["id"]), str(row["display_name"])), NAMES, ids=list(user_ids))
    return dict(rows)
