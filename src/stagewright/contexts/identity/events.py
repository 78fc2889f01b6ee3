"""Facts of identity."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from stagewright.contexts.identity.model import ApiToken, LoginMethod, Membership, Session, User
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
    """What a user may do changed, for a ``reason`` a person gave."""

    kind: ClassVar[str] = "access.changed"
    topic: ClassVar[str] = "users"

    user: User
    reason: str | None = None

    @property
    def stream(self) -> str:
        return f"user:{self.user.id}"

    def body(self) -> Mapping[str, Any]:
        return {
            "v": 1,
            **user_frame(self.user),
            **_why(self.reason),
        }


def _why(reason: str | None) -> dict[str, str]:
    return {"reason": reason} if reason else {}


def user_frame(user: User) -> dict[str, Any]:
    """Return what everybody who may see users sees of ``user``."""
    return {
        "id": str(user.id),
        "email": user.email,
        "display_name": user.display_name,
        "github_login": user.github_login,
        "role": user.role.value,
        "state": user.state.value,
        "access_version": user.access_version,
        "version": user.version,
        "created_at": user.created_at.isoformat(),
    }


@dataclass(frozen=True, kw_only=True)
class LoggedIn(Event):
    """A person signed in."""

    kind: ClassVar[str] = "identity.login"
    topic: ClassVar[str] = "users"

    session: Session
    github_user_id: int | None

    @property
    def stream(self) -> str:
        return f"user:{self.session.user_id}"

    def body(self) -> Mapping[str, Any]:
        return {
            "v": 1,
            "session_id": str(self.session.id),
            "method": self.session.method.value,
            "github_user_id": self.github_user_id,
            "ip_prefix": self.session.ip_prefix,
        }


@dataclass(frozen=True, kw_only=True)
class LoginRefused(Event):
    """Somebody tried to sign in and may not."""

    kind: ClassVar[str] = "identity.login_refused"
    topic: ClassVar[str] = "users"

    method: LoginMethod
    code: str
    github_user_id: int | None
    ip_prefix: str

    @property
    def stream(self) -> str:
        return "logins"

    def body(self) -> Mapping[str, Any]:
        return {
            "v": 1,
            "method": self.method.value,
            "code": self.code,
            "github_user_id": self.github_user_id,
            "ip_prefix": self.ip_prefix,
        }


@dataclass(frozen=True, kw_only=True)
class SessionRevoked(Event):
    """A session ended before its time: its sockets close."""

    kind: ClassVar[str] = "session.revoked"
    topic: ClassVar[str] = "users"

    session: Session

    @property
    def stream(self) -> str:
        return f"user:{self.session.user_id}"

    def body(self) -> Mapping[str, Any]:
        reason = self.session.end_reason.value if self.session.end_reason else None
        return {"v": 1, "id": str(self.session.id), "user_id": str(self.session.user_id), "reason": reason}


@dataclass(frozen=True, kw_only=True)
class MemberFact(Event):
    """A fact of a membership, for a ``reason`` a person gave."""

    topic: ClassVar[str] = "members"

    membership: Membership
    reason: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "project_id", self.membership.project_id)

    @property
    def stream(self) -> str:
        return f"project:{self.membership.project_id}"

    def body(self) -> Mapping[str, Any]:
        return {
            "v": 1,
            "project_id": str(self.membership.project_id),
            "user_id": str(self.membership.user_id),
            "role": self.membership.role.value,
            "version": self.membership.version,
            **_why(self.reason),
        }


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
