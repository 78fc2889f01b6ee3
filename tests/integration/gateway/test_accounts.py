"""Who has a login at the forge is asked with what is stored: a repository's credential, an App's, the platform's."""

from uuid import UUID

import pytest
from tests import factories
from tests.fakes.gateway import Gateway

from stagewright.contexts.identity.errors import ForgeUnreadable
from stagewright.contexts.identity.model import ForgeIdentity
from stagewright.contexts.vault import api as vault
from stagewright.processes.gateway.accounts import StoredAccess


def an_access(gateway: Gateway) -> StoredAccess:
    return StoredAccess(gateway.platform, gateway.forge)


async def store(gateway: Gateway, *, repository_id: UUID | None = None, secret: str = "bot-token", **app: int) -> None:
    """Store a credential for management: of a repository, or of the platform."""
    scope = vault.CredentialScope.REPOSITORY if repository_id else vault.CredentialScope.PLATFORM
    wanted = vault.NewCredential(
        scope=scope,
        purpose=vault.MANAGEMENT,
        kind=vault.CredentialKind.GITHUB_APP if app else vault.CredentialKind.TOKEN,
        secret=secret,
        repository_id=repository_id,
        **app,  # type: ignore[arg-type]
    )
    async with gateway.db.transaction() as tx:
        await vault.put_credential(tx, wanted, sealer=factories.a_sealer(), now=gateway.clock.now())


async def test_a_repositorys_own_credential_asks_its_forge(gateway: Gateway) -> None:
    await gateway.scene()
    octo = gateway.forge.add_account("octo")
    assert await an_access(gateway).find("octo") == ForgeIdentity(octo.id, "octo")
    assert await an_access(gateway).find("nobody") is None


async def test_without_a_repository_the_platforms_credential_asks(gateway: Gateway) -> None:
    octo = gateway.forge.add_account("octo")
    with pytest.raises(ForgeUnreadable):
        await an_access(gateway).find("octo")
    await store(gateway)
    assert await an_access(gateway).find("octo") == ForgeIdentity(octo.id, "octo")


async def test_an_app_asks_with_a_token_made_for_it(gateway: Gateway) -> None:
    octo = gateway.forge.add_account("octo")
    await store(gateway, secret="an-app's-key", app_id=7, installation_id=70)
    assert await an_access(gateway).find("octo") == ForgeIdentity(octo.id, "octo")
    assert ("installation_token", 70) in gateway.forge.calls


async def test_a_credential_that_the_forge_refuses_says_nothing_of_the_login(gateway: Gateway) -> None:
    _, repository, _ = await gateway.scene()
    gateway.forge.add_account("octo")
    await store(gateway, repository_id=repository.id, secret="revoked-there")
    with pytest.raises(ForgeUnreadable):
        await an_access(gateway).find("octo")
