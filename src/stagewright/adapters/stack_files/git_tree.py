"""The files of a commit, read from a clone or a bare mirror. One git answers all reads; close the source after use."""

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from stagewright.adapters.git.command import Git
from stagewright.adapters.git.errors import GitFailed
from stagewright.adapters.stack_files.listing import LONGEST_TARGET, Link, Listing, readable
from stagewright.adapters.stack_files.talk import Talk
from stagewright.contexts.deploys.model.sources import Blob, Entry, EntryKind, TrackedFile
from stagewright.kit.errors import Invalid

SYMLINK = "120000"
SUBMODULE = "160000"
MOST_LISTED = 128 << 20
PATIENCE = timedelta(seconds=60)
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class _Tracked(NamedTuple):
    mode: str
    blob_id: str
    size: int


class GitTreeFiles(Listing):
    """A ``FileSource`` of the commit ``sha`` in ``repository`` (the folder of a clone, or a bare repository).

    For one thread at a time. Raises ``Invalid`` for what is no full commit id, ``GitFailed`` where git cannot read.
    """

    def __init__(self, repository: Path, sha: str, *, git: Git | None = None, patience: timedelta = PATIENCE) -> None:
        if not _SHA.fullmatch(sha):
            raise Invalid(f"{sha!r} is no full commit id; give all of its hex digits")
        self._sha = sha
        self._git = git or Git(protocols=())
        self._folder = repository
        inner = repository / ".git"
        self._environment = {"GIT_DIR": str(inner if inner.exists() else repository)}
        self._patience = patience
        self._batch: Talk | None = None
        self._listed = self._list()
        names = {readable(path): entry for path, entry in self._listed}
        self._files = {path: entry for path, entry in names.items() if path is not None}
        self._targets: dict[str, str] = {}
        super().__init__(self._files)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def identity(self) -> str:
        """The full commit id."""
        return self._sha

    def close(self) -> None:
        """End the git that reads; the next read starts another one."""
        if self._batch is not None:
            self._batch.end()
            self._batch = None

    def look(self, path: str) -> Entry | Link | None:
        """Return what the tree holds at ``path``."""
        entry = self._files.get(path)
        if entry is None:
            return None
        if entry.mode == SYMLINK:
            return self._link(entry)
        return Entry(EntryKind.OTHER) if entry.mode == SUBMODULE else Entry(EntryKind.FILE, entry.size)

    def read(self, path: str, *, most: int) -> Blob:
        """Return a file's content, at most ``most`` + 1 bytes of it."""
        real = self.resolve(path)
        entry = self._files.get(real) if isinstance(real, str) else None
        if entry is None or entry.mode in (SYMLINK, SUBMODULE):
            raise Invalid(f"{path!r} is no file of the commit {self._sha}")
        return self._blob(entry, most)

    def tracked(self, folder: str) -> Sequence[TrackedFile]:
        """Return the files below ``folder``."""
        inside = f"{folder}/".encode() if folder else b""
        return [
            TrackedFile(path.decode("utf-8", "backslashreplace"), entry.mode, entry.blob_id)
            for path, entry in self._listed
            if path.startswith(inside) and entry.mode != SUBMODULE
        ]

    def _link(self, entry: _Tracked) -> Link:
        if entry.blob_id not in self._targets:
            target = self._blob(entry, LONGEST_TARGET).data
            self._targets[entry.blob_id] = target.decode("utf-8", "replace") if len(target) <= LONGEST_TARGET else "/"
        return Link(self._targets[entry.blob_id])

    def _blob(self, entry: _Tracked, most: int) -> Blob:
        if self._batch is None:
            self._batch = self._talk("cat-file", "--batch")
        try:
            self._batch.ask(entry.blob_id.encode())
            header = self._batch.line().split()
            if len(header) != 3 or header[1] != b"blob":
                raise GitFailed("cat-file", 0, f"the object {entry.blob_id} of the commit {self._sha} is missing")
            size = int(header[2])
            data = self._batch.exactly(min(size, most + 1))
            if size <= most:
                self._batch.exactly(1)
                return Blob(data, entry.blob_id)
        except BaseException:
            self.close()
            raise
        self.close()  # the rest is not read at all
        return Blob(data, "")

    def _list(self) -> list[tuple[bytes, _Tracked]]:
        talk = self._talk("ls-tree", "-r", "-l", "-z", f"{self._sha}^{{commit}}")
        try:
            _, output = talk.everything(MOST_LISTED)
        finally:
            talk.end()
        found = []
        for line in output.split(b"\0")[:-1]:
            head, _, path = line.partition(b"\t")
            mode, _, blob_id, size = head.decode().split()
            found.append((path, _Tracked(mode, blob_id, int(size) if size.isdigit() else 0)))
        return sorted(found)

    def _talk(self, *words: str) -> Talk:
        return Talk(self._git, *words, cwd=Path("/"), environment=self._environment, patience=self._patience)
