"""The public door to signing in with GitHub: there with a state, back with a code. Failures are a page with a code."""

import html
import secrets
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from stagewright.contexts.identity.errors import ForgeLoginFailed, LoginStateRefused, MismatchedAccount
from stagewright.contexts.identity.http.parts import Parts, PartsDep, count_login, note_refusal
from stagewright.contexts.identity.model import ForgeAccount, LoginMethod, LoginState, Origin
from stagewright.contexts.identity.ports import GitHubLogin
from stagewright.contexts.identity.usecases import logins
from stagewright.contexts.identity.usecases.sessions import NewSession
from stagewright.kit.errors import StagewrightError
from stagewright.kit.http import status_of
from stagewright.kit.http.browser import LOGIN_COOKIE
from stagewright.kit.http.middleware import page_policy
from stagewright.kit.http.routes import PUBLIC, ClockDep, Db, Routes

routes = Routes(tag="session", prefix="/auth")
CALLBACK = "/auth/github/callback"
PAGES: dict[int | str, dict[str, Any]] = {
    303: {"description": "Go on there"},
    **{
        status: {"description": "A page with a code and a way out", "content": {"text/html": {}}}
        for status in (401, 403, 409, 429, 503)
    },
}
WORDS = {
    "identity.login_state": "This sign-in was begun in another browser, more than ten minutes ago, or is finished.",
    "identity.email_not_allowed": "No verified e-mail of this GitHub account may sign in here. An admin can invite it.",
    "identity.github_mismatch": "This e-mail belongs to somebody who signs in with another GitHub account.",
    "identity.account_disabled": "This account may not sign in any more. An admin can change that.",
    "identity.forge_login_failed": "GitHub did not say who you are. Nothing was changed.",
}
OTHERS = "Signing in did not work."
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Stagewright</title>
<style nonce="{nonce}">
body{{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:4rem auto;padding:0 1rem}}
</style>
<h1>Not signed in</h1>
<p>{words}</p>
<p><a href="/login">Try again</a></p>
<p><small>{code} · {request}</small></p>
</html>
"""


@routes.get("/github/login", PUBLIC, status_code=303, response_class=Response, responses=PAGES)
async def begin_github_login(
    request: Request,
    parts: PartsDep,
    db: Db,
    clock: ClockDep,
    next_path: Annotated[str | None, Query(alias="next", max_length=2000)] = None,
) -> Response:
    """Go to GitHub to sign in; afterwards to ``next``, a path of this server."""
    try:
        await count_login(request, parts)
    except StagewrightError as error:
        return _page(request, error)
    async with db.transaction() as tx:
        begun = await logins.begin_github(tx, next_path=next_path, now=clock.now())
    address = _github(parts).authorize_url(
        state=begun.state, challenge=begun.challenge, redirect_uri=f"{parts.public_url}{CALLBACK}"
    )
    response = RedirectResponse(address, 303)
    parts.browser.keep_login(response, begun.cookie, longest=logins.STATE_LIFE)
    return response


@routes.get("/github/callback", PUBLIC, status_code=303, response_class=Response, responses=PAGES)
async def finish_github_login(
    request: Request,
    parts: PartsDep,
    db: Db,
    clock: ClockDep,
    code: Annotated[str | None, Query(max_length=500)] = None,
    state: Annotated[str | None, Query(max_length=500)] = None,
    error: Annotated[str | None, Query(max_length=500)] = None,
    error_description: Annotated[str | None, Query(max_length=2000)] = None,
    error_uri: Annotated[str | None, Query(max_length=2000)] = None,
    iss: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """Come back from GitHub: a new session for the user the account is, or a page that says why not."""
    try:
        origin = await count_login(request, parts)
    except StagewrightError as limit:
        return _page(request, limit)
    account: ForgeAccount | None = None
    try:
        begun = await _begun(request, db, clock, state)
        if not code or error:
            raise ForgeLoginFailed("GitHub sent no code")
        account = await _github(parts).identify(
            code=code, verifier=begun.verifier, redirect_uri=f"{parts.public_url}{CALLBACK}"
        )
        session = await _sign_in(request, parts, db, clock, account, origin)
    except StagewrightError as refused:
        github_id = account.github_user_id if account else None
        await note_refusal(request, parts, LoginMethod.GITHUB, origin, refused.stable_code, github_id)
        if isinstance(refused, MismatchedAccount) and parts.report_mismatch is not None:
            await parts.report_mismatch(refused, github_id)
        return _page(request, refused)
    parts.metrics.logins.labels(LoginMethod.GITHUB.value, "ok").inc()
    response = RedirectResponse(begun.next_path, 303)
    parts.browser.keep_session(response, session.text, longest=parts.longest)
    parts.browser.forget_login(response)
    return response


async def _begun(request: Request, db: Db, clock: ClockDep, state: str | None) -> LoginState:
    """Use up the state, in a transaction of its own: whatever follows, it counts once."""
    async with db.transaction() as tx:
        begun = await logins.claim_state(tx, state=state, cookie=request.cookies.get(LOGIN_COOKIE), now=clock.now())
    if begun is None:
        raise LoginStateRefused("this sign-in was not begun in this browser a moment ago: begin again")
    return begun


async def _sign_in(
    request: Request, parts: Parts, db: Db, clock: ClockDep, account: ForgeAccount, origin: Origin
) -> NewSession:
    async with db.transaction(correlation_id=str(request.state.request_id)) as tx:
        return await logins.sign_in_by_github(tx, account, origin=origin, now=clock.now(), longest=parts.longest)


def _github(parts: Parts) -> GitHubLogin:
    assert parts.github is not None  # without a client these routes do not exist
    return parts.github


def _page(request: Request, error: StagewrightError) -> HTMLResponse:
    """Show one page with a code: our words, never the provider's."""
    nonce, code = secrets.token_urlsafe(16), error.stable_code
    text = PAGE.format(
        nonce=nonce,
        words=html.escape(WORDS.get(code, OTHERS)),
        code=html.escape(code),
        request=html.escape(str(request.state.request_id)),
    )
    status = status_of(error)[0]
    return HTMLResponse(text, status, {"Content-Security-Policy": page_policy(nonce), "Cache-Control": "no-store"})
