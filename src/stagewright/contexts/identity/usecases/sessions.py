"""Sessions: begun by a login, renewed by use, ended by the person or by what happens to them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.identity import store
from stagewright.contexts.identity.errors import SessionNotFound
from stagewright.contexts.identity.events import LoggedIn, SessionRevoked
from stagewright.contexts.identity.model import LoginMethod, Origin, Session, SessionEnd, User
from stagewright.contexts.identity.store import logins
from stagewright.kit.crypto import hash_secret, new_secret
from stagewright.kit.db import Tx
from stagewright.kit.ids import uuid7
from stagewright.kit.journal import Actor

USE_GRAIN = timedelta(minutes=1)
ENDED_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just begun; ``text`` goes into the cookie and nowhere else."""

    session: Session
    text: str = field(repr=False)


async def begin_session(
    tx: Tx, user: User, *, method: LoginMethod, origin: Origin, now: datetime, longest: timedelta
) -> NewSession:
    """Begin a session under a new secret, whatever the browser sent before, and journal the login."""
    text = new_secret()
    session = await store.insert_session(
        tx,
        session_id=uuid7(),
        user_id=user.id,
        hashed=hash_secret(text),
        method=method,
        origin=origin,
        now=now,
        expires_at=now + longest,
    )
    github = user.github_user_id if method is LoginMethod.GITHUB else None
    tx.publish(LoggedIn(session=session, github_user_id=github), actor=Actor("user", str(user.id)))
    return NewSession(session, text)


async def end_sessions(
    tx: Tx, user_id: UUID, *, reason: SessionEnd, now: datetime, session_id: UUID | None = None
) -> list[Session]:
    """End one session of the user, or all of them."""
    ended = await store.end_sessions(tx, user_id, reason=reason, now=now, session_id=session_id)
    for session in ended:
        tx.publish(SessionRevoked(session=session))
    return ended


async def revoke_session(tx: Tx, user_id: UUID, session_id: UUID, *, reason: SessionEnd, now: datetime) -> Session:
    """End one of the user's own sessions. Raises ``SessionNotFound``."""
    ended = await end_sessions(tx, user_id, reason=reason, now=now, session_id=session_id)
    if not ended:
        raise SessionNotFound("there is no such live session of yours")
    return ended[0]


async def renew_session(tx: Tx, session_id: UUID, *, now: datetime, idle: timedelta) -> None:
    """Note that the person is there: the idle time begins anew. At most once a minute."""
    await store.note_session_use(tx, session_id, now=now, before=now - USE_GRAIN, used_since=now - idle)


async def forget_ended(tx: Tx, *, now: datetime) -> int:
    """Delete sessions and API tokens that ended 30 days ago, and what logins left a day ago; return how many went."""
    before = now - ENDED_KEPT
    ended = await store.forget_sessions(tx, before=before) + await store.forget_tokens(tx, before=before)
    return ended + await logins.forget_logins(tx, before=now - timedelta(days=1))
