"""The head of a git bundle: which refs it brings and which commits it builds on. Bytes in, words out: no git here."""

import re
from dataclasses import dataclass

SIGNATURES = {b"# v2 git bundle\n": 2, b"# v3 git bundle\n": 3}
LONGEST_HEAD = 64 * 1024
MOST_PREREQUISITES = 64
PREREQUISITE = re.compile(rb"-([0-9a-f]{40})(?: .*)?")
REF = re.compile(rb"([0-9a-f]{40}) (\S+)")
PACK_HEAD = 12


class BundleMalformed(Exception):
    """The bytes are no bundle we take; the text says why."""


@dataclass(frozen=True, slots=True)
class BundleHead:
    """Refs (name, SHA) in their order, prerequisites, where the pack starts and how many objects it declares."""

    refs: tuple[tuple[str, str], ...]
    prerequisites: tuple[str, ...]
    pack_offset: int
    objects: int


def read_head(bundle: bytes) -> BundleHead:
    """Read the head of ``bundle``. Raises ``BundleMalformed``."""
    version = SIGNATURES.get(bundle[:16])
    if version is None:
        raise BundleMalformed("it does not begin as a git bundle of version 2 or 3")
    end = bundle.find(b"\n\n", 15, LONGEST_HEAD)
    if end < 0:
        raise BundleMalformed("its head has no end within 64 KiB")
    refs: list[tuple[str, str]] = []
    prerequisites: list[str] = []
    for line in bundle[16:end].split(b"\n"):
        _read_line(line, version, refs, prerequisites)
    offset = end + 2
    return BundleHead(tuple(refs), tuple(prerequisites), offset, _object_count(bundle[offset : offset + PACK_HEAD]))


def write_head(refs: dict[str, str]) -> bytes:
    """Return the head of a bundle without prerequisites."""
    lines = [f"{sha} {name}\n" for name, sha in sorted(refs.items())]
    return ("# v2 git bundle\n" + "".join(lines) + "\n").encode()


def _read_line(line: bytes, version: int, refs: list[tuple[str, str]], prerequisites: list[str]) -> None:
    if version == 3 and line.startswith(b"@"):
        if line != b"@object-format=sha1":
            raise BundleMalformed("it asks for a capability other than SHA-1 objects")
    elif match := PREREQUISITE.fullmatch(line):
        if len(prerequisites) == MOST_PREREQUISITES:
            raise BundleMalformed(f"it has more than {MOST_PREREQUISITES} prerequisites")
        prerequisites.append(match[1].decode())
    elif match := REF.fullmatch(line):
        refs.append((match[2].decode("utf-8", "replace"), match[1].decode()))
    elif line:
        raise BundleMalformed("its head has a line that is neither a ref nor a prerequisite")


def _object_count(head: bytes) -> int:
    if len(head) < PACK_HEAD or head[:4] != b"PACK" or int.from_bytes(head[4:8], "big") not in (2, 3):
        raise BundleMalformed("it holds no pack")
    return int.from_bytes(head[8:12], "big")
