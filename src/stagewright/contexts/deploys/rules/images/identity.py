"""The content identity of a built image (``stack.md`` section 7): the same for a work tree and a commit of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from stagewright.contexts.deploys.model.sources import TrackedFile
from stagewright.contexts.deploys.rules.canonical import digest

FORMAT = 1
_TAG_DIGITS = 40


class ContextFile(NamedTuple):
    """A file that the builder sees. ``inside``: its path below the context."""

    inside: str
    file: TrackedFile


class Ingredients(NamedTuple):
    """All that decides what a build gives. ``bases``: written reference -> digest; ``week``: set where a base cannot be
    known before the build."""

    files: Sequence[ContextFile]
    dockerfile: str
    target: str | None
    args: Mapping[str, str]
    platforms: Sequence[str]
    bases: Mapping[str, str | None]
    builder: str
    week: str | None = None


def identity(made_of: Ingredients) -> str:
    """Return the identity as 64 hex digits."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "files": _sorted(made_of.files),
        "dockerfile": made_of.dockerfile,
        "target": made_of.target,
        "args": dict(made_of.args),
        "platforms": sorted(made_of.platforms),
        "bases": dict(made_of.bases),
        "builder": made_of.builder,
    }
    if made_of.week is not None:
        content["week"] = made_of.week
    return digest(content)


def tag(content_identity: str) -> str:
    """Return the tag of an image with this identity."""
    return f"c-{content_identity[:_TAG_DIGITS]}"


def portable(path: str) -> str:
    """Return a path as JSON can write it: bytes that are no UTF-8 are escaped, and so is what would look like that."""
    if path.isascii():
        return path
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _sorted(files: Iterable[ContextFile]) -> list[list[str]]:
    ordered = sorted(files, key=lambda item: item.inside.encode("utf-8", "surrogateescape"))
    return [[portable(item.inside), item.file.mode, item.file.blob_id] for item in ordered]
