"""A configured credential that does not open is the answer: there is no other level to fall back to."""

import pytest
from tests.fakes.clock import FakeClock

from stagewright.contexts.vault import api as vault
from stagewright.kit.crypto import Keyring, Sealer
from stagewright.kit.db import Database
from stagewright.kit.ids import uuid7


async def test_a_credential_that_does_not_open_is_named_as_such(db: Database, clock: FakeClock) -> None:
    keyring = Keyring.parse(Keyring.generate())
    new = vault.NewCredential(
        scope=vault.CredentialScope.PLATFORM, purpose=vault.BOT, kind=vault.CredentialKind.TOKEN, secret="s3cret"
    )
    async with db.transaction() as tx:
        await vault.put_credential(tx, new, sealer=Sealer(keyring, "another-purpose"), now=clock.now())
    async with db.reading() as reader:
        with pytest.raises(vault.CredentialUndecryptable) as caught:
            await vault.resolve(
                reader,
                purpose=vault.BOT,
                project_id=uuid7(),
                repository_id=None,
                sealer=Sealer(keyring, "credentials"),
                now=clock.now(),
            )
    assert caught.value.stable_code == "credential.undecryptable"
