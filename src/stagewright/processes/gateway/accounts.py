"""Who has a login at the forge, read with a credential that is stored here: the port ``ForgeAccounts``."""

from collections.abc import AsyncIterator

from stagewright.contexts.identity.errors import ForgeUnreadable
from stagewright.contexts.identity.model import ForgeIdentity
from stagewright.contexts.projects import api as projects
from stagewright.contexts.vault import api as vault
from stagewright.kit.errors import Denied, NotFound, StagewrightError, Unauthenticated
from stagewright.processes.common import Platform, Purpose

GITHUB = "https://api.github.com"
MOST_TRIED = 3


class StoredAccess:
    """Asks the forges of the bound repositories, each with its own credential; without any, GitHub with the platform's.

    At most three are asked. A credential that does not count there is passed over.
    """

    def __init__(self, platform: Platform, directory: projects.ForgeDirectory) -> None:
        self._platform = platform
        self._directory = directory

    async def find(self, login: str) -> ForgeIdentity | None:
        """Return the account that has ``login`` now, None when there is none."""
        answered = False
        async for api_url, found in self._ways():
            try:
                account = await self._directory.user(api_url, await self._token(api_url, found), login)
            except NotFound:
                answered = True
            except (Denied, Unauthenticated):
                continue
            else:
                return ForgeIdentity(account.id, account.login)
        if not answered:
            raise ForgeUnreadable(
                "there is no credential to ask the forge with: bind a repository first, or let the person sign in there"
            )
        return None

    async def _ways(self) -> AsyncIterator[tuple[str, vault.ResolvedCredential]]:
        async with self._platform.db.reading() as reader:
            bound = await projects.list_enabled(reader)
        tried: set[str] = set()
        for repository in sorted(bound, key=lambda item: item.bound_at):
            found = None if repository.api_url in tried else await self._of_repository(repository)
            if found is not None and len(tried) < MOST_TRIED:
                tried.add(repository.api_url)
                yield repository.api_url, found
        if not tried and (found := await self._of_platform()):
            yield GITHUB, found

    async def _of_repository(self, repository: projects.Repository) -> vault.ResolvedCredential | None:
        try:
            async with self._platform.db.reading() as reader:
                return await vault.resolve(
                    reader,
                    purpose=vault.MANAGEMENT,
                    project_id=repository.project_id,
                    repository_id=repository.id,
                    sealer=self._platform.sealer(Purpose.CREDENTIALS),
                    now=self._platform.clock.now(),
                )
        except StagewrightError:
            return None

    async def _of_platform(self) -> vault.ResolvedCredential | None:
        try:
            async with self._platform.db.reading() as reader:
                return await vault.open_level(
                    reader,
                    vault.CredentialScope.PLATFORM,
                    None,
                    vault.MANAGEMENT,
                    sealer=self._platform.sealer(Purpose.CREDENTIALS),
                )
        except StagewrightError:
            return None

    async def _token(self, api_url: str, found: vault.ResolvedCredential) -> str:
        """Return a token to read with once; that of a GitHub App is made for it."""
        app = found.credential
        if app.kind is not vault.CredentialKind.GITHUB_APP or app.app_id is None or app.installation_id is None:
            return found.secret
        return await self._directory.installation_token(api_url, app.app_id, found.secret, app.installation_id)
