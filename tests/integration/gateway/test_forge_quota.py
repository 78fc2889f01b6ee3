"""What the forge's answers say is left: one figure per bucket, one row per installation, shown to who operates."""

from datetime import timedelta

import pytest
from tests import factories
from tests.fakes.clock import FakeClock
from tests.fakes.devforge import RunningForge, devforge
from tests.fakes.gateway import Gateway

from stagewright.contexts.projects import api as projects
from stagewright.contexts.vault import api as vault
from stagewright.processes.outside import Meter, open_adapters

__all__ = ["devforge"]


async def rows(gateway: Gateway) -> dict[tuple[str, str], int]:
    """Return what is kept as left, by installation and bucket."""
    async with gateway.db.reading() as reader:
        found = await reader.all(dict, "select installation_id, bucket, remaining from provider_limits")
    return {(row["installation_id"], row["bucket"]): row["remaining"] for row in found}


def figure(gateway: Gateway, bucket: str) -> float | None:
    """Return the figure of a bucket."""
    return gateway.platform.metrics.registry.get_sample_value("stagewright_forge_quota_remaining", {"class": bucket})


async def test_the_figure_is_that_of_the_installation_with_the_least_left(gateway: Gateway, clock: FakeClock) -> None:
    meter, hour = Meter(gateway.platform), clock.now() + timedelta(hours=1)
    meter.take("app:1", "core", 4000, 5000, hour)
    meter.take("app:2", "core", 900, 5000, clock.now() + timedelta(minutes=1))
    meter.take("app:1", "search", 30, 30, hour)
    assert (figure(gateway, "core"), figure(gateway, "search")) == (900, 30)
    clock.advance(timedelta(minutes=2))
    meter.take("app:1", "core", 3999, 5000, hour)
    assert figure(gateway, "core") == 3999, "the window of the other one is over"


async def test_readings_are_written_down_once_and_what_is_below_the_reserve_is_closed(
    gateway: Gateway, clock: FakeClock
) -> None:
    meter, hour = Meter(gateway.platform), clock.now() + timedelta(hours=1)
    meter.take("app:1", "core", 4000, 5000, hour)
    meter.take("app:1", "core", 3990, 5000, hour)
    meter.take("token:2", "core", 700, 5000, hour)
    assert await meter.write() == 2
    assert await meter.write() == 0
    assert await rows(gateway) == {("app:1", "core"): 3990, ("token:2", "core"): 700}
    owner = await gateway.person(role="owner")
    shown = (await gateway.get("/system", owner)).json()["forge_limits"]
    assert [(item["installation"], item["remaining"], item["cause"]) for item in shown] == [
        ("app:1", 3990, None),
        ("token:2", 700, "reserve"),
    ]


async def test_what_could_not_be_written_is_written_later_unless_newer_came(gateway: Gateway, clock: FakeClock) -> None:
    meter, hour = Meter(gateway.platform), clock.now() + timedelta(hours=1)
    meter.take("app:1", "core", 4000, 5000, hour)
    meter.take("app:1", "search", 30, 30, hour)
    async with gateway.db.transaction() as tx:
        await tx.execute("reset role")
        await tx.execute("alter table provider_limits rename to away")
    with pytest.raises(Exception, match="provider_limits"):
        await meter.write()
    async with gateway.db.transaction() as tx:
        await tx.execute("reset role")
        await tx.execute("alter table away rename to provider_limits")
    meter.take("app:1", "core", 3990, 5000, hour)
    assert await meter.write() == 2
    assert await rows(gateway) == {("app:1", "core"): 3990, ("app:1", "search"): 30}


async def test_every_answer_that_the_adapters_get_is_kept(gateway: Gateway, devforge: RunningForge) -> None:
    planted = devforge.plant()
    async with gateway.db.transaction() as tx:
        project = await factories.a_project(tx, now=gateway.clock.now())
        found = projects.ForgeRepository(1, planted.full_name, "main", "http://x", "http://x", private=False)
        bound = await projects.bind_repository(
            tx,
            project,
            found,
            api_url=devforge.api_url,
            binding=projects.Binding.TOKEN,
            sealer=factories.a_sealer("webhook-secrets"),
            now=gateway.clock.now(),
        )
        credential = await vault.put_credential(
            tx,
            vault.NewCredential(
                scope=vault.CredentialScope.REPOSITORY,
                purpose=vault.BOT,
                kind=vault.CredentialKind.TOKEN,
                secret=planted.bot_token,
                repository_id=bound.repository.id,
            ),
            sealer=factories.a_sealer(),
            now=gateway.clock.now(),
        )
    async with open_adapters(gateway.platform) as adapters:
        assert await adapters.forge.default_branch(bound.repository) == "main"
        left = figure(gateway, "core")
    assert left is not None
    assert await rows(gateway) == {(f"token:{credential.id}", "core"): left}
