"""The port ``Trees``: files of commits in the mirrors of a ``GitStore``."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from stagewright.adapters.git import GitStore
from stagewright.adapters.stack_files.git_tree import GitTreeFiles
from stagewright.contexts.deploys.ports import FileSource
from stagewright.contexts.projects.model import Repository


class MirroredTrees:
    """Opens commits of bound repositories; each one is read by a git of its own, which ends with the block."""

    def __init__(self, store: GitStore) -> None:
        self._store = store

    @asynccontextmanager
    async def tree(self, repository: Repository, sha: str) -> AsyncIterator[FileSource]:
        """Open the files at commit ``sha``, which is fetched when needed. Reading them blocks: do it in a thread."""
        mirror = await self._store.mirror(repository, sha)
        files = await asyncio.to_thread(GitTreeFiles, mirror, sha)
        try:
            yield files
        finally:
            await asyncio.to_thread(files.close)
