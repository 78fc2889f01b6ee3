"""The requirement files: every package pinned and hashed, and no address of any registry inside."""

import re
from collections.abc import Iterator
from pathlib import Path

from tools.tree import Tree

PIN = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*(\[[\w,-]+\])?==[A-Za-z0-9.!+_-]+( ; .+)?$")
HASH = re.compile(r"^--hash=sha256:[0-9a-f]{64}$")


def locks(tree: Tree) -> list[str]:
    """Find what pip would not verify, or would fetch from an address of our choosing."""
    found: list[str] = []
    for path in tree.files:
        if path.parts[0] == "requirements" and path.suffix == ".txt":
            found += _problems(path, tree.text(path))
    return found


def _problems(path: Path, text: str) -> Iterator[str]:
    for number, (requirement, *hashes) in _entries(text):
        where = f"{path}:{number}"
        if "://" in requirement or requirement.startswith("-"):
            yield f"{where}: {requirement.split()[0]!r}: a lock holds no addresses and no options"
        elif not PIN.match(requirement):
            yield f"{where}: {requirement!r} is not pinned as name==version"
        elif not hashes or not all(HASH.match(item) for item in hashes):
            yield f"{where}: {requirement} has no sha256 hashes; run make lock"


def _entries(text: str) -> Iterator[tuple[int, list[str]]]:
    entry: list[str] = []
    start = 0
    for number, line in enumerate(text.splitlines(), 1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        start = start if entry else number
        entry.append(content.removesuffix("\\").strip())
        if not content.endswith("\\"):
            yield start, entry
            entry = []
