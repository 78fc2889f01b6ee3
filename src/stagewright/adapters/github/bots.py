"""Who the platform is on the forge, asked once per credential."""

from urllib.parse import urlsplit
from uuid import UUID

from stagewright.adapters.github import structs
from stagewright.adapters.github.access import THREADS, Access
from stagewright.adapters.github.wire import Request, Wire, decoded, url_of
from stagewright.contexts.projects.model import Repository
from stagewright.contexts.runs.ports import BotIdentity
from stagewright.contexts.vault.model import Credential, CredentialKind


class Bots:
    """Identities of bot credentials, by credential and version."""

    def __init__(self, wire: Wire, access: Access) -> None:
        self._wire = wire
        self._access = access
        self._known: dict[tuple[UUID, int], BotIdentity] = {}

    async def of(self, repository: Repository) -> BotIdentity:
        """Return who acts on ``repository``: the token's account, or the App's bot account."""
        found = await self._access.pass_for(repository, THREADS)
        key = (found.credential.id, found.credential.version)
        if key not in self._known:
            account = await self._account(repository, found.credential, found.text)
            self._known[key] = _identity(repository, found.credential, account)
        return self._known[key]

    async def _account(self, repository: Repository, credential: Credential, token: str) -> structs.User:
        if credential.kind is not CredentialKind.GITHUB_APP:
            return await self._user(repository, token, "/user")
        app = await self._access.as_app(repository, credential, "/app", structs.App)
        return await self._user(repository, token, "/users/{login}", login=f"{app.slug}[bot]")

    async def _user(self, repository: Repository, token: str, path: str, **parts: str) -> structs.User:
        url = url_of(repository.api_url, path, **parts)
        answer = await self._wire.send(Request("GET", url, oauth_token=token))
        return decoded(answer, structs.User, write=False)


def _identity(repository: Repository, credential: Credential, account: structs.User) -> BotIdentity:
    host = urlsplit(repository.web_url).hostname or "localhost"
    mailbox = account.login if account.id is None else f"{account.id}+{account.login}"
    email = credential.commit_email or f"{mailbox}@users.noreply.{host}"
    return BotIdentity(account.login, account.id, email)
