"""Where a value stands, and where it came from."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

Step = str | int
Path = tuple[Step, ...]
"""A place inside a document: keys of maps, indices of plain lists, and the key of an item in a keyed list."""


class Source(NamedTuple):
    """A file that was read. ``repository``: its alias in the project; ``chain``: the files that imported it, the root
    first, each as ``alias:path`` or ``path``; ``blob_id``: git's id of the content."""

    repository: str
    file: str
    blob_id: str
    chain: tuple[str, ...] = ()


class At(NamedTuple):
    """A place in a file. Lines and columns count from 1."""

    source: Source
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.source.file}:{self.line}"


class Origin(StrEnum):
    """Who set a value."""

    FILE = "file"
    DEFAULT = "default"
    COMPONENT = "component"
    INHERITED = "inherited"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a value came from: its place (None for defaults and the platform) and the values it overrode."""

    origin: Origin
    at: At | None = None
    shadowed: tuple[At, ...] = ()


def pointer(path: Path) -> str:
    """Return ``path`` as a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
