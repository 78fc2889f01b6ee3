"""Words of identity: users, roles, scopes, principals."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

UserId = NewType("UserId", UUID)
TokenId = NewType("TokenId", UUID)


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
    state: str
    access_version: int
    created_at: datetime


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


@dataclass(frozen=True, slots=True)
class Member:
    """A membership with who the member is."""

    project_id: UUID
    user_id: UUID
    role: ProjectRole
    email: str
    display_name: str
    github_login: str | None
    state: str


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: a user through a token or session, with what the credential allows."""

    user: User
    scopes: frozenset[Scope]
    memberships: tuple[Membership, ...]
    credential: str
    authenticated_at: datetime
    fresh: bool = False
    only_project: UUID | None = None
    token_id: UUID | None = field(default=None)

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
