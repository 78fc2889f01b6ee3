"""What binding a repository asks of the forge, with the credential the person just gave."""

from typing import Protocol

from stagewright.contexts.projects.model import ForgeAccount, ForgeRepository


class ForgeDirectory(Protocol):
    """Reads of a forge with a given token, before anything is stored."""

    async def repository(self, api_url: str, token: str, full_name: str) -> ForgeRepository:
        """Return the repository, or raise ``NotFound`` / ``Denied`` / ``Unauthenticated`` / ``Unavailable``."""
        ...

    async def account(self, api_url: str, token: str) -> ForgeAccount:
        """Return whose token this is."""
        ...

    async def user(self, api_url: str, token: str, login: str) -> ForgeAccount:
        """Return the account of ``login``, or raise ``NotFound``."""
        ...

    async def installation_token(self, api_url: str, app_id: int, private_key: str, installation_id: int) -> str:
        """Mint a token of a GitHub App's installation, to read with it once."""
        ...
