"""Words of identity: users, roles, scopes, principals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

UserId = NewType("UserId", UUID)
TokenId = NewType("TokenId", UUID)
SessionId = NewType("SessionId", UUID)


class PlatformRole(StrEnum):
    """A user's role on the platform."""

    MEMBER = "member"
    ADMIN = "admin"
    OWNER = "owner"


class ProjectRole(StrEnum):
    """A member's role in one project."""

    READ = "read"
    READ_WRITE = "read_write"
    ADMIN = "admin"


class Scope(StrEnum):
    """What an API token may be used for; the effective right is scope ∩ the user's permission now."""

    READ = "read"
    OPERATE = "operate"
    DECIDE = "decide"
    MANAGE = "manage"
    PLATFORM = "platform"


class LoginMethod(StrEnum):
    """How somebody signs in; ``cli`` makes a token and no session."""

    GITHUB = "github"
    LOCAL = "local"
    CLI = "cli"


class SessionEnd(StrEnum):
    """Why a session ended before its time."""

    SIGNED_OUT = "signed_out"
    REVOKED = "revoked"
    REVOKED_ALL = "revoked_all"
    DEMOTED = "demoted"
    DISABLED = "disabled"


class UserState(StrEnum):
    """Whether a person may sign in: ``invited`` becomes ``active`` at the first login."""

    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"


ALL_SCOPES = frozenset(Scope)


@dataclass(frozen=True, slots=True)
class User:
    """A person. ``github_user_id`` is pinned once and is the only thing forge events are matched by."""

    id: UserId
    email: str
    github_user_id: int | None
    github_login: str | None
    display_name: str
    locale: str
    role: PlatformRole
    state: UserState
    access_version: int
    created_at: datetime
    zone: str
    preferences: Mapping[str, Any]
    version: int


@dataclass(frozen=True, slots=True)
class Session:
    """A person's session in a browser, without its secret. ``expires_at`` is the end however much it is used."""

    id: SessionId
    user_id: UUID
    method: LoginMethod
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    end_reason: SessionEnd | None
    ip_prefix: str
    user_agent: str

    def ends_at(self, idle: timedelta) -> datetime:
        """Return when it ends if it is not used any more."""
        return min(self.expires_at, self.last_used_at + idle)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a login comes from, as much of it as is kept."""

    ip_prefix: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class LoginState:
    """What a login at GitHub was begun with."""

    verifier: str = field(repr=False)
    next_path: str


@dataclass(frozen=True, slots=True)
class CliWish:
    """The token that a person granted to the CLI on the consent page."""

    user_id: UUID
    challenge: str
    token_name: str
    token_scopes: tuple[Scope, ...]
    token_days: int
    token_project_id: UUID | None


@dataclass(frozen=True, slots=True)
class ForgeEmail:
    """An e-mail address as GitHub knows it."""

    address: str
    verified: bool
    primary: bool


@dataclass(frozen=True, slots=True)
class ForgeAccount:
    """Who signed in at GitHub. Only the number and verified addresses decide; the names are shown."""

    github_user_id: int
    login: str
    name: str
    emails: tuple[ForgeEmail, ...]


@dataclass(frozen=True, slots=True)
class ForgeIdentity:
    """An account of the forge: the number decides, the login is shown."""

    github_user_id: int
    login: str


@dataclass(frozen=True, slots=True)
class ApiToken:
    """An API token without its secret."""

    id: TokenId
    user_id: UUID
    name: str
    scopes: tuple[Scope, ...]
    project_id: UUID | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Membership:
    """A user's role in a project."""

    project_id: UUID
    user_id: UUID
    role: ProjectRole
    version: int = 1


@dataclass(frozen=True, slots=True)
class Member:
    """A membership with who the member is."""

    project_id: UUID
    user_id: UUID
    role: ProjectRole
    email: str
    display_name: str
    github_login: str | None
    state: UserState
    version: int


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: a user through a token or session, with what the credential allows, until ``expires_at``."""

    user: User
    scopes: frozenset[Scope]
    memberships: tuple[Membership, ...]
    credential: str
    authenticated_at: datetime
    fresh: bool = False
    only_project: UUID | None = None
    token_id: UUID | None = field(default=None)
    session_id: UUID | None = field(default=None)
    expires_at: datetime | None = field(default=None)
    local: bool = False

    def role_in(self, project_id: UUID) -> ProjectRole | None:
        """Return the caller's role in the project."""
        return next((item.role for item in self.memberships if item.project_id == project_id), None)


@dataclass(frozen=True, slots=True)
class SenderStanding:
    """What a forge sender is to the platform and a project."""

    platform_user: bool
    platform_role: str | None
    project_role: str | None
    may_start: bool


UNKNOWN_SENDER = SenderStanding(platform_user=False, platform_role=None, project_role=None, may_start=False)
