"""The owner, forge logins, memberships, API tokens; and who a caller or a sender is."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.identity import rules, store
from stagewright.contexts.identity.errors import (
    MemberExists,
    MismatchedAccount,
    PermissionMissing,
    TokenInvalidRequest,
    TokenNotFound,
    TokenRefused,
    UserNotFound,
)
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
    Member,
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
from stagewright.kit.errors import FieldProblem, StagewrightError
from stagewright.kit.ids import uuid7
from stagewright.kit.journal import Actor

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
    if not rules.has_scope(principal, permission):
        raise _scope_missing(permission)
    if not rules.allows(principal, permission, project_id):
        raise PermissionMissing(
            f"this needs the permission {permission.value}; {rules.grantors(permission)} can grant it",
            permission=permission.value,
            grantors=rules.grantors(permission),
        )


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls a route, and the permission the route declares."""

    principal: Principal
    permission: Permission

    @property
    def user(self) -> User:
        """Return the person."""
        return self.principal.user

    @property
    def actor(self) -> Actor:
        """Return who the journal names."""
        return Actor("user", str(self.principal.user.id))

    @property
    def projects(self) -> frozenset[UUID] | None:
        """Return the projects that lists show; None for all."""
        return rules.visible_projects(self.principal)

    def enter(self) -> None:
        """Refuse at the door what no project can allow: a platform permission, a scope the token does not have."""
        if not rules.has_scope(self.principal, self.permission):
            raise _scope_missing(self.permission)
        if not rules.TABLE[self.permission].in_project:
            require(self.principal, self.permission)

    def admit(self, project_id: UUID | None, hidden: StagewrightError, permission: Permission | None = None) -> None:
        """Apply the object rule to something of ``project_id`` (None: of the installation).

        What the caller may not see raises ``hidden``, the error of an unknown id; what it may not do, 403.
        """
        wanted = permission or self.permission
        if project_id is None:
            if self.user.role is PlatformRole.MEMBER or self.principal.only_project is not None:
                raise hidden
        elif not rules.sees(self.principal, project_id):
            raise hidden
        require(self.principal, wanted, project_id)

    def may(self, permission: Permission, project_id: UUID) -> bool:
        """Say whether the caller may do ``permission`` in the project."""
        return rules.allows(self.principal, permission, project_id)


def _scope_missing(permission: Permission) -> PermissionMissing:
    scope = rules.TABLE[permission].scope
    needs = f"an API token with the scope {scope.value}" if scope else "a person signed in with a session"
    return PermissionMissing(
        f"this needs the permission {permission.value}, that is {needs}",
        permission=permission.value,
        grantors=rules.grantors(permission),
        scope=scope.value if scope else None,
    )


async def add_member(
    tx: Tx, project_id: UUID, *, email: str | None, user_id: UUID | None, role: ProjectRole, now: datetime
) -> Member:
    """Make an existing user a member. Raises ``UserNotFound`` or ``MemberExists``; nobody is created here."""
    user = await store.find_user(tx, user_id) if user_id else await store.find_by_email(tx, email or "")
    if user is None or user.state == "disabled":
        raise UserNotFound("there is no such user; a member is somebody who may sign in already")
    if any(item.user_id == user.id for item in await store.list_members(tx, project_id)):
        raise MemberExists(f"{user.email} is a member of this project already")
    await set_member(tx, project_id, user.id, role, now=now)
    return next(item for item in await store.list_members(tx, project_id) if item.user_id == user.id)


async def pin_owner(tx: Tx, owner: User, *, github_id: int, login: str) -> User:
    """Pin which forge account the owner is. Raises ``MismatchedAccount`` when it is somebody else's."""
    holder = await store.find_by_github_id(tx, github_id)
    if holder is not None and holder.id != owner.id:
        raise MismatchedAccount(f"the forge account {login} is pinned to another user")
    if owner.github_user_id is not None and owner.github_user_id != github_id:
        raise MismatchedAccount(f"you are pinned to the forge account {owner.github_login}, not {login}")
    return await pin_github_login(tx, owner, github_id=github_id, login=login)


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
