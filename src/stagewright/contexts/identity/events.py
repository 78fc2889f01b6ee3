"""Facts of identity."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from stagewright.contexts.identity.model import ApiToken, Membership, User
from stagewright.kit.journal import Event


@dataclass(frozen=True, kw_only=True)
class TokenFact(Event):
    """A fact of an API token: never its text."""

    topic: ClassVar[str] = "users"

    token: ApiToken

    @property
    def stream(self) -> str:
        return f"user:{self.token.user_id}"

    def body(self) -> Mapping[str, Any]:
        return {
            "v": 1,
            "id": str(self.token.id),
            "name": self.token.name,
            "scopes": [scope.value for scope in self.token.scopes],
            "expires_at": self.token.expires_at.isoformat(),
        }


class TokenCreated(TokenFact):
    kind = "token.created"


class TokenRevoked(TokenFact):
    kind = "token.revoked"


@dataclass(frozen=True, kw_only=True)
class AccessChanged(Event):
    """What a user may do changed."""

    kind: ClassVar[str] = "access.changed"
    topic: ClassVar[str] = "users"

    user: User

    @property
    def stream(self) -> str:
        return f"user:{self.user.id}"

    def body(self) -> Mapping[str, Any]:
        return {
            "v": 1,
            "id": str(self.user.id),
            "role": self.user.role.value,
            "state": self.user.state,
            "access_version": self.user.access_version,
            "github_login": self.user.github_login,
        }


@dataclass(frozen=True, kw_only=True)
class MemberFact(Event):
    """A fact of a membership."""

    topic: ClassVar[str] = "members"

    membership: Membership

    def __post_init__(self) -> None:
        object.__setattr__(self, "project_id", self.membership.project_id)

    @property
    def stream(self) -> str:
        return f"project:{self.membership.project_id}"

    def body(self) -> Mapping[str, Any]:
        return {"v": 1, "user_id": str(self.membership.user_id), "role": self.membership.role.value}


class MemberAdded(MemberFact):
    kind = "member.added"


class MemberRoleChanged(MemberFact):
    kind = "member.role_changed"


class MemberRemoved(MemberFact):
    kind = "member.removed"


@dataclass(frozen=True, kw_only=True)
class AuditRead(Event):
    """Somebody read the audit of the installation."""

    kind: ClassVar[str] = "audit.read"
    topic: ClassVar[str] = "audit"

    filters: Mapping[str, Any]

    @property
    def stream(self) -> str:
        return "audit"

    def body(self) -> Mapping[str, Any]:
        return {"v": 1, "filters": dict(self.filters)}
