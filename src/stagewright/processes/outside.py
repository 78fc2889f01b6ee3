"""The adapters that worker and control plane share, wired to the vault: GitHub and git with the stored credentials."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from stagewright.adapters.git import GitStore
from stagewright.adapters.github import Access, Client, GitHubForge, GitHubThreads, Rates, Wire, open_http
from stagewright.contexts.identity import api as identity
from stagewright.contexts.runs.rpc import AttemptTokens
from stagewright.contexts.vault import api as vault
from stagewright.contexts.vault.model import ResolvedCredential
from stagewright.processes.common import Platform, Purpose


@dataclass(frozen=True, slots=True)
class Adapters:
    """How this process reaches the forge."""

    forge: GitHubForge
    threads: GitHubThreads
    git: GitStore


@asynccontextmanager
async def open_adapters(platform: Platform) -> AsyncIterator[Adapters]:
    """Open one HTTP client and one git store for the block."""

    async def resolve(repository_id: UUID, project_id: UUID, purpose: str) -> ResolvedCredential:
        async with platform.db.reading() as reader:
            return await vault.resolve(
                reader,
                purpose=purpose,
                project_id=project_id,
                repository_id=repository_id,
                sealer=platform.sealer(Purpose.CREDENTIALS),
                now=platform.clock.now(),
            )

    async with open_http() as http:
        wire = Wire(http, Rates(), platform.clock)
        access = Access(wire, resolve, platform.clock)
        client = Client(wire, access, platform.clock)
        yield Adapters(
            forge=GitHubForge(wire, client),
            threads=GitHubThreads(client),
            git=GitStore(platform.settings.data_dir / "git", access.git_credential),
        )


async def attempt_tokens(platform: Platform) -> AttemptTokens:
    """Return the signers of attempt tokens; the issuer is this installation."""
    async with platform.db.reading() as reader:
        installation = await identity.installation_id(reader)
    return AttemptTokens(platform.keyring, issuer=f"stagewright/{installation}")
