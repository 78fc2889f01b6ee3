"""Where a result bundle is opened: a bare repository per attempt, borrowing the mirror's objects, reaching nothing.

The bundle is hostile. It is opened by ``index-pack --strict`` under limits of memory, file size and time; git never
runs in a tree the agent wrote, and a quarantine has no hooks, remotes or filters (``runs.md`` §8.2).
"""

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from stagewright.adapters.git.bundle_format import BundleHead, BundleMalformed, read_head
from stagewright.adapters.git.command import Caps, Git
from stagewright.adapters.git.errors import GitFailed, GitTimedOut, QuarantineMissing
from stagewright.adapters.git.examine import ResultRefused
from stagewright.adapters.git.mirrors import Mirrors

RESULT = "refs/stagewright/result"
KNOWN = "refs/stagewright/known"
MOST_BYTES = 64 << 20
MOST_OBJECTS = 50_000
OPEN = timedelta(seconds=120)
BUNDLE = "incoming.bundle"
CAPS = Caps(memory_bytes=2 << 30, file_bytes=256 << 20, cpu=timedelta(seconds=100))
BAD_TREE = (
    "dotgit",
    "hasdot",
    "fullpathname",
    "emptyname",
    "duplicateentries",
    "treenotsorted",
    "filemode",
    "nullsha1",
    "gitmodules",
    "gitattributes",
    "largepathname",
    "badtree",
)
OUR_DISK = ("no space left on device", "disk quota exceeded", "read-only file system", "input/output error")
OUT_OF_MEMORY = ("out of memory", "memory exhausted", "cannot allocate", "file too large", "maximum allowed size")


class Quarantines:
    """The quarantines under ``folder``, one per attempt."""

    def __init__(self, folder: Path, git: Git, mirrors: Mirrors) -> None:
        self._folder = folder
        self._git = git
        self._mirrors = mirrors

    def path(self, attempt_id: UUID) -> Path:
        """Return where the quarantine of ``attempt_id`` is, or will be."""
        return self._folder / f"{attempt_id}.git"

    def existing(self, attempt_id: UUID) -> Path:
        """Return the attempt's quarantine. Raises ``QuarantineMissing``."""
        path = self.path(attempt_id)
        if not (path / "HEAD").exists():
            raise QuarantineMissing("the attempt's quarantine is gone; inspect its stored bundle again")
        return path

    async def open(self, mirror: Path, attempt_id: UUID, base_sha: str, bundle: bytes) -> str:
        """Open ``bundle`` in a fresh quarantine and return the result commit. Raises ``ResultRefused``."""
        await self.forget(attempt_id)
        path = self.path(attempt_id)
        await self._make(path, mirror)
        head = _checked(bundle, base_sha)
        await self._name_prerequisites(path, head)
        file = path / BUNDLE
        await asyncio.to_thread(file.write_bytes, bundle)
        try:
            await self._verify(path, file)
            await self._unpack(path, file, head)
        finally:
            file.unlink(missing_ok=True)
        await self._check_history(path, head, base_sha)
        return head.refs[0][1]

    async def forget(self, attempt_id: UUID) -> None:
        """Remove the attempt's quarantine, if there is one."""
        await asyncio.to_thread(shutil.rmtree, self.path(attempt_id), ignore_errors=True)

    async def _make(self, path: Path, mirror: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        await self._git.run(path, "init", "--quiet", "--bare", "--template=", "--initial-branch=stagewright-none")
        (path / "objects" / "info").mkdir(exist_ok=True)
        (path / "objects" / "info" / "alternates").write_text(f"{mirror / 'objects'}\n")

    async def _name_prerequisites(self, path: Path, head: BundleHead) -> None:
        """Name the prerequisites we have, for ``bundle verify`` believes only in what a ref reaches."""
        missing = set(await self._mirrors.missing(path, head.prerequisites))
        known = [sha for sha in head.prerequisites if sha not in missing]
        lines = "".join(f"create {KNOWN}/{number} {sha}\n" for number, sha in enumerate(known)).encode()
        await self._git.run(path, "update-ref", "--stdin", stdin=lines)

    async def _verify(self, path: Path, file: Path) -> None:
        try:
            await self._git.run(path, "bundle", "verify", "--quiet", str(file), timeout=OPEN, caps=CAPS)
        except GitFailed as error:
            _raise_if_ours(error)
            raise ResultRefused("ref_violation", f"git does not take the bundle: {_last_line(error)}") from error

    async def _unpack(self, path: Path, file: Path, head: BundleHead) -> None:
        words = ("index-pack", "--stdin", "--fix-thin", "--strict", f"--max-input-size={MOST_BYTES}", "--threads=1")
        try:
            with file.open("rb", buffering=0) as stream:
                stream.seek(head.pack_offset)
                await self._git.run(path, *words, stdin=stream, timeout=OPEN, caps=CAPS)
        except GitFailed as error:
            _raise_if_ours(error)
            raise _refused_pack(error) from error

    async def _check_history(self, path: Path, head: BundleHead, base_sha: str) -> None:
        result = head.refs[0][1]
        if await self._mirrors.missing(path, [result]):
            raise ResultRefused("ref_violation", f"{RESULT} names {result}, which is no commit of the bundle")
        await self._git.run(path, "update-ref", RESULT, result)
        if not await self._mirrors.is_ancestor(path, base_sha, result):
            raise ResultRefused("ref_violation", f"the result does not descend from the base {base_sha}")


def _checked(bundle: bytes, base_sha: str) -> BundleHead:
    if len(bundle) > MOST_BYTES:
        raise ResultRefused("size_limit", f"the bundle has {len(bundle)} bytes; at most {MOST_BYTES} are taken")
    try:
        head = read_head(bundle)
    except BundleMalformed as error:
        raise ResultRefused("ref_violation", f"the bundle is malformed: {error}") from error
    names = [name for name, _ in head.refs]
    if names != [RESULT]:
        shown = ", ".join(names[:5]) or "none"
        raise ResultRefused("ref_violation", f"the bundle must bring exactly {RESULT}; it brings {shown}")
    if base_sha not in head.prerequisites:
        raise ResultRefused("ref_violation", f"the bundle does not build on the base {base_sha}")
    if head.objects > MOST_OBJECTS:
        raise ResultRefused("size_limit", f"the bundle has {head.objects} objects; at most {MOST_OBJECTS} are taken")
    return head


def _raise_if_ours(error: GitFailed) -> None:
    """Raise ``error`` as it is when our disk failed: no result can do anything about that."""
    if any(text in error.stderr.lower() for text in OUR_DISK):
        raise error


def _refused_pack(error: GitFailed) -> ResultRefused:
    said = error.stderr.lower()
    if isinstance(error, GitTimedOut) or error.exit_code < 0 or error.exit_code in (137, 152, 153):
        return ResultRefused("size_limit", "the bundle takes more time or memory to open than a result may")
    if any(text in said for text in OUT_OF_MEMORY):
        return ResultRefused("size_limit", "an object of the bundle is larger than a result may hold")
    if any(text in said for text in BAD_TREE):
        return ResultRefused("tree_invalid", f"a tree of the bundle is malformed: {_last_line(error)}")
    return ResultRefused("ref_violation", f"the bundle's pack is broken: {_last_line(error)}")


def _last_line(error: GitFailed) -> str:
    """Return what git said at the end, without what could be a path of ours."""
    lines = [line for line in error.stderr.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no reason given"
