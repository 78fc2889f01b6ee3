"""Bind a repository of the practice forge to a project of its own through the use-cases."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from stagewright.contexts.identity import api as identity
from stagewright.contexts.projects import api as projects
from stagewright.contexts.vault import api as vault
from stagewright.kit.clock import SystemClock
from stagewright.kit.crypto import Keyring, Sealer
from stagewright.kit.db import Database, Tx
from stagewright.processes.common import Purpose


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the practice forge and its token."""

    id: int
    login: str
    token: str


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound repository and the secret its webhooks are signed with."""

    project_id: UUID
    repository_id: UUID
    webhook_secret: str


@dataclass(frozen=True, slots=True)
class Binder:
    """Binds repositories for one platform: ``owner`` is the platform's owner, ``bot`` the forge account it acts as."""

    dsn: str
    keyring: Keyring
    api_url: str
    owner: Account
    bot: Account

    def bind(self, found: dict[str, Any], *, locale: str = "en") -> Bound:
        """Bind what the forge showed of a repository; its project has the repository's name as key."""
        return asyncio.run(self._bind(found, locale))

    async def _bind(self, found: dict[str, Any], locale: str) -> Bound:
        now = SystemClock().now()
        repository = projects.ForgeRepository(
            found["id"], found["full_name"], found["default_branch"], found["html_url"], found["clone_url"], False
        )
        async with Database.open(self.dsn, max_size=1) as db, db.transaction() as tx:
            person = await identity.ensure_owner(tx, email="owner@localhost", name="Owner", locale="en", now=now)
            await identity.pin_github_login(tx, person, github_id=self.owner.id, login=self.owner.login)
            project = await projects.create_project(tx, key=found["name"], name=found["name"], locale=locale, now=now)
            bound = await projects.bind_repository(
                tx,
                project,
                repository,
                api_url=self.api_url,
                binding=projects.Binding.TOKEN,
                sealer=Sealer(self.keyring, Purpose.WEBHOOK_SECRETS.value),
                now=now,
            )
            for purpose in (vault.BOT, vault.MANAGEMENT):
                await self._credential(tx, bound.repository.id, purpose)
        return Bound(project.id, bound.repository.id, bound.webhook_secret)

    async def _credential(self, tx: Tx, repository_id: UUID, purpose: str) -> None:
        wish = vault.NewCredential(
            scope=vault.CredentialScope.REPOSITORY,
            purpose=purpose,
            kind=vault.CredentialKind.TOKEN,
            secret=self.bot.token,
            repository_id=repository_id,
            login=self.bot.login,
            login_id=self.bot.id,
        )
        sealer = Sealer(self.keyring, Purpose.CREDENTIALS.value)
        await vault.put_credential(tx, wish, sealer=sealer, now=SystemClock().now())
