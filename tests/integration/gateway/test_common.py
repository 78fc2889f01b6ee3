"""What all processes share: redaction that follows the stored secrets, incidents that never raise, the bell."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests import factories
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway

from stagewright.contexts.projects import api as projects
from stagewright.contexts.vault import api as vault
from stagewright.kit.crypto import Keyring, Sealer
from stagewright.processes.common import Purpose, RedactionFeed, SchemaBehind, open_platform
from stagewright.processes.settings import load


async def test_redaction_knows_stored_and_own_secrets_from_the_start(
    dsn: str, clock: FakeClock, tmp_path: Path
) -> None:
    keys = Keyring.generate()
    environ = {
        "STAGEWRIGHT_DATABASE_URL": dsn.replace("@/", ":password-of-the-server@/"),
        "STAGEWRIGHT_DATA_DIR": str(tmp_path),
        "STAGEWRIGHT_ROOT_KEYS": keys,
        "STAGEWRIGHT_PUBLIC_URL": "https://stagewright.test",
        "STAGEWRIGHT_GITHUB_OAUTH_CLIENT_ID": "client",
        "STAGEWRIGHT_GITHUB_OAUTH_CLIENT_SECRET": "secret-of-the-oauth-client",
    }
    settings = load("gateway", environ)
    async with open_platform(settings, clock=clock, environ=environ, own_logs=False) as platform:
        for secret in ("password-of-the-server", "secret-of-the-oauth-client", keys.partition(":")[2]):
            assert secret not in platform.redactor(f"it is {secret}")


async def test_keys_of_the_data_folder_are_redacted_too(dsn: str, clock: FakeClock, tmp_path: Path) -> None:
    settings = load("gateway", {"STAGEWRIGHT_DATA_DIR": str(tmp_path)})
    key = (tmp_path / "root.keys").read_text().strip().partition(":")[2]
    async with open_platform(replace(settings, database_url=dsn), clock=clock, own_logs=False) as platform:
        assert key not in platform.redactor(f"it is {key}")


async def test_a_replaced_secret_is_forgotten_and_one_that_does_not_open_is_left_out(gateway: Gateway) -> None:
    project = await gateway.project()
    platform, now = gateway.platform, gateway.clock.now()

    async def store(purpose: str, secret: str, sealer: Sealer) -> None:
        async with gateway.db.transaction() as tx:
            wanted = vault.NewCredential(
                scope=vault.CredentialScope.PROJECT,
                project_id=project.id,
                purpose=purpose,
                kind=vault.CredentialKind.API_KEY,
                secret=secret,
            )
            await vault.put_credential(tx, wanted, sealer=sealer, now=now)

    own, lost = platform.sealer(Purpose.CREDENTIALS), Sealer(Keyring.parse(Keyring.generate("gone")), "credentials")
    feed = RedactionFeed(platform)
    await store("model:codex", "the-first-unusual-value", own)
    await feed.refresh()
    assert "the-first" not in platform.redactor("the-first-unusual-value")
    await store("model:codex", "the-second-unusual-value", own)
    await store("model:claude", "a-value-under-a-lost-key", lost)
    gateway.forge.add_repository("acme/two")
    async with gateway.db.transaction() as tx:
        found = projects.ForgeRepository(9, "acme/two", "main", "http://x.test", "http://x.test", private=False)
        await projects.bind_repository(
            tx, project, found, api_url="http://x.test", binding=projects.Binding.TOKEN, sealer=lost, now=now
        )
    await feed.refresh()
    assert "the-second" not in platform.redactor("the-second-unusual-value")
    async with gateway.db.reading() as reader:
        values = await vault.list_secret_values(reader, sealer=own)
        assert await projects.list_webhook_secrets(reader, sealer=own) == []
    assert set(values) == {"the-second-unusual-value"}
    described = await _described(gateway)
    assert {item.credential.purpose: item.fingerprint is None for item in described} == {
        "model:claude": True,
        "model:codex": False,
    }


async def _described(gateway: Gateway) -> list[vault.Described]:
    parts = gateway.app._app.state.vault  # type: ignore[attr-defined] # the framework inside
    async with gateway.db.reading() as reader:
        project = await projects.find_project(reader, "shop")
        assert project is not None
        return await vault.describe_level(
            reader,
            vault.CredentialScope.PROJECT,
            project.id,
            sealer=parts.sealer,
            fingerprints=parts.fingerprints,
        )


async def test_an_incident_that_cannot_be_stored_is_counted_and_never_raised(gateway: Gateway) -> None:
    async with gateway.db.transaction() as tx:
        await tx.execute("reset role")
        await tx.execute("alter table incidents rename to away")
        await tx.execute("set role stagewright_app")
    await gateway.platform.report_loop("scan", RuntimeError("broken"))
    figures = gateway.platform.metrics.exposition()[1].decode()
    assert "stagewright_incident_writes_failed_total 1.0" in figures


async def test_a_database_nobody_migrated_is_refused(empty_dsn: str, clock: FakeClock, tmp_path: Path) -> None:
    settings = load("gateway", {"STAGEWRIGHT_DATA_DIR": str(tmp_path)})
    with pytest.raises(SchemaBehind, match="db migrate"):
        async with open_platform(
            replace(settings, database_url=empty_dsn, keyring=factories.KEYRING), clock=clock, own_logs=False
        ):
            raise AssertionError("opened")


async def test_a_bell_reaches_everybody_who_asked(gateway: Gateway) -> None:
    heard = asyncio.Event()
    gateway.platform.bell.add(heard.set)
    await gateway.project()
    async with asyncio.timeout(10):
        await heard.wait()
