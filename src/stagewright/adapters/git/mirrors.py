"""Our own bare copy of every repository: the borrowed objects of quarantines and the stuff of source bundles.

Objects come from the forge only. Nothing is collected as garbage: a base that a force push made unreachable stays.
"""

import asyncio
import logging
import shutil
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path

from stagewright.adapters.git.command import Git
from stagewright.adapters.git.errors import GitFailed
from stagewright.adapters.git.locks import Locks
from stagewright.adapters.git.remote import Remote
from stagewright.contexts.projects.model import Repository
from stagewright.contexts.runs.errors import NotSent, SourceUnavailable
from stagewright.kit.errors import Invalid

logger = logging.getLogger(__name__)

MANY_PACKS = 40
REPACK = timedelta(minutes=20)
HEX = frozenset("0123456789abcdef")


class Mirrors:
    """The mirrors under ``folder``, one per repository id."""

    def __init__(self, folder: Path, git: Git, remote: Remote, locks: Locks, *, many_packs: int = MANY_PACKS) -> None:
        self._folder = folder
        self._git = git
        self._remote = remote
        self._locks = locks
        self._many_packs = many_packs

    def path(self, repository: Repository) -> Path:
        """Return where the mirror of ``repository`` is, or will be."""
        return self._folder / f"{repository.id}.git"

    async def open(self, repository: Repository) -> Path:
        """Return the mirror's folder; an empty one is made when there is none."""
        path = self.path(repository)
        if not (path / "HEAD").exists():
            async with self._locks.hold(str(repository.id)):
                await self._make(path)
        return path

    async def hold(self, repository: Repository, shas: Iterable[str]) -> Path:
        """See to it that the mirror has the commits ``shas`` with their history. Return the mirror's folder.

        Raises ``SourceUnavailable`` when the remote has not got one of them, and what the remote's failure means.
        """
        wanted = tuple(dict.fromkeys(check_sha(sha) for sha in shas))
        path = await self.open(repository)
        if not await self.missing(path, wanted):
            return path
        async with self._locks.hold(str(repository.id)) as lock:
            await asyncio.to_thread(_remove_stale_locks, path)
            if await self.missing(path, wanted):
                await self._remote.fetch(repository, path, ("+refs/heads/*:refs/heads/*",), lock=lock, prune=True)
            if left := await self.missing(path, wanted):
                await self._fetch_exactly(repository, path, left, lock)
            await self._tidy(path, lock)
        return path

    async def missing(self, path: Path, shas: Sequence[str]) -> list[str]:
        """Return those of ``shas`` that the repository at ``path`` has not got as commits."""
        lines = "".join(f"{sha}\n" for sha in shas).encode()
        answer = await self._git.run(path, "cat-file", "--batch-check=%(objecttype)", stdin=lines)
        return [sha for sha, kind in zip(shas, answer.text.splitlines(), strict=True) if kind != "commit"]

    async def is_ancestor(self, path: Path, ancestor: str, descendant: str) -> bool:
        """Say whether ``ancestor`` is in the history of ``descendant``; both must be present."""
        answer = await self._git.run(path, "merge-base", "--is-ancestor", ancestor, descendant, ok=(0, 1))
        return answer.code == 0

    async def _fetch_exactly(self, repository: Repository, path: Path, shas: Sequence[str], lock: int) -> None:
        try:
            await self._remote.fetch(repository, path, shas, lock=lock, prune=False)
        except NotSent as error:
            raise SourceUnavailable(
                f"the remote of {repository.full_name} does not give commit {shas[0]}; was its branch rewritten?"
            ) from error
        if left := await self.missing(path, shas):
            raise SourceUnavailable(f"{left[0]} is no commit of {repository.full_name}")

    async def _make(self, path: Path) -> None:
        if (path / "HEAD").exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        making = path.with_suffix(".making")
        await asyncio.to_thread(shutil.rmtree, making, ignore_errors=True)
        await self._git.run(making, "init", "--quiet", "--bare", "--template=", "--initial-branch=stagewright-none")
        making.rename(path)

    async def _tidy(self, path: Path, lock: int) -> None:
        """Join packs when there are many. Nothing is dropped, and a reader finds every object in the new pack."""
        packs = sum(1 for _ in (path / "objects" / "pack").glob("*.pack"))
        if packs <= self._many_packs:
            return
        try:
            await self._git.run(path, "repack", "-q", "-d", "--geometric=2", timeout=REPACK, pass_fds=(lock,))
        except GitFailed as error:
            logger.warning("the mirror %s stays untidy: %s", path.name, error)


def check_sha(sha: str) -> str:
    """Return ``sha`` if it has the form of a full commit id, so that it can never be an option or a ref name."""
    if len(sha) != 40 or not HEX.issuperset(sha):
        raise Invalid(f"{sha!r} is no full commit id: give 40 lower-case hex digits")
    return sha


def _remove_stale_locks(path: Path) -> None:
    """Remove what a killed git left; we hold the mirror's lock, so no git lives that made them."""
    for stale in (*path.glob("*.lock"), *(path / "refs").rglob("*.lock"), *(path / "objects" / "pack").glob("tmp_*")):
        stale.unlink(missing_ok=True)
