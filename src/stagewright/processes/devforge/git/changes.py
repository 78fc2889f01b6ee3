"""What differs between two commits: files with their patches, and the whole diff as text."""

import re
from dataclasses import dataclass
from pathlib import Path

from stagewright.processes.devforge.git.command import ZERO, run_git

STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}
DIFF = ("diff", "--no-color", "--no-ext-diff", "--find-renames", "--full-index")


@dataclass(frozen=True)
class Change:
    """One changed file. ``sha`` is the blob after the change, or before it when the file was removed."""

    path: str
    previous: str | None
    status: str
    sha: str
    additions: int
    deletions: int
    patch: str | None


async def diff_text(path: Path, base: str, head: str) -> str:
    """Return the unified diff between two commits or trees."""
    return (await run_git(path, *DIFF, base, head)).decode(errors="replace")


async def patch_text(path: Path, base: str, head: str) -> str:
    """Return the commits from ``base`` to ``head`` as mails."""
    return (await run_git(path, "format-patch", "--stdout", f"{base}..{head}")).decode(errors="replace")


async def changes(path: Path, base: str, head: str) -> list[Change]:
    """Return the changed files between two commits or trees, in git's order."""
    raw = (await run_git(path, *DIFF, "--raw", "-z", base, head)).decode(errors="replace")
    counted = (await run_git(path, *DIFF, "--numstat", "-z", base, head)).decode(errors="replace")
    patches = iter(_patches(await diff_text(path, base, head)))
    found = []
    for (name, previous, status, sha), counts in zip(_raw_rows(raw.split("\x00")), _counts(counted), strict=True):
        patch = next(patches)
        if status == "changed":  # of another type now: git writes it as a removal and an addition
            next(patches)
            patch = None
        found.append(Change(name, previous, status, sha, *counts, patch))
    return found


def _raw_rows(fields: list[str]) -> list[tuple[str, str | None, str, str]]:
    rows, rest = [], iter(fields)
    for facts in rest:
        if not facts:
            continue
        _, _, before, after, letter = facts.split()
        name, previous = next(rest), None
        if letter[0] in "RC":
            name, previous = next(rest), name
        rows.append((name, previous, STATUS.get(letter[0], "changed"), before if after == ZERO else after))
    return rows


def _counts(text: str) -> list[tuple[int, int]]:
    found, rest = [], iter(text.split("\x00"))
    for row in rest:
        if not row:
            continue
        added, removed, name = row.split("\t", 2)
        if not name:  # a rename: the two names follow as fields of their own
            next(rest)
            next(rest)
        found.append((0, 0) if added == "-" else (int(added), int(removed)))
    return found


def _patches(text: str) -> list[str | None]:
    """Cut a diff into the hunks of each file; a file without text hunks (binary, mode, pure rename) has None."""
    parts = re.split(r"(?m)^(?=diff --git )", text)
    return [_hunks(part) for part in parts if part.startswith("diff --git ")]


def _hunks(part: str) -> str | None:
    found = re.search(r"(?m)^@@ ", part)
    return part[found.start() :].removesuffix("\n") if found else None
