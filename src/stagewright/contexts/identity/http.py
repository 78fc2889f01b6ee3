"""The door for people about themselves: who am I, my API tokens."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from fastapi.responses import Response
from pydantic import BaseModel, Field

from stagewright.contexts.identity import api
from stagewright.contexts.identity.api import Caller, Permission, PlatformRole, ProjectRole, Scope
from stagewright.kit.db import Tx
from stagewright.kit.http import Limit, Page, RequestBody
from stagewright.kit.http.once import Answer, OnceDep
from stagewright.kit.http.paging import Paging
from stagewright.kit.http.routes import ClockDep, CursorsDep, Db, Routes, caller
from stagewright.kit.http.shapes import Id, Instant

routes = Routes(tag="session")
CallerDep = Annotated[Caller, Depends(caller)]


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
    def of(cls, token: api.ApiToken) -> "TokenView":
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


class MembershipView(BaseModel):
    """A role in a project."""

    project_id: Id
    role: ProjectRole


class MeView(BaseModel):
    """Who calls, and what the credential allows. ``csrf`` is for sessions only."""

    id: Id
    email: str
    display_name: str
    locale: str
    role: PlatformRole
    github_login: str | None
    github_user_id: int | None
    memberships: list[MembershipView]
    credential: str
    scopes: list[Scope]
    fresh: bool
    token: TokenView | None
    csrf: str | None


class TokenForm(RequestBody):
    """The token a person wants."""

    name: str = Field(min_length=1, max_length=100)
    scopes: list[Scope] = Field(min_length=1)
    expires_in_days: int = Field(default=30, ge=1, le=90)
    project_id: UUID | None = None


@routes.get("/me", Permission.SIGNED_IN)
async def get_me(me: CallerDep, db: Db) -> MeView:
    """Show the caller, their roles and what their credential allows."""
    principal, user = me.principal, me.user
    async with db.reading() as reader:
        tokens = await api.list_tokens(reader, user.id)
    token = next((item for item in tokens if item.id == principal.token_id), None)
    return MeView(
        id=str(user.id),
        email=user.email,
        display_name=user.display_name,
        locale=user.locale,
        role=user.role,
        github_login=user.github_login,
        github_user_id=user.github_user_id,
        memberships=[MembershipView(project_id=str(m.project_id), role=m.role) for m in principal.memberships],
        credential=principal.credential,
        scopes=sorted(principal.scopes),
        fresh=principal.fresh,
        token=TokenView.of(token) if token else None,
        csrf=None,
    )


@routes.get("/me/tokens", Permission.SIGNED_IN)
async def list_my_tokens(
    me: CallerDep, db: Db, clock: ClockDep, cursors: CursorsDep, limit: Limit = 50, cursor: str | None = None
) -> Page[TokenView]:
    """List the caller's API tokens, the revoked and expired ones too."""
    paging = Paging(cursors, limit, cursor, "created_at", {})
    async with db.reading() as reader:
        tokens = await api.list_tokens(reader, me.user.id)
    return paging.slice(tokens, lambda item: (item.created_at, item.id), TokenView.of, as_of=clock.now())


@routes.post("/me/tokens", Permission.SIGNED_IN, status_code=201, response_model=NewTokenView)
async def create_my_token(form: TokenForm, me: CallerDep, once: OnceDep, clock: ClockDep) -> Response:
    """Make an API token. A token cannot make tokens: this needs a person signed in with a session."""
    if me.principal.credential != "session":
        raise api.SessionRequired("an API token cannot make API tokens; `stagewright up` makes the one of this machine")

    async def act(tx: Tx) -> Answer:
        made = await api.create_token(
            tx,
            me.user,
            name=form.name,
            scopes=form.scopes,
            now=clock.now(),
            life=timedelta(days=form.expires_in_days),
            project_id=form.project_id,
        )
        view = NewTokenView(**TokenView.of(made.token).model_dump(), token=made.text)
        return Answer(view, 201, {"Location": "/api/v1/me/tokens"})

    return await once.run(act)


@routes.delete("/me/tokens/{token_id}", Permission.SIGNED_IN, status_code=200)
async def revoke_my_token(token_id: UUID, me: CallerDep, db: Db, clock: ClockDep) -> TokenView:
    """Revoke one of the caller's tokens; it counts nowhere from the next request on."""
    async with db.transaction(me.actor) as tx:
        revoked = await api.revoke_token(tx, me.user, token_id, now=clock.now())
    return TokenView.of(revoked)
