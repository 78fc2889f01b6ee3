"""Keys of projects, and what a binding shows of its secret."""

import pytest
from tests.fakes.clock import FakeClock

from stagewright.contexts.projects import api as projects
from stagewright.contexts.projects.errors import ProjectInvalid
from stagewright.contexts.projects.model import Binding
from stagewright.kit.crypto import Keyring, Sealer
from stagewright.kit.db import Database


@pytest.mark.parametrize("key", ["", "-shop", "Shop", "shop\n", "a" * 40])
async def test_a_key_that_is_none_is_refused(db: Database, clock: FakeClock, key: str) -> None:
    async with db.transaction() as tx:
        with pytest.raises(ProjectInvalid):
            await projects.create_project(tx, key=key, name="Shop", locale="en", now=clock.now())


async def test_a_binding_does_not_show_its_secret(db: Database, clock: FakeClock) -> None:
    found = projects.ForgeRepository(7, "acme/shop", "main", "http://f.test/acme/shop", "http://f.test/x.git", False)
    sealer = Sealer(Keyring.parse(Keyring.generate()), "webhook-secrets")
    async with db.transaction() as tx:
        project = await projects.create_project(tx, key="shop", name="Shop", locale="en", now=clock.now())
        bound = await projects.bind_repository(
            tx, project, found, api_url="http://f.test/api", binding=Binding.TOKEN, sealer=sealer, now=clock.now()
        )
    assert len(bound.webhook_secret) >= 32
    assert bound.webhook_secret not in repr(bound)
