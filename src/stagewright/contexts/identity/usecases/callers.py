"""Who calls, by token or session, and what they may; who a forge sender is."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.identity import rules, store
from stagewright.contexts.identity.errors import PermissionMissing, SessionEnded, SessionRequired, TokenRefused
from stagewright.contexts.identity.model import (
    ALL_SCOPES,
    UNKNOWN_SENDER,
    ApiToken,
    PlatformRole,
    Principal,
    SenderStanding,
    Session,
    User,
    UserState,
)
from stagewright.contexts.identity.rules import Permission
from stagewright.contexts.identity.usecases.tokens import LOCAL_TOKEN
from stagewright.kit.crypto import hash_secret, is_api_token
from stagewright.kit.db import Reader
from stagewright.kit.errors import StagewrightError
from stagewright.kit.journal import Actor

FRESH = timedelta(hours=1)


async def authenticate_token(reader: Reader, text: str, *, now: datetime, embedded: bool) -> Principal:
    """Return who presents the API token, or raise ``TokenRefused``."""
    token = await store.find_token(reader, hash_secret(text), now) if is_api_token(text) else None
    return await _of_token(reader, token, now=now, embedded=embedded)


async def refresh_token(reader: Reader, token_id: UUID, *, now: datetime, embedded: bool) -> Principal:
    """Return who an API token, verified before, is now; or raise ``TokenRefused``."""
    return await _of_token(reader, await store.find_live_token(reader, token_id, now), now=now, embedded=embedded)


async def _of_token(reader: Reader, token: ApiToken | None, *, now: datetime, embedded: bool) -> Principal:
    user = await store.find_user(reader, token.user_id) if token else None
    if token is None or user is None:
        raise TokenRefused("the API token is not valid; sign in again with `stagewright login`")
    local = token.name == LOCAL_TOKEN and user.role is PlatformRole.OWNER
    return Principal(
        user=user,
        scopes=rules.expand_scopes(frozenset(token.scopes)),
        memberships=tuple(await store.list_memberships(reader, user.id)),
        credential="token",
        authenticated_at=token.created_at,
        fresh=(embedded and local) or now - token.created_at < FRESH,
        only_project=token.project_id,
        token_id=token.id,
        expires_at=token.expires_at,
        local=local,
    )


async def authenticate_session(reader: Reader, text: str, *, now: datetime, idle: timedelta) -> Principal:
    """Return who presents the session cookie, or raise ``SessionEnded``."""
    session = await store.find_session(reader, hash_secret(text), now=now, used_since=now - idle)
    return await _of_session(reader, session, now=now, idle=idle)


async def refresh_session(reader: Reader, session_id: UUID, *, now: datetime, idle: timedelta) -> Principal:
    """Return who a session, verified before, is now; or raise ``SessionEnded``."""
    session = await store.find_live_session(reader, session_id, now=now, used_since=now - idle)
    return await _of_session(reader, session, now=now, idle=idle)


async def _of_session(reader: Reader, session: Session | None, *, now: datetime, idle: timedelta) -> Principal:
    user = await store.find_user(reader, session.user_id) if session else None
    if session is None or user is None:
        raise SessionEnded("the session ended: sign in again")
    return Principal(
        user=user,
        scopes=ALL_SCOPES,
        memberships=tuple(await store.list_memberships(reader, user.id)),
        credential="session",
        authenticated_at=session.created_at,
        fresh=now - session.created_at < FRESH,
        session_id=session.id,
        expires_at=session.ends_at(idle),
    )


def require(principal: Principal, permission: Permission, project_id: UUID | None = None) -> None:
    """Raise ``PermissionMissing`` unless the principal may."""
    if not rules.has_scope(principal, permission):
        raise _scope_missing(permission, project_id)
    if not rules.allows(principal, permission, project_id):
        raise PermissionMissing(
            f"this needs the permission {permission.value}; {rules.grantors(permission)} can grant it",
            **rules.what_is_missing(permission, project_id),
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
    def expires_at(self) -> datetime | None:
        """Return when the credential ends if it is not used any more; a socket closes then."""
        return self.principal.expires_at

    @property
    def access_version(self) -> int:
        """Return the number of the user's rights: another number means other rights."""
        return self.principal.user.access_version

    @property
    def projects(self) -> frozenset[UUID] | None:
        """Return the projects that lists show; None for all."""
        return rules.visible_projects(self.principal)

    def as_user(self, user: User) -> "Caller":
        """Return the same caller after ``user`` was changed."""
        return replace(self, principal=replace(self.principal, user=user))

    def need_session(self, what: str) -> None:
        """Refuse API tokens: ``what`` is for a person signed in."""
        if self.principal.credential != "session":
            raise SessionRequired(f"an API token cannot {what}: sign in with a session")

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


def _scope_missing(permission: Permission, project_id: UUID | None = None) -> PermissionMissing:
    scope = rules.TABLE[permission].scope
    needs = f"an API token with the scope {scope.value}" if scope else "a person signed in with a session"
    return PermissionMissing(
        f"this needs the permission {permission.value}, that is {needs}",
        **rules.what_is_missing(permission, project_id),
        **({"scope": scope.value} if scope else {"credential": "session"}),
    )


async def standing_of_sender(reader: Reader, github_user_id: int | None, project_id: UUID) -> SenderStanding:
    """Return what the forge account with this number is to the platform and the project."""
    user = await store.find_by_github_id(reader, github_user_id) if github_user_id is not None else None
    if user is None or user.state is not UserState.ACTIVE:
        return UNKNOWN_SENDER
    memberships = await store.list_memberships(reader, user.id)
    role = next((item.role for item in memberships if item.project_id == project_id), None)
    return SenderStanding(
        platform_user=True,
        platform_role=user.role.value,
        project_role=role.value if role else None,
        may_start=rules.may_start_runs(user.role, role),
    )


async def list_who_may(reader: Reader, permission: Permission, project_id: UUID) -> list[UUID]:
    """Return the active users whose roles give ``permission`` in the project, whatever credential they come with."""
    row = rules.TABLE[permission]
    return await store.list_with_role(
        reader,
        project_id,
        platform_roles=[role.value for role in row.platform_roles],
        project_roles=[role.value for role in row.project_roles] if row.in_project else [],
    )
