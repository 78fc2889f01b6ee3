"""Rows of ``users``, ``api_tokens`` and ``memberships``."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from stagewright.contexts.identity.model import ApiToken, Member, Membership, Scope, User
from stagewright.kit.db import Reader, Tx, record

to_user = record(User)
to_token = record(ApiToken, scopes=lambda values: tuple(Scope(value) for value in values))
to_membership = record(Membership)
to_member = record(Member)

INSTALLATION = "select id from installation"
INSERT_USER = """
insert into users (id, email, display_name, locale, role, state, created_at)
values (%(id)s, %(email)s, %(name)s, %(locale)s, %(role)s, 'active', %(now)s)
on conflict do nothing
returning *
"""
OWNER = "select * from users where role = 'owner'"
USER = "select * from users where id = %(id)s"
BY_EMAIL = "select * from users where email = %(email)s"
BY_GITHUB_ID = "select * from users where github_user_id = %(github_id)s"
PIN = """
update users set github_user_id = %(github_id)s, github_login = %(login)s, access_version = access_version + 1
where id = %(id)s and github_user_id is distinct from %(github_id)s
returning *
"""
MEMBERS = """
select m.project_id, m.user_id, m.role, u.email::text as email, u.display_name, u.github_login, u.state
from memberships m join users u on u.id = m.user_id where m.project_id = %(project_id)s order by u.email
"""
NAMES = "select id::text as id, display_name from users where id = any(%(ids)s::uuid[])"
MEMBERSHIPS = "select * from memberships where user_id = %(user_id)s"
SET_MEMBER = """
insert into memberships (project_id, user_id, role, created_at) values (%(project)s, %(user)s, %(role)s, %(now)s)
on conflict (project_id, user_id) do update set role = excluded.role
returning *
"""
INSERT_TOKEN = """
insert into api_tokens (id, user_id, name, hash, scopes, project_id, created_at, expires_at)
values (%(id)s, %(user_id)s, %(name)s, %(hash)s, %(scopes)s, %(project_id)s, %(now)s, %(expires_at)s)
returning *
"""
TOKEN = """
select t.* from api_tokens t join users u on u.id = t.user_id
where t.hash = %(hash)s and t.revoked_at is null and t.expires_at > %(now)s and u.state = 'active'
"""
TOKENS_OF = "select * from api_tokens where user_id = %(user_id)s order by created_at desc"
REVOKE = """
update api_tokens set revoked_at = %(now)s where id = %(id)s and user_id = %(user_id)s and revoked_at is null
returning *
"""
REVOKE_NAMED = """
update api_tokens set revoked_at = %(now)s where user_id = %(user_id)s and name = %(name)s and revoked_at is null
returning *
"""
USED = """
update api_tokens set last_used_at = %(now)s
where id = %(id)s and (last_used_at is null or last_used_at < %(before)s)
"""


async def installation_id(reader: Reader) -> UUID:
    """Return this installation's id."""
    value = await reader.value(INSTALLATION)
    assert isinstance(value, UUID)
    return value


async def insert_user(
    tx: Tx, *, user_id: UUID, email: str, name: str, locale: str, role: str, now: datetime
) -> User | None:
    """Insert an active user; None when the e-mail (or the owner's place) is taken."""
    return await tx.find(to_user, INSERT_USER, id=user_id, email=email, name=name, locale=locale, role=role, now=now)


async def find_owner(reader: Reader) -> User | None:
    """Return the owner."""
    return await reader.find(to_user, OWNER)


async def find_user(reader: Reader, user_id: UUID) -> User | None:
    """Return the user or None."""
    return await reader.find(to_user, USER, id=user_id)


async def find_by_email(reader: Reader, email: str) -> User | None:
    """Return the user with the e-mail."""
    return await reader.find(to_user, BY_EMAIL, email=email)


async def find_by_github_id(reader: Reader, github_id: int) -> User | None:
    """Return the user with the pinned GitHub id."""
    return await reader.find(to_user, BY_GITHUB_ID, github_id=github_id)


async def pin_github(tx: Tx, user_id: UUID, *, github_id: int, login: str) -> User | None:
    """Pin the user's GitHub id; None when it is pinned so already."""
    return await tx.find(to_user, PIN, id=user_id, github_id=github_id, login=login)


async def list_memberships(reader: Reader, user_id: UUID) -> list[Membership]:
    """Return the user's memberships."""
    return await reader.all(to_membership, MEMBERSHIPS, user_id=user_id)


async def list_members(reader: Reader, project_id: UUID) -> list[Member]:
    """Return the project's members with who they are."""
    return await reader.all(to_member, MEMBERS, project_id=project_id)


async def list_names(reader: Reader, user_ids: Sequence[str]) -> dict[str, str]:
    """Return the display names of users by id."""
    rows = await reader.all(lambda row: (str(row["id"]), str(row["display_name"])), NAMES, ids=list(user_ids))
    return dict(rows)


async def set_member(tx: Tx, project_id: UUID, user_id: UUID, role: str, now: datetime) -> Membership:
    """Make the user a member with the role."""
    membership = await tx.find(to_membership, SET_MEMBER, project=project_id, user=user_id, role=role, now=now)
    assert membership is not None
    return membership


async def insert_token(
    tx: Tx,
    *,
    token_id: UUID,
    user_id: UUID,
    name: str,
    hashed: bytes,
    scopes: Sequence[str],
    project_id: UUID | None,
    now: datetime,
    expires_at: datetime,
) -> ApiToken:
    """Insert a token by its hash."""
    token = await tx.find(
        to_token,
        INSERT_TOKEN,
        id=token_id,
        user_id=user_id,
        name=name,
        hash=hashed,
        scopes=list(scopes),
        project_id=project_id,
        now=now,
        expires_at=expires_at,
    )
    assert token is not None
    return token


async def find_token(reader: Reader, hashed: bytes, now: datetime) -> ApiToken | None:
    """Return the live token with the hash, of an active user."""
    return await reader.find(to_token, TOKEN, hash=hashed, now=now)


async def list_tokens(reader: Reader, user_id: UUID) -> list[ApiToken]:
    """Return the user's tokens, newest first."""
    return await reader.all(to_token, TOKENS_OF, user_id=user_id)


async def revoke_token(tx: Tx, token_id: UUID, user_id: UUID, now: datetime) -> ApiToken | None:
    """Revoke a token of the user; None when there is none live."""
    return await tx.find(to_token, REVOKE, id=token_id, user_id=user_id, now=now)


async def revoke_named(tx: Tx, user_id: UUID, name: str, now: datetime) -> list[ApiToken]:
    """Revoke the user's tokens called ``name``."""
    return await tx.all(to_token, REVOKE_NAMED, user_id=user_id, name=name, now=now)


async def note_use(tx: Tx, token_id: UUID, *, now: datetime, before: datetime) -> None:
    """Note the token's use, at most once since ``before``."""
    await tx.execute(USED, id=token_id, now=now, before=before)
