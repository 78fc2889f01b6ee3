"""Changing a bare repository without a work tree: commits from files, merges, refs by compare-and-set."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from stagewright.processes.devforge.git.command import EMPTY_TREE, ZERO, GitFailed, run_git

SETTINGS = {
    "http.receivepack": "true",
    "receive.hideRefs": "refs/pull",
    "receive.fsckObjects": "true",
    "uploadpack.allowFilter": "true",
    "uploadpack.allowAnySHA1InWant": "true",
}


@dataclass(frozen=True)
class Person:
    """Author and committer of a commit that the forge makes."""

    name: str
    email: str


async def create(path: Path, default_branch: str) -> None:
    """Make an empty bare repository."""
    path.parent.mkdir(parents=True, exist_ok=True)
    await run_git(path, "init", "--quiet", "--bare", f"--initial-branch={default_branch}")
    for name, value in SETTINGS.items():
        await run_git(path, "config", name, value)


async def tree_with(path: Path, base: str | None, files: Mapping[str, bytes | None]) -> str:
    """Return the tree of ``base`` (a tree or commit; None: empty) with files written, or removed where None."""
    with tempfile.TemporaryDirectory() as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        await run_git(path, "read-tree", base or EMPTY_TREE, env=env)
        lines = [await _index_line(path, name, content) for name, content in files.items()]
        await run_git(path, "update-index", "-z", "--index-info", stdin="".join(lines).encode(), env=env)
        return (await run_git(path, "write-tree", env=env)).decode().strip()


async def _index_line(path: Path, name: str, content: bytes | None) -> str:
    if content is None:
        return f"0 {ZERO}\t{name}\x00"
    sha = (await run_git(path, "hash-object", "-w", "--stdin", stdin=content)).decode().strip()
    return f"100644 {sha}\t{name}\x00"


async def commit_tree(
    path: Path, tree: str, parents: tuple[str, ...], message: str, *, author: Person, committer: Person, at: datetime
) -> str:
    """Write a commit object and return its SHA."""
    when = f"{int(at.timestamp())} +0000"
    env = {
        "GIT_AUTHOR_NAME": author.name,
        "GIT_AUTHOR_EMAIL": author.email,
        "GIT_AUTHOR_DATE": when,
        "GIT_COMMITTER_NAME": committer.name,
        "GIT_COMMITTER_EMAIL": committer.email,
        "GIT_COMMITTER_DATE": when,
    }
    onto = [argument for parent in parents for argument in ("-p", parent)]
    made = await run_git(path, "commit-tree", tree, *onto, "-F", "-", stdin=message.encode(), env=env)
    return made.decode().strip()


async def merged_tree(path: Path, base: str, head: str) -> str | None:
    """Return the tree of merging ``head`` into ``base``; None when they conflict."""
    if not (await run_git(path, "rev-list", "--max-count=1", base, f"^{head}")).strip():
        return (await run_git(path, "rev-parse", f"{head}^{{tree}}")).decode().strip()
    try:
        made = await run_git(path, "merge-tree", "--write-tree", base, head)
    except GitFailed as failed:  # 1: conflict; 128/129: a git before 2.38, which cannot merge without a work tree
        if failed.code in (1, 128, 129):
            return None
        raise
    return made.decode().splitlines()[0]


async def move_ref(path: Path, ref: str, new: str, old: str) -> bool:
    """Point ``ref`` at ``new`` if it is still at ``old`` (zeros: absent); False when it is not."""
    try:
        await run_git(path, "update-ref", ref, new, old)
    except GitFailed as failed:
        if failed.code == 128:
            return False
        raise
    return True


async def point_ref(path: Path, ref: str, new: str) -> None:
    """Point ``ref`` at ``new``, wherever it was."""
    await run_git(path, "update-ref", ref, new)


async def remove_ref(path: Path, ref: str) -> None:
    """Delete a ref."""
    await run_git(path, "update-ref", "-d", ref)
