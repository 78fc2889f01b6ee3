"""The door for people about themselves: who am I, my settings, my sessions, links to sign in with."""

import zoneinfo
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Response
from pydantic import BaseModel, Field

from stagewright.contexts.identity import store
from stagewright.contexts.identity.errors import SessionNotFound, UserInvalid
from stagewright.contexts.identity.http.parts import CallerDep, ListingDep, PartsDep
from stagewright.contexts.identity.http.views import SessionView, TokenView
from stagewright.contexts.identity.model import PlatformRole, ProjectRole, Scope, SessionEnd, UserState
from stagewright.contexts.identity.rules import TABLE, Permission, allows
from stagewright.contexts.identity.usecases import logins, people, sessions
from stagewright.contexts.identity.usecases.callers import Caller
from stagewright.kit.errors import Denied, FieldProblem
from stagewright.kit.http import Page, RequestBody, VersionMismatch, etag, expected_version
from stagewright.kit.http.routes import ClockDep, Db, Routes
from stagewright.kit.http.shapes import Id, Instant

routes = Routes(tag="session")
local = Routes(tag="session")
VersionDep = Annotated[int, Depends(expected_version)]
LOCALES = ("en", "ru")


class MembershipView(BaseModel):
    """A role in a project, and what it permits."""

    project_id: Id
    role: ProjectRole


class MeView(BaseModel):
    """Who calls, and what the credential allows. ``csrf`` is for sessions only: the header ``X-CSRF-Token``.

    ``permissions`` are those of the platform; a project's stand in its ``allowed_actions``.
    """

    id: Id
    email: str
    display_name: str
    locale: str
    zone: str
    preferences: dict[str, Any]
    version: int
    state: UserState
    role: PlatformRole
    github_login: str | None
    github_user_id: int | None
    memberships: list[MembershipView]
    permissions: list[Permission]
    credential: str
    scopes: list[Scope]
    fresh: bool
    expires_at: Instant | None
    session_id: Id | None
    token: TokenView | None
    csrf: str | None


class MePatch(RequestBody):
    """What to change of myself; what is absent stays. A preference set to null goes (RFC 7396)."""

    display_name: str | None = Field(default=None, min_length=1, max_length=100)
    locale: str | None = None
    zone: str | None = Field(default=None, max_length=64)
    preferences: dict[str, Any] | None = None


class SessionsEnded(BaseModel):
    """How many sessions ended."""

    ended: int


class LoginCodeView(BaseModel):
    """A one-time code that signs in, and the address to open with it."""

    code: str
    url: str
    expires_at: Instant


class Nothing(RequestBody):
    """A verb without words."""


@routes.get("/me", Permission.SIGNED_IN)
async def get_me(me: CallerDep, db: Db, parts: PartsDep, response: Response) -> MeView:
    """Show the caller, their roles and what their credential allows; a session's idle time begins anew."""
    async with db.reading() as reader:
        tokens = await store.list_tokens(reader, me.user.id)
    token = next((item for item in tokens if item.id == me.principal.token_id), None)
    response.headers["ETag"] = etag(me.user.version)
    return _view(me, parts, TokenView.of(token) if token else None)


def _view(me: Caller, parts: PartsDep, token: TokenView | None) -> MeView:
    principal, user = me.principal, me.user
    session = principal.session_id
    return MeView(
        id=str(user.id),
        email=user.email,
        display_name=user.display_name,
        locale=user.locale,
        zone=user.zone,
        preferences=dict(user.preferences),
        version=user.version,
        state=user.state,
        role=user.role,
        github_login=user.github_login,
        github_user_id=user.github_user_id,
        memberships=[MembershipView(project_id=str(m.project_id), role=m.role) for m in principal.memberships],
        permissions=[item for item, row in TABLE.items() if not row.in_project and allows(principal, item)],
        credential=principal.credential,
        scopes=sorted(principal.scopes),
        fresh=principal.fresh,
        expires_at=principal.expires_at.isoformat() if principal.expires_at else None,
        session_id=str(session) if session else None,
        token=token,
        csrf=parts.browser.csrf_token(session) if session else None,
    )


