"""Signing in with GitHub: OAuth 2, authorization code with PKCE. The token is used twice and thrown away."""

from typing import Any

import httpx
import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request

from stagewright.contexts.identity.errors import ForgeLoginFailed
from stagewright.contexts.identity.model import ForgeAccount, ForgeEmail

GITHUB = "https://github.com"
API = "https://api.github.com"
SCOPES = "read:user user:email"
LARGEST = 1 << 20


class _Token(msgspec.Struct):
    access_token: str = ""
    error: str = ""


class _User(msgspec.Struct):
    id: int
    login: str
    name: str | None = None


class _Email(msgspec.Struct):
    email: str
    verified: bool
    primary: bool


class GitHubOAuth:
    """Who signs in, by one OAuth App of GitHub."""

    def __init__(
        self, http: httpx.AsyncClient, *, client_id: str, client_secret: str, web_url: str = GITHUB, api_url: str = API
    ) -> None:
        self._http = http
        self._client_id = client_id
        self._client_secret = client_secret
        self._web_url = web_url
        self._api_url = api_url

    def authorize_url(self, *, state: str, challenge: str, redirect_uri: str) -> str:
        """Return where the browser goes to agree."""
        return str(
            prepare_grant_uri(
                f"{self._web_url}/login/oauth/authorize",
                client_id=self._client_id,
                response_type="code",
                redirect_uri=redirect_uri,
                scope=SCOPES,
                state=state,
                code_challenge=challenge,
                code_challenge_method="S256",
            )
        )

    async def identify(self, *, code: str, verifier: str, redirect_uri: str) -> ForgeAccount:
        """Return who agreed. Raises ``ForgeLoginFailed`` when the code does not count or GitHub does not answer."""
        try:
            token = await self._exchange(code, verifier, redirect_uri)
            user = await self._read(token, "/user", _User)
            emails = await self._read(token, "/user/emails?per_page=100", list[_Email])
        except (httpx.HTTPError, httpx.InvalidURL, msgspec.MsgspecError, UnicodeError) as error:
            raise _failed() from error
        found = tuple(ForgeEmail(item.email, item.verified, item.primary) for item in emails)
        return ForgeAccount(github_user_id=user.id, login=user.login, name=user.name or user.login, emails=found)

    async def _exchange(self, code: str, verifier: str, redirect_uri: str) -> str:
        body = prepare_token_request(
            "authorization_code",
            redirect_uri=redirect_uri,
            code=code,
            code_verifier=verifier,
            client_id=self._client_id,
            client_secret=self._client_secret,
        )
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        answer = await self._http.post(
            f"{self._web_url}/login/oauth/access_token", content=body.encode(), headers=headers
        )
        made = msgspec.json.decode(_content(answer), type=_Token)
        if made.error or not made.access_token:
            raise _failed()
        return made.access_token

    async def _read(self, token: str, path: str, kind: type[Any]) -> Any:
        headers = {"Accept": "application/vnd.github+json", "Authorization": f"Bearer {token}"}
        answer = await self._http.get(f"{self._api_url}{path}", headers=headers)
        return msgspec.json.decode(_content(answer), type=kind)


def _content(answer: httpx.Response) -> bytes:
    if answer.status_code != 200 or len(answer.content) > LARGEST:
        raise _failed()
    return answer.content


def _failed() -> ForgeLoginFailed:
    return ForgeLoginFailed("GitHub did not say who signs in: begin the login again")
