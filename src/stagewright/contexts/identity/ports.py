"""What identity needs from the outside: GitHub saying who signs in, and which account has a login."""

from typing import Protocol

from stagewright.contexts.identity.model import ForgeAccount, ForgeIdentity


class GitHubLogin(Protocol):
    """Signing in with GitHub (OAuth 2 with PKCE). Its token is read with once and thrown away."""

    def authorize_url(self, *, state: str, challenge: str, redirect_uri: str) -> str:
        """Return where the browser goes to agree."""
        ...

    async def identify(self, *, code: str, verifier: str, redirect_uri: str) -> ForgeAccount:
        """Return who agreed. Raises ``ForgeLoginFailed`` when the code does not count or GitHub does not answer."""
        ...


class ForgeAccounts(Protocol):
    """Accounts of the forge, read with a credential that the platform has."""

    async def find(self, login: str) -> ForgeIdentity | None:
        """Return the account that has ``login`` now, None when there is none.

        Raises ``ForgeUnreadable`` without a credential that counts, ``Unavailable`` when the forge does not answer.
        """
        ...
