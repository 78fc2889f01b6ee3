"""Rows of ``api_tokens``."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from stagewright.contexts.identity.model import ApiToken, Scope
from stagewright.kit.db import Reader, Tx, record

to_token = record(ApiToken, scopes=lambda values: tuple(Scope(value) for value in values))

INSERT_TOKEN = """
insert into api_tokens (id, user_id, name, hash, scopes, project_id, created_at, expires_at)
values (%(id)s, %(user_id)s, %(name)s, %(hash)s, %(scopes)s, %(project_id)s, %(now)s, %(expires_at)s)
returning *
"""
TOKEN = """
select t.* from api_tokens t join users u on u.id = t.user_id
where t.hash = %(hash)s and t.revoked_at is null and t.expires_at > %(now)s and u.state = 'active'
"""
TOKEN_BY_ID = """
select t.* from api_tokens t join users u on u.id = t.user_id
where t.id = %(id)s and t.revoked_at is null and t.expires_at > %(now)s and u.state = 'active'
"""
FORGET = "delete from api_tokens where least(coalesce(revoked_at, expires_at), expires_at) < %(before)s"
TOKENS_OF = "select * from api_tokens where user_id = %(user_id)s order by created_at desc"
REVOKE = """
update api_tokens set revoked_at = %(now)s where id = %(id)s and user_id = %(user_id)s and revoked_at is null
returning *
"""
REVOKE_NAMED = """
update api_tokens set revoked_at = %(now)s where user_id = %(user_id)s and name = %(name)s and revoked_at is null
returning *
"""
REVOKE_ALL = """
update api_tokens set revoked_at = %(now)s where user_id = %(user_id)s and revoked_at is null and expires_at > %(now)s
returning *
"""
USED = """
update api_tokens set last_used_at = %(now)s
where id = %(id)s and (last_used_at is null or last_used_at < %(before)s)
"""


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


async def find_live_token(reader: Reader, token_id: UUID, now: datetime) -> ApiToken | None:
    """Return the token if it is live and of an active user."""
    return await reader.find(to_token, TOKEN_BY_ID, id=token_id, now=now)


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


async def revoke_all(tx: Tx, user_id: UUID, now: datetime) -> list[ApiToken]:
    """Revoke every live token of the user."""
    return await tx.all(to_token, REVOKE_ALL, user_id=user_id, now=now)


async def forget_tokens(tx: Tx, *, before: datetime) -> int:
    """Delete tokens that ended before; return how many went."""
    return await tx.execute(FORGET, before=before)
