"""Signing in with the practice forge: OAuth 2 with PKCE as GitHub speaks it, for one known client.

Who agrees is chosen in the form, as on the other pages. Refusals of the token door are 200 with ``error``, as GitHub's
are.
"""

import base64
import hashlib
import hmac
import html
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from stagewright.processes.devforge.acts import founding
from stagewright.processes.devforge.rest.api import PREFIX
from stagewright.processes.devforge.state import Forge

CLIENT_ID = "practice-client"
CLIENT_SECRET = "practice-client-secret"
KNOWN = ("client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method")


@dataclass(frozen=True, slots=True)
class Agreed:
    """A code that was given out, and what it is bound to."""

    login: str
    redirect_uri: str
    challenge: str
    scope: str


class OAuth:
    """The pages and doors of signing in."""

    def __init__(self, forge: Forge) -> None:
        self._forge = forge
        self._codes: dict[str, Agreed] = {}
        self._emails: dict[str, list[dict[str, Any]]] = {}

    async def authorize(self, request: Request) -> Response:
        """Show who can agree."""
        asked = {name: request.query_params.get(name, "") for name in KNOWN}
        problem = _problem(asked)
        if problem:
            return HTMLResponse(f"<!doctype html><title>Sign in</title><p>{html.escape(problem)}", 400)
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in asked.items()
        )
        people = "".join(
            f'<button name="login" value="{html.escape(user.login)}">{html.escape(user.login)}</button> '
            for user in self._forge.users.values()
            if user.type == "User"
        )
        page = (
            '<!doctype html><html lang="en"><title>Sign in</title><h1>Sign in with the practice forge</h1>'
            f'<form method="post" action="/login/oauth/authorize">{hidden}<p>Agree as: {people}</form>'
        )
        back = urlsplit(asked["redirect_uri"])
        policy = f"default-src 'none'; form-action 'self' {back.scheme}://{back.netloc}"
        return HTMLResponse(page, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"})

    async def agree(self, request: Request) -> Response:
        """Give out a code and send the browser back with it."""
        form = await _form(request)
        problem = _problem(form)
        login = form.get("login", "")
        if problem or login.lower() not in self._forge.users:
            return HTMLResponse("<!doctype html><title>Sign in</title><p>This cannot be agreed to.", 400)
        code = secrets.token_hex(10)
        self._codes[code] = Agreed(login, form["redirect_uri"], form["code_challenge"], form.get("scope", ""))
        query = urlencode({"code": code, "state": form.get("state", "")})
        return RedirectResponse(f"{form['redirect_uri']}?{query}", 302)

    async def token(self, request: Request) -> Response:
        """Exchange a code, once, for a token."""
        form = await _form(request)
        given = (form.get("client_id", ""), form.get("client_secret", ""))
        if not all(hmac.compare_digest(*pair) for pair in zip(given, (CLIENT_ID, CLIENT_SECRET), strict=True)):
            return _error("incorrect_client_credentials")
        agreed = self._codes.pop(form.get("code", ""), None)
        if agreed is None or _challenge(form.get("code_verifier", "")) != agreed.challenge:
            return _error("bad_verification_code")
        if form.get("redirect_uri") != agreed.redirect_uri:
            return _error("redirect_uri_mismatch")
        user = founding.known_user(self._forge, agreed.login)
        made = founding.make_token(self._forge, user, scopes=agreed.scope.split())
        scope = ",".join(agreed.scope.split())
        return JSONResponse({"access_token": made.value, "token_type": "bearer", "scope": scope})

    async def emails(self, request: Request) -> Response:
        """Return the caller's addresses, for tokens that may read them."""
        value = request.headers.get("authorization", "").partition(" ")[2]
        token = self._forge.tokens.get(value)
        if token is None:
            return JSONResponse({"message": "Requires authentication"}, 401)
        if not {"user", "user:email"} & (token.scopes or frozenset()):
            return JSONResponse({"message": "Not Found"}, 404)
        known = self._emails.get(token.user.login.lower())
        own = [{"email": token.user.email, "verified": True, "primary": True}] if token.user.email else []
        return JSONResponse([{**one, "visibility": None} for one in (own if known is None else known)])

    async def set_emails(self, request: Request) -> Response:
        """Set the addresses of an account (control door)."""
        wish = await request.json()
        self._emails[str(wish["login"]).lower()] = list(wish["emails"])
        return JSONResponse({})


def oauth_routes(forge: Forge) -> list[Route]:
    """Return the routes of signing in; they stand before the API's own."""
    door = OAuth(forge)
    return [
        Route("/login/oauth/authorize", door.authorize, methods=["GET"]),
        Route("/login/oauth/authorize", door.agree, methods=["POST"]),
        Route("/login/oauth/access_token", door.token, methods=["POST"]),
        Route(f"{PREFIX}/user/emails", door.emails, methods=["GET"]),
        Route("/_control/emails", door.set_emails, methods=["POST"]),
    ]


def _problem(asked: dict[str, str]) -> str:
    if asked.get("client_id") != CLIENT_ID:
        return f"client_id: this forge knows {CLIENT_ID} only"
    if urlsplit(asked.get("redirect_uri", "")).scheme not in ("http", "https"):
        return "redirect_uri: is no address"
    if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
        return "code_challenge: use PKCE with S256"
    return ""


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _error(code: str) -> JSONResponse:
    return JSONResponse({"error": code, "error_description": f"The practice forge says {code}."})