@routes.patch("/me", Permission.SIGNED_IN)
async def change_my_settings(
    form: MePatch, me: CallerDep, db: Db, parts: PartsDep, version: VersionDep, response: Response
) -> MeView:
    """Change the caller's name, language, time zone or preferences. A token needs the scope ``operate``."""
    _need_operate(me)
    async with db.transaction(me.actor) as tx:
        user = await people.get_locked(tx, me.user.id)
        if user.version != version:
            raise VersionMismatch("your settings were changed since you read them: read them again")
        changed = await people.change_profile(
            tx,
            user,
            name=form.display_name,
            locale=_locale(form.locale),
            zone=_zone(form.zone),
            preferences=form.preferences,
        )
        tokens = await store.list_tokens(tx, me.user.id)
    token = next((item for item in tokens if item.id == me.principal.token_id), None)
    response.headers["ETag"] = etag(changed.version)
    return _view(me.as_user(changed), parts, TokenView.of(token) if token else None)


def _need_operate(me: Caller) -> None:
    if Scope.OPERATE not in me.principal.scopes:
        raise Denied("this needs an API token with the scope operate", scope=Scope.OPERATE.value)


def _locale(wanted: str | None) -> str | None:
    if wanted is not None and wanted not in LOCALES:
        raise _wrong("locale", f"choose one of {', '.join(LOCALES)}")
    return wanted


def _zone(wanted: str | None) -> str | None:
    if wanted is not None and wanted not in zoneinfo.available_timezones():
        raise _wrong("zone", "give a name of the time zone database, for example Europe/Berlin")
    return wanted


def _wrong(name: str, remedy: str) -> UserInvalid:
    return UserInvalid(f"{name}: {remedy}", problems=(FieldProblem(f"/{name}", UserInvalid.code, remedy),))


@routes.get("/me/sessions", Permission.SIGNED_IN)
async def list_my_sessions(me: CallerDep, db: Db, parts: PartsDep, listing: ListingDep) -> Page[SessionView]:
    """List the caller's live sessions."""
    now = listing.clock.now()
    async with db.reading() as reader:
        found = await store.list_sessions(reader, me.user.id, now=now, used_since=now - parts.idle)
    return listing.page(
        found,
        "created_at",
        lambda item: (item.created_at, item.id),
        lambda item: SessionView.of(item, parts.idle, current=item.id == me.principal.session_id),
    )


@routes.delete("/me/sessions/{session_id}", Permission.SIGNED_IN)
async def revoke_my_session(
    session_id: UUID, me: CallerDep, db: Db, parts: PartsDep, clock: ClockDep, form: Nothing | None = None
) -> SessionView:
    """End one of the caller's sessions; its next request is refused and its sockets close."""
    _need_operate(me)
    now = clock.now()
    async with db.transaction(me.actor) as tx:
        live = await store.list_sessions(tx, me.user.id, now=now, used_since=now - parts.idle)
        if session_id not in {item.id for item in live}:
            raise SessionNotFound("there is no such live session of yours")
        ended = await sessions.revoke_session(tx, me.user.id, session_id, reason=SessionEnd.REVOKED, now=now)
    return SessionView.of(ended, parts.idle, current=ended.id == me.principal.session_id)


@routes.post("/me/sessions:revoke-all", Permission.SIGNED_IN)
async def revoke_my_sessions(me: CallerDep, db: Db, clock: ClockDep, form: Nothing | None = None) -> SessionsEnded:
    """Sign out everywhere: every session of the caller ends, this one too."""
    _need_operate(me)
    async with db.transaction(me.actor) as tx:
        ended = await sessions.end_sessions(tx, me.user.id, reason=SessionEnd.REVOKED_ALL, now=clock.now())
    return SessionsEnded(ended=len(ended))


@local.post("/me/login-code", Permission.SIGNED_IN, status_code=201)
async def make_login_code(
    me: CallerDep, db: Db, parts: PartsDep, clock: ClockDep, form: Nothing | None = None
) -> LoginCodeView:
    """Make a one-time link that signs the owner in. Only the token `local` of `stagewright up` may."""
    if not me.principal.local:
        raise Denied(
            "only the owner's token of `stagewright up` makes a sign-in link", code="identity.local_token_only"
        )
    async with db.transaction(me.actor) as tx:
        code = await logins.make_local_code(tx, me.user, now=clock.now())
    url = f"{parts.public_url}/login#{code.text}"
    return LoginCodeView(code=code.text, url=url, expires_at=code.expires_at.isoformat())
