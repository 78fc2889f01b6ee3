"""The owner, forge logins, memberships, API tokens; and who a caller or a sender is."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.identity import rules, store
from stagewright.contexts.identity.errors import PermissionMissing, TokenInvalidRequest, TokenNotFound, TokenRefused
from stagewright.contexts.identity.events import (
    AccessChanged,
    MemberAdded,
    MemberRoleChanged,
    TokenCreated,
    TokenRevoked,
)
from stagewright.contexts.identity.model import (
    UNKNOWN_SENDER,
    ApiToken,
    Membership,
    PlatformRole,
    Principal,
    ProjectRole,
    Scope,
    SenderStanding,
    User,
)
from stagewright.contexts.identity.rules import Permission
from stagewright.kit.crypto import hash_secret, is_api_token, make_api_token
from stagewright.kit.db import Reader, Tx
from stagewright.kit.errors import FieldProblem
from stagewright.kit.ids import uuid7

LOCAL_TOKEN = "local"
LOCAL_LIFE = timedelta(days=30)
DEFAULT_LIFE = timedelta(days=30)
LONGEST_LIFE = timedelta(days=90)
FRESH = timedelta(hours=1)
USE_GRAIN = timedelta(minutes=1)


async def ensure_owner(tx: Tx, *, email: str, name: str, locale: str, now: datetime) -> User:
    """Return the owner, made on the first start."""
    owner = await store.find_owner(tx)
    if owner is not None:
        return owner
    made = await store.insert_user(
        tx, user_id=uuid7(), email=email, name=name, locale=locale, role=PlatformRole.OWNER.value, now=now
    )
    owner = made or await store.find_owner(tx)
    assert owner is not None
    if made is not None:
        tx.publish(AccessChanged(user=made))
    return owner


async def pin_github_login(tx: Tx, user: User, *, github_id: int, login: str) -> User:
    """Pin which forge account the user is; forge events are matched by its number only."""
    pinned = await store.pin_github(tx, user.id, github_id=github_id, login=login)
    if pinned is None:
        return user
    tx.publish(AccessChanged(user=pinned))
    return pinned


async def set_member(tx: Tx, project_id: UUID, user_id: UUID, role: ProjectRole, *, now: datetime) -> Membership:
    """Make a user a member of a project, or change the role."""
    before = await store.list_memberships(tx, user_id)
    known = next((item for item in before if item.project_id == project_id), None)
    membership = await store.set_member(tx, project_id, user_id, role.value, now)
    if known is None:
        tx.publish(MemberAdded(membership=membership))
    elif known.role is not role:
        tx.publish(MemberRoleChanged(membership=membership))
    return membership


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


async def authenticate_token(reader: Reader, text: str, *, now: datetime, embedded: bool) -> Principal:
    """Return who presents the API token, or raise ``TokenRefused``."""
    token = await store.find_token(reader, hash_secret(text), now) if is_api_token(text) else None
    user = await store.find_user(reader, token.user_id) if token else None
    if token is None or user is None:
        raise TokenRefused("the API token is not valid; sign in again with `stagewright login`")
    local = embedded and token.name == LOCAL_TOKEN
    return Principal(
        user=user,
        scopes=rules.expand_scopes(frozenset(token.scopes)),
        memberships=tuple(await store.list_memberships(reader, user.id)),
        credential="token",
        authenticated_at=token.created_at,
        fresh=local or now - token.created_at < FRESH,
        only_project=token.project_id,
        token_id=token.id,
    )


def require(principal: Principal, permission: Permission, project_id: UUID | None = None) -> None:
    """Raise ``PermissionMissing`` unless the principal may."""
    if not rules.allows(principal, permission, project_id):
        raise PermissionMissing(
            f"this needs the permission {permission.value}; {rules.grantors(permission)} can grant it",
            permission=permission.value,
            grantors=rules.grantors(permission),
        )


async def standing_of_sender(reader: Reader, github_user_id: int | None, project_id: UUID) -> SenderStanding:
    """Return what the forge account with this number is to the platform and the project."""
    user = await store.find_by_github_id(reader, github_user_id) if github_user_id is not None else None
    if user is None or user.state != "active":
        return UNKNOWN_SENDER
    memberships = await store.list_memberships(reader, user.id)
    role = next((item.role for item in memberships if item.project_id == project_id), None)
    return SenderStanding(
        platform_user=True,
        platform_role=user.role.value,
        project_role=role.value if role else None,
        may_start=rules.may_start_runs(user.role, role),
    )
