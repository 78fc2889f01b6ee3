"""What people see of sessions, tokens, users and members."""

from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from stagewright.contexts.identity.events import user_frame
from stagewright.contexts.identity.model import (
    ApiToken,
    LoginMethod,
    Member,
    PlatformRole,
    ProjectRole,
    Scope,
    Session,
    SessionEnd,
    User,
    UserState,
)
from stagewright.kit.http.shapes import AllowedAction, Id, Instant


class SessionView(BaseModel):
    """A session in a browser. ``expires_at`` is when it ends if it is not used any more."""

    id: Id
    method: LoginMethod
    created_at: Instant
    last_used_at: Instant
    expires_at: Instant
    ended_at: Instant | None
    end_reason: SessionEnd | None
    ip_prefix: str
    user_agent: str
    current: bool

    @classmethod
    def of(cls, session: Session, idle: timedelta, *, current: bool) -> "SessionView":
        """Show ``session``."""
        return cls(
            id=str(session.id),
            method=session.method,
            created_at=session.created_at.isoformat(),
            last_used_at=session.last_used_at.isoformat(),
            expires_at=session.ends_at(idle).isoformat(),
            ended_at=session.ended_at.isoformat() if session.ended_at else None,
            end_reason=session.end_reason,
            ip_prefix=session.ip_prefix,
            user_agent=session.user_agent,
            current=current,
        )


class TokenView(BaseModel):
    """An API token without its text."""

    id: Id
    name: str
    scopes: list[Scope]
    project_id: Id | None
    created_at: Instant
    expires_at: Instant
    revoked_at: Instant | None
    last_used_at: Instant | None

    @classmethod
    def of(cls, token: ApiToken) -> "TokenView":
        """Show ``token``."""
        return cls(
            id=str(token.id),
            name=token.name,
            scopes=list(token.scopes),
            project_id=str(token.project_id) if token.project_id else None,
            created_at=token.created_at.isoformat(),
            expires_at=token.expires_at.isoformat(),
            revoked_at=token.revoked_at.isoformat() if token.revoked_at else None,
            last_used_at=token.last_used_at.isoformat() if token.last_used_at else None,
        )


class NewTokenView(TokenView):
    """A token just made; ``token`` is its text, shown this once."""

    token: str


class UserFrame(BaseModel):
    """What everybody who may see users sees of one."""

    id: Id
    email: str
    display_name: str
    github_login: str | None
    role: PlatformRole
    state: UserState
    access_version: int
    version: int
    created_at: Instant


class UserView(UserFrame):
    """A user, and what the caller may do with them."""

    allowed_actions: list[AllowedAction]

    @classmethod
    def of(cls, user: User, actions: list[AllowedAction]) -> "UserView":
        """Show ``user``."""
        fields: dict[str, Any] = user_frame(user)
        return cls(**fields, allowed_actions=actions)


class ChangedMember(BaseModel):
    """A member of a project, after a change."""

    project_id: Id
    user_id: Id
    role: ProjectRole
    version: int
    email: str
    display_name: str
    github_login: str | None
    state: UserState

    @classmethod
    def of(cls, member: Member) -> "ChangedMember":
        """Show ``member``."""
        return cls(
            project_id=str(member.project_id),
            user_id=str(member.user_id),
            role=member.role,
            version=member.version,
            email=member.email,
            display_name=member.display_name,
            github_login=member.github_login,
            state=member.state,
        )
