"""API tokens: made, shown once, revoked."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.identity import store
from stagewright.contexts.identity.errors import TokenInvalidRequest, TokenNotFound
from stagewright.contexts.identity.events import TokenCreated, TokenRevoked
from stagewright.contexts.identity.model import ApiToken, Scope, User
from stagewright.kit.crypto import hash_secret, make_api_token
from stagewright.kit.db import Tx
from stagewright.kit.errors import FieldProblem
from stagewright.kit.ids import uuid7

LOCAL_TOKEN = "local"
LOCAL_LIFE = timedelta(days=30)
DEFAULT_LIFE = timedelta(days=30)
LONGEST_LIFE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made; its text is shown once."""

    token: ApiToken
    text: str = field(repr=False)


async def create_token(
    tx: Tx,
    user: User,
    *,
    name: str,
    scopes: Iterable[str],
    now: datetime,
    life: timedelta = DEFAULT_LIFE,
    project_id: UUID | None = None,
) -> NewToken:
    """Make an API token of the user."""
    wanted = _scopes(scopes)
    if not timedelta(0) < life <= LONGEST_LIFE:
        problem = FieldProblem("/expires_in", "range", "a token lives at most 90 days")
        raise TokenInvalidRequest("the token cannot be made", problems=(problem,))
    text = make_api_token()
    token = await store.insert_token(
        tx,
        token_id=uuid7(),
        user_id=user.id,
        name=name,
        hashed=hash_secret(text),
        scopes=sorted(scope.value for scope in wanted),
        project_id=project_id,
        now=now,
        expires_at=now + life,
    )
    tx.publish(TokenCreated(token=token))
    return NewToken(token, text)


def refuse_reserved_name(name: str) -> None:
    """Refuse the name of the token that `up` makes: the embedded mode trusts it more than others."""
    if name.strip().casefold() == LOCAL_TOKEN:
        problem = FieldProblem("/name", "reserved", f"the name {LOCAL_TOKEN!r} is the one of `stagewright up`")
        raise TokenInvalidRequest("the token cannot be made", problems=(problem,))


def _scopes(names: Iterable[str]) -> frozenset[Scope]:
    wanted = set()
    for name in names:
        if name not in list(Scope):
            known = ", ".join(scope.value for scope in Scope)
            problem = FieldProblem("/scopes", "choice", f"{name!r} is no scope; use {known}")
            raise TokenInvalidRequest("the token cannot be made", problems=(problem,))
        wanted.add(Scope(name))
    if not wanted:
        problem = FieldProblem("/scopes", "length", "name at least one scope")
        raise TokenInvalidRequest("the token cannot be made", problems=(problem,))
    return frozenset(wanted)


async def replace_local_token(tx: Tx, owner: User, *, now: datetime) -> NewToken:
    """Make the owner's token ``local`` of the embedded mode; the one of the last start is revoked."""
    for old in await store.revoke_named(tx, owner.id, LOCAL_TOKEN, now):
        tx.publish(TokenRevoked(token=old))
    scopes = [scope.value for scope in Scope]
    return await create_token(tx, owner, name=LOCAL_TOKEN, scopes=scopes, now=now, life=LOCAL_LIFE)


async def revoke_token(tx: Tx, user: User, token_id: UUID, *, now: datetime) -> ApiToken:
    """Revoke one of the user's tokens."""
    revoked = await store.revoke_token(tx, token_id, user.id, now)
    if revoked is None:
        raise TokenNotFound("there is no such live token of yours")
    tx.publish(TokenRevoked(token=revoked))
    return revoked
