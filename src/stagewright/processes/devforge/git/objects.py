"""Reading a bare repository: refs, commits, trees and files."""

import re
from dataclasses import dataclass
from pathlib import Path

from stagewright.processes.devforge.git.command import run_git

COMMIT_FIELDS = ("%H", "%T", "%P", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%B")  # none of them can hold a NUL
SHA = re.compile(r"[0-9a-f]{40}")
SHORT_SHA = re.compile(r"[0-9a-f]{7,40}")
UNSAFE_NAME = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|^-|//|\.lock$|/$|^/|\.$")


@dataclass(frozen=True)
class Signature:
    """Who wrote or committed, and when (ISO 8601 with an offset)."""

    name: str
    email: str
    date: str


@dataclass(frozen=True)
class Commit:
    """A commit object."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


@dataclass(frozen=True)
class Entry:
    """A row of a tree; ``size`` is None for what is no file."""

    mode: str
    type: str
    sha: str
    size: int | None
    path: str


def valid_branch(name: str) -> bool:
    """Say whether git would take this as a branch name, and our commands cannot mistake it for anything else."""
    return bool(name) and name != "@" and not UNSAFE_NAME.search(name)


async def refs(path: Path, prefix: str = "refs/") -> dict[str, str]:
    """Return refs by name, with what they point at."""
    listed = await run_git(path, "for-each-ref", "--format=%(refname) %(objectname)", prefix)
    rows = (line.rsplit(" ", 1) for line in listed.decode(errors="replace").split("\n") if line)
    return dict(sorted((name, sha) for name, sha in rows))


async def branches(path: Path) -> dict[str, str]:
    """Return branches by short name, with their heads."""
    found = await refs(path, "refs/heads/")
    return {name.removeprefix("refs/heads/"): sha for name, sha in found.items()}


async def resolve(path: Path, name: str) -> str | None:
    """Return the commit a branch, tag, full ref or (short) SHA stands for. Revision syntax is not accepted."""
    if not valid_branch(name):
        return None
    candidates = [name] if name.startswith("refs/") or name == "HEAD" else [f"refs/heads/{name}", f"refs/tags/{name}"]
    if SHORT_SHA.fullmatch(name):
        candidates.append(name)
    for candidate in candidates:
        arguments = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{candidate}^{{commit}}")
        found = (await run_git(path, *arguments, accept=(0, 1, 128))).decode().strip()
        if found:
            return found
    return None


async def commits(path: Path, *what: str, limit: int | None = None, paths: tuple[str, ...] = ()) -> list[Commit]:
    """Return commits, newest first, of revision arguments that the caller has made from SHAs."""
    most = () if limit is None else (f"--max-count={limit}",)
    form = "--format=" + "%x00".join(COMMIT_FIELDS)
    raw = await run_git(path, "log", "-z", form, *most, *what, "--", *paths)
    fields = raw.decode(errors="replace").split("\x00")
    size = len(COMMIT_FIELDS)
    return [_commit(fields[start : start + size]) for start in range(0, len(fields) - 1, size)]


async def commit(path: Path, sha: str) -> Commit:
    """Return one commit by its SHA."""
    return (await commits(path, sha, limit=1))[0]


def _commit(fields: list[str]) -> Commit:
    sha, tree, parents, an, ae, ad, cn, ce, cd, message = fields
    author, committer = Signature(an, ae, ad), Signature(cn, ce, cd)
    return Commit(sha, tree, tuple(parents.split()), author, committer, message.rstrip("\n"))


async def tree(path: Path, treeish: str, *, recursive: bool = False, below: str = "") -> list[Entry]:
    """List a tree; with ``recursive`` its sub-trees too. ``below`` confines it to one path or folder (with a slash)."""
    deep = ("-r", "-t") if recursive else ()
    confined = ("--", below) if below else ()
    raw = await run_git(path, "ls-tree", "-z", "-l", "--full-tree", *deep, treeish, *confined)
    return [_entry(row) for row in raw.decode(errors="replace").split("\x00") if row]


def _entry(row: str) -> Entry:
    facts, name = row.split("\t", 1)
    mode, kind, sha, size = facts.split()
    return Entry(mode, kind, sha, None if size == "-" else int(size), name)


async def object_type(path: Path, sha: str) -> str | None:
    """Return blob, tree, commit or tag; None when there is no such object."""
    if not SHA.fullmatch(sha):
        return None
    found = await run_git(path, "cat-file", "--batch-check=%(objecttype)", stdin=f"{sha}\n".encode())
    kind = found.decode().split()
    return kind[0] if len(kind) == 1 else None


async def blob(path: Path, sha: str) -> bytes:
    """Return the bytes of a file."""
    return await run_git(path, "cat-file", "blob", sha)


async def merge_base(path: Path, one: str, other: str) -> str | None:
    """Return the best common ancestor of two commits, if there is one."""
    found = (await run_git(path, "merge-base", one, other, accept=(0, 1))).decode().split()
    return found[0] if found else None


async def ahead_behind(path: Path, base: str, head: str) -> tuple[int, int]:
    """Return how many commits ``head`` has that ``base`` lacks, and the other way round."""
    counted = await run_git(path, "rev-list", "--left-right", "--count", f"{base}...{head}")
    behind, ahead = counted.decode().split()
    return int(ahead), int(behind)
