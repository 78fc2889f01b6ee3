"""The port ``ForgeDirectory``: reads with a token that a person just gave, before anything is stored."""

from typing import TypeVar

from stagewright.adapters.github import structs, words
from stagewright.adapters.github.access import app_jwt
from stagewright.adapters.github.wire import Request, Wire, decoded, url_of
from stagewright.contexts.projects.model import ForgeAccount, ForgeRepository
from stagewright.kit.errors import FieldProblem, Invalid

T = TypeVar("T")


class GitHubDirectory:
    """What a forge says to a given token."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def repository(self, api_url: str, token: str, full_name: str) -> ForgeRepository:
        """Return the repository, or raise ``NotFound`` / ``Denied`` / ``Unauthenticated`` / ``Unavailable``."""
        owner, slash, name = full_name.partition("/")
        if not owner or not slash or "/" in name or name in ("", ".", "..") or owner in (".", ".."):
            problem = FieldProblem("/full_name", "invalid", "write it as owner/name")
            raise Invalid(f"{full_name!r} is no repository; write it as owner/name", problems=(problem,))
        url = url_of(api_url, "/repos/{owner}/{name}", owner=owner, name=name)
        return words.repository(await self._get(url, token, structs.Repository), api_url)

    async def account(self, api_url: str, token: str) -> ForgeAccount:
        """Return whose token this is."""
        return words.account(await self._get(url_of(api_url, "/user"), token, structs.User))

    async def user(self, api_url: str, token: str, login: str) -> ForgeAccount:
        """Return the account of ``login``, or raise ``NotFound``."""
        url = url_of(api_url, "/users/{login}", login=words.checked_name(login, "login"))
        return words.account(await self._get(url, token, structs.User))

    async def installation_token(self, api_url: str, app_id: int, private_key: str, installation_id: int) -> str:
        """Mint a token of a GitHub App's installation, to read with it once."""
        url = url_of(api_url, f"/app/installations/{installation_id}/access_tokens")
        answer = await self._wire.send(Request("POST", url, jwt=app_jwt(app_id, private_key)))
        return decoded(answer, structs.InstallationToken, write=True).token

    async def _get(self, url: str, token: str, kind: type[T]) -> T:
        answer = await self._wire.send(Request("GET", url, oauth_token=token))
        if answer.status != 200:
            raise Invalid(f"the forge answers {answer.status}: the repository has moved; give its present name")
        return decoded(answer, kind, write=False)
