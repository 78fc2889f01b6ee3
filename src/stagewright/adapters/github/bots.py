"""Who the platform is on the forge, asked once per credential."""

from urllib.parse import urlsplit
from uuid import UUID

from stagewright.adapters.github import structs
from stagewright.adapters.github.access import THREADS, Access, Pass
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
            account = await self._account(repository, found)
            self._known[key] = _identity(repository, found.credential, account)
        return self._known[key]

    async def _account(self, repository: Repository, found: Pass) -> structs.User:
        if found.credential.kind is not CredentialKind.GITHUB_APP:
            return await self._user(repository, found, "/user")
        app = await self._access.as_app(repository, found.credential, "/app", structs.App)
        return await self._user(repository, found, "/users/{login}", login=f"{app.slug}[bot]")

    async def _user(self, repository: Repository, found: Pass, path: str, **parts: str) -> structs.User:
        url = url_of(repository.api_url, path, **parts)
        request = Request("GET", url, oauth_token=found.text, installation=found.installation, purpose=THREADS.purpose)
        return decoded(await self._wire.send(request), structs.User, write=False)


def _identity(repository: Repository, credential: Credential, account: structs.User) -> BotIdentity:
    host = urlsplit(repository.web_url).hostname or "localhost"
    mailbox = account.login if account.id is None else f"{account.id}+{account.login}"
    email = credential.commit_email or f"{mailbox}@users.noreply.{host}"
    return BotIdentity(account.login, account.id, email)
