"""Source bundles: the full history a run needs, made once per set of commits and served from any offset."""

import asyncio
import hashlib
import json
import os
import re
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from stagewright.adapters.git.bundle_format import write_head
from stagewright.adapters.git.command import Git
from stagewright.adapters.git.errors import GitFailed
from stagewright.adapters.git.locks import Locks
from stagewright.adapters.git.mirrors import Mirrors, check_sha
from stagewright.contexts.projects.model import Repository
from stagewright.contexts.runs.errors import SourceUnavailable
from stagewright.kit.errors import Invalid

BASE = "refs/stagewright/base"
REF_NAME = re.compile(r"refs/stagewright/(base|link|target|prior/[a-z0-9][a-z0-9._-]{0,63})")
MAKE = timedelta(minutes=20)
PIECE = 1 << 20
KEPT = 20
KEPT_AT_LEAST = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Source:
    """A bundle on disk."""

    path: Path
    size: int
    sha256: str


class Sources:
    """The bundles under ``folder``, one subfolder per repository."""

    def __init__(self, folder: Path, git: Git, mirrors: Mirrors, locks: Locks) -> None:
        self._folder = folder
        self._git = git
        self._mirrors = mirrors
        self._locks = locks

    async def make(self, repository: Repository, base_sha: str, refs: Mapping[str, str]) -> Source:
        """Make the bundle, or find it as it was made before. Raises ``SourceUnavailable``."""
        wanted = _checked(base_sha, refs)
        path = self._path(repository, wanted)
        if found := await asyncio.to_thread(_find, path):
            return found
        async with self._locks.hold(f"source-{path.stem}"):
            if found := await asyncio.to_thread(_find, path):
                return found
            mirror = await self._mirrors.hold(repository, wanted.values())
            await self._write(mirror, path, wanted)
            source = await asyncio.to_thread(_seal, path)
            await asyncio.to_thread(_prune, path.parent)
            return source

    async def read(
        self, repository: Repository, base_sha: str, refs: Mapping[str, str], offset: int
    ) -> AsyncIterator[bytes]:
        """Yield the bundle from ``offset``. A bundle pruned meanwhile is read to its end all the same."""
        source = await self.make(repository, base_sha, refs)
        if not 0 <= offset <= source.size:
            raise Invalid(f"offset {offset} is outside the source of {source.size} bytes; start again at 0")
        with source.path.open("rb") as file:
            file.seek(offset)
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece

    def _path(self, repository: Repository, wanted: Mapping[str, str]) -> Path:
        key = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()[:40]
        return self._folder / str(repository.id) / f"{key}.bundle"

    async def _write(self, mirror: Path, path: Path, wanted: Mapping[str, str]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        tips = "".join(f"{sha}\n" for sha in sorted(set(wanted.values()))).encode()
        words = ("pack-objects", "--revs", "--stdout", "--quiet", "--delta-base-offset", "--no-write-bitmap-index")
        try:
            with _partial(path).open("wb") as file:
                file.write(write_head(dict(wanted)))
                file.flush()
                await self._git.run(mirror, *words, stdin=tips, stdout=file, timeout=MAKE)
        except GitFailed as error:
            raise SourceUnavailable(f"the source could not be packed: {error}") from error


def _checked(base_sha: str, refs: Mapping[str, str]) -> dict[str, str]:
    for name in refs:
        if not REF_NAME.fullmatch(name):
            raise Invalid(
                f"{name!r} is no ref of a source; give refs/stagewright/link or refs/stagewright/prior/<stage>"
            )
    wanted = {BASE: base_sha} | dict(refs)
    if wanted[BASE] != base_sha:
        raise Invalid(f"{BASE} is the base itself; leave it out or give {base_sha}")
    return {name: check_sha(sha) for name, sha in wanted.items()}


def _partial(path: Path) -> Path:
    return path.with_suffix(".partial")


def _sums(path: Path) -> Path:
    return path.with_suffix(".sha256")


def _find(path: Path) -> Source | None:
    try:
        sha256, size = _sums(path).read_text().split()
        if path.stat().st_size != int(size):
            return None
        os.utime(path)
    except (FileNotFoundError, ValueError):
        return None
    return Source(path, int(size), sha256)


def _seal(path: Path) -> Source:
    """Give a finished bundle its name; its sums are written last, so a bundle with sums is whole."""
    with _partial(path).open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size = os.fstat(file.fileno()).st_size
    _sums(path).unlink(missing_ok=True)
    _partial(path).rename(path)
    _sums(path).write_text(f"{sha256} {size}\n")
    return Source(path, size, sha256)


def _prune(folder: Path) -> None:
    """Drop the bundles nobody has asked for longest, and what killed makers left. What was touched lately stays."""
    now = time.time()
    ages = {path: age for path in folder.iterdir() if (age := _age(path, now)) is not None}
    bundles = sorted((path for path in ages if path.suffix == ".bundle"), key=lambda path: ages[path])
    for path in (*bundles[KEPT:], *(path for path in ages if path.suffix == ".partial")):
        if ages[path] > KEPT_AT_LEAST.total_seconds():
            if path.suffix == ".bundle":
                _sums(path).unlink(missing_ok=True)
            path.unlink(missing_ok=True)


def _age(path: Path, now: float) -> float | None:
    """Return the seconds since the last use of ``path``, None when another maker dropped it meanwhile."""
    try:
        return now - path.stat().st_mtime
    except FileNotFoundError:
        return None
