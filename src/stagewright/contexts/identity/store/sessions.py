"""Rows of ``sessions``."""

from datetime import datetime
from uuid import UUID

from stagewright.contexts.identity.model import LoginMethod, Origin, Session, SessionEnd
from stagewright.kit.db import Reader, Tx, record

to_session = record(Session)

INSERT = """
insert into sessions (id, user_id, hash, method, created_at, last_used_at, expires_at, ip_prefix, user_agent)
values (%(id)s, %(user)s, %(hash)s, %(method)s, %(now)s, %(now)s, %(expires_at)s, %(ip_prefix)s, %(user_agent)s)
returning *
"""
LIVE = """
select s.* from sessions s join users u on u.id = s.user_id
where s.hash = %(hash)s and s.ended_at is null and s.expires_at > %(now)s and s.last_used_at > %(used_since)s
    and u.state = 'active'
"""
LIVE_BY_ID = """
select s.* from sessions s join users u on u.id = s.user_id
where s.id = %(id)s and s.ended_at is null and s.expires_at > %(now)s and s.last_used_at > %(used_since)s
    and u.state = 'active'
"""
LIVE_OF = """
select * from sessions
where user_id = %(user)s and ended_at is null and expires_at > %(now)s and last_used_at > %(used_since)s
order by created_at, id
"""
USED = """
update sessions set last_used_at = %(now)s
where id = %(id)s and ended_at is null and last_used_at < %(before)s and last_used_at > %(used_since)s
"""
END = """
update sessions set ended_at = %(now)s, end_reason = %(reason)s
where user_id = %(user)s and ended_at is null and (%(id)s::uuid is null or id = %(id)s)
returning *
"""
FORGET = """
delete from sessions where coalesce(ended_at, expires_at) < %(before)s or last_used_at < %(before)s
"""


async def insert_session(
    tx: Tx,
    *,
    session_id: UUID,
    user_id: UUID,
    hashed: bytes,
    method: LoginMethod,
    origin: Origin,
    now: datetime,
    expires_at: datetime,
) -> Session:
    """Insert a session by the hash of its secret."""
    session = await tx.find(
        to_session,
        INSERT,
        id=session_id,
        user=user_id,
        hash=hashed,
        method=method.value,
        now=now,
        expires_at=expires_at,
        ip_prefix=origin.ip_prefix,
        user_agent=origin.user_agent,
    )
    assert session is not None
    return session


async def find_session(reader: Reader, hashed: bytes, *, now: datetime, used_since: datetime) -> Session | None:
    """Return the live session with the hash, of an active user."""
    return await reader.find(to_session, LIVE, hash=hashed, now=now, used_since=used_since)


async def find_live_session(reader: Reader, session_id: UUID, *, now: datetime, used_since: datetime) -> Session | None:
    """Return the session if it is live and of an active user."""
    return await reader.find(to_session, LIVE_BY_ID, id=session_id, now=now, used_since=used_since)


async def list_sessions(reader: Reader, user_id: UUID, *, now: datetime, used_since: datetime) -> list[Session]:
    """Return the user's live sessions, the oldest first."""
    return await reader.all(to_session, LIVE_OF, user=user_id, now=now, used_since=used_since)


async def note_session_use(tx: Tx, session_id: UUID, *, now: datetime, before: datetime, used_since: datetime) -> None:
    """Renew the idle time of a session that is still live and was last used before ``before``."""
    await tx.execute(USED, id=session_id, now=now, before=before, used_since=used_since)


async def end_sessions(
    tx: Tx, user_id: UUID, *, reason: SessionEnd, now: datetime, session_id: UUID | None = None
) -> list[Session]:
    """End one session of the user, or all; return those that ended."""
    return await tx.all(to_session, END, user=user_id, id=session_id, reason=reason.value, now=now)


async def forget_sessions(tx: Tx, *, before: datetime) -> int:
    """Delete sessions that ended before; return how many went."""
    return await tx.execute(FORGET, before=before)
