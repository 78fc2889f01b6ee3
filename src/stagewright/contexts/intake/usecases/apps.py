"""Which GitHub App may speak for which repository: webhooks of one App never count for another's repositories."""

from collections.abc import Mapping
from uuid import UUID

from stagewright.contexts.projects import api as projects
from stagewright.contexts.vault import api as vault
from stagewright.kit.crypto import Sealer
from stagewright.kit.db import Reader


async def app_secrets(reader: Reader, *, sealer: Sealer) -> Mapping[int, tuple[bytes, ...]]:
    """Return the live webhook secrets of each GitHub App, by its number; its repositories share them."""
    found: dict[int, tuple[bytes, ...]] = {}
    for app_id in sorted(set((await _bound_through(reader)).values())):
        repository_id = await vault.find_app_repository(reader, app_id)
        texts = await projects.open_app_secrets(reader, sealer=sealer, of=repository_id) if repository_id else ()
        found[app_id] = tuple(text.encode() for text in texts)
    return found


async def speaks_for(reader: Reader, app_id: int, repository_id: UUID) -> bool:
    """Say whether the repository is bound through the App."""
    return (await _bound_through(reader)).get(repository_id) == app_id


async def _bound_through(reader: Reader) -> Mapping[UUID, int]:
    return {
        item.repository_id: item.app_id
        for item in await vault.list_credentials(reader)
        if item.repository_id is not None and item.app_id is not None
    }
