"""The public door to signing in and out: which ways there are, the one-time code, the CLI's exchange."""

from typing import Literal

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from stagewright.contexts.identity.http.parts import CallerDep, PartsDep, attempt
from stagewright.contexts.identity.http.views import NewTokenView, SessionView, TokenView
from stagewright.contexts.identity.model import LoginMethod, Origin, SessionEnd
from stagewright.contexts.identity.rules import Permission
from stagewright.contexts.identity.rules.login import VERIFIER
from stagewright.contexts.identity.usecases import logins
from stagewright.contexts.identity.usecases.sessions import NewSession, revoke_session
from stagewright.contexts.identity.usecases.tokens import NewToken
from stagewright.kit.db import Tx
from stagewright.kit.http import RequestBody
from stagewright.kit.http.browser import CsrfRefused
from stagewright.kit.http.routes import PUBLIC, ClockDep, Db, Routes

routes = Routes(tag="session", prefix="/auth")
local = Routes(tag="session", prefix="/auth")
CODE = Field(min_length=16, max_length=200)


class OptionsView(BaseModel):
    """The ways to sign in here. ``local``: the one-time link that `stagewright open` makes."""

    ways: list[Literal["github", "local"]]
    default_locale: str


class CodeForm(RequestBody):
    """The one-time code of the address."""

    code: str = CODE


class ExchangeForm(RequestBody):
    """The code that came back to the CLI, and the PKCE verifier it kept."""

    code: str = CODE
    verifier: str = Field(pattern=f"^{VERIFIER.pattern}$")


class ExchangedView(NewTokenView):
    """The token of the CLI, shown this once, and whose it is."""

    email: str


class Nothing(RequestBody):
    """A verb without words."""


@routes.get("/options", PUBLIC)
async def get_login_options(parts: PartsDep) -> OptionsView:
    """Show the ways to sign in."""
    ways: list[Literal["github", "local"]] = []
    if parts.github is not None:
        ways.append("github")
    if parts.local_login:
        ways.append("local")
    return OptionsView(ways=ways, default_locale="en")


@local.post("/local", PUBLIC, response_model=SessionView)
async def sign_in_locally(form: CodeForm, request: Request, parts: PartsDep, clock: ClockDep) -> Response:
    """Sign the owner in with a one-time code; the answer sets the session cookie. Only from our own origin."""
    try:
        parts.browser.check_page(request)
    except CsrfRefused:
        parts.metrics.csrf_refused.inc()
        raise
    now = clock.now()

    async def act(tx: Tx, origin: Origin) -> NewSession:
        return await logins.sign_in_by_code(tx, form.code, origin=origin, now=now, longest=parts.longest)

    begun = await attempt(request, parts, LoginMethod.LOCAL, act)
    response = JSONResponse(SessionView.of(begun.session, parts.idle, current=True).model_dump())
    parts.browser.keep_session(response, begun.text, longest=parts.longest)
    return response


@routes.post("/cli/exchange", PUBLIC, status_code=201)
async def exchange_cli_code(form: ExchangeForm, request: Request, parts: PartsDep, clock: ClockDep) -> ExchangedView:
    """Exchange the code of the consent page for the API token that was granted."""
    now = clock.now()

    async def act(tx: Tx, _: Origin) -> tuple[NewToken, str]:
        made, user = await logins.exchange_cli_code(tx, form.code, form.verifier, now=now)
        return made, user.email

    made, email = await attempt(request, parts, LoginMethod.CLI, act)
    return ExchangedView(**TokenView.of(made.token).model_dump(), token=made.text, email=email)


@routes.post("/logout", Permission.SIGNED_IN, response_model=SessionView)
async def sign_out(me: CallerDep, db: Db, parts: PartsDep, clock: ClockDep, form: Nothing | None = None) -> Response:
    """End this session and take its cookie away."""
    me.need_session("sign out; revoke it instead")
    session_id = me.principal.session_id
    assert session_id is not None  # the credential is a session
    async with db.transaction(me.actor) as tx:
        ended = await revoke_session(tx, me.user.id, session_id, reason=SessionEnd.SIGNED_OUT, now=clock.now())
    response = JSONResponse(SessionView.of(ended, parts.idle, current=True).model_dump())
    parts.browser.forget_session(response)
    return response
