"""What the pipeline asks of the outside world. The questions stand among the words because the stages ask them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class EntryKind(StrEnum):
    """What stands at a path. ``OUTSIDE``: a link that leaves the repository; ``OTHER``: a device, pipe or submodule."""

    FILE = "file"
    DIRECTORY = "directory"
    OUTSIDE = "outside"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Entry:
    """What ``FileSource.stat`` answers; ``size`` in bytes, 0 for what is no file."""

    kind: EntryKind
    size: int = 0


@dataclass(frozen=True, slots=True)
class Blob:
    """A file's content and git's id of it (40 hex digits; empty where the content is cut)."""

    data: bytes
    blob_id: str


@dataclass(frozen=True, slots=True)
class TrackedFile:
    """A file that git tracks. ``mode`` as git writes it (``100644``, ``100755``, ``120000``)."""

    path: str
    mode: str
    blob_id: str


class FileSource(Protocol):
    """The files of one repository: a git tree at a commit, a work tree, or memory. Paths are POSIX, relative to the
    root, already normalised and free of ``..``; links inside the repository are followed, links that leave it are
    answered ``OUTSIDE`` and never read."""

    @property
    def identity(self) -> str:
        """The full commit id, or ``worktree`` / ``memory``."""
        ...

    def stat(self, path: str) -> Entry | None:
        """Return what stands at ``path``, or None."""
        ...

    def read(self, path: str, *, most: int) -> Blob:
        """Return a file's content. Asked only for what ``stat`` called a file; never gives more than ``most`` + 1
        bytes, so that the caller sees that it is too large."""
        ...

    def glob(self, pattern: str) -> Sequence[str]:
        """Return the files that match (``*``, ``?``, ``[..]``, ``**``; case counts), sorted bytewise."""
        ...

    def tracked(self, folder: str) -> Sequence[TrackedFile]:
        """Return the tracked files below ``folder`` ("" is the root), sorted bytewise."""
        ...


class DigestResolver(Protocol):
    """Turns a tag of an image into a digest."""

    def resolve(self, reference: str) -> str | None:
        """Return ``sha256:…`` of ``reference``, or None where nobody can say now."""
        ...


class ConfigKind(StrEnum):
    """Variables may be read; secrets never are, only named."""

    VARIABLE = "variable"
    SECRET = "secret"


class Scope(StrEnum):
    """Where an entry is kept; an earlier one wins."""

    REPOSITORY = "repository"
    PROJECT = "project"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class ConfigEntry:
    """An entry of the configuration as the resolver sees it. ``value`` is only given for variables; ``audience``: the
    kinds of environment it may enter (``config.md`` section 1.5); ``readable`` is false for a value that cannot be
    decrypted; ``environment`` is ``*`` or a name."""

    key: str
    kind: ConfigKind
    scope: Scope
    environment: str
    version: int
    audience: frozenset[str]
    empty: bool = False
    readable: bool = True
    value: str | None = None


class ConfigReader(Protocol):
    """Reads configuration entries of one project; values of secrets never come out."""

    @property
    def known(self) -> bool:
        """Whether anything can be read at all: false offline, so that checks are skipped and plans are previews."""
        ...

    def entries(self, key: str) -> Sequence[ConfigEntry]:
        """Return every entry with this key, in all scopes and environments."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Repositories:
    """The files of a stack. ``root``: alias of the repository that holds the root file; ``unavailable``: alias ->
    why its files cannot be read."""

    root: str
    sources: Mapping[str, FileSource]
    stack_path: str = "services.yaml"
    unavailable: Mapping[str, str] = field(default_factory=dict)
