"""The files of a folder on disk: of a git work tree those that are tracked or could be, else all of them.

Every folder on the way to a file is opened without following links, so nothing that is exchanged meanwhile leads out.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from stagewright.adapters.git.command import Git
from stagewright.adapters.git.errors import GitFailed
from stagewright.adapters.stack_files.listing import Link, Listing, readable
from stagewright.adapters.stack_files.talk import Talk
from stagewright.contexts.deploys.model.sources import Blob, Entry, EntryKind, TrackedFile
from stagewright.kit.errors import Invalid

IDENTITY = "worktree"
MOST_LISTED = 128 << 20
MOST_PATHS = 500_000
PIECE = 1 << 20
PATIENCE = timedelta(seconds=60)
SYMLINK = "120000"
SUBMODULE = "160000"
PROGRAM = "100755"
FILE = "100644"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CONTENT = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class WorkTreeFiles(Listing):
    """A ``FileSource`` of the folder ``root``. What is there is listed once; contents are read when asked for.

    Raises ``Invalid`` where ``root`` is no folder or holds too many files.
    """

    def __init__(self, root: Path, *, git: Git | None = None, patience: timedelta = PATIENCE) -> None:
        self._root = root.absolute()
        if not self._root.is_dir():
            raise Invalid(f"{str(root)!r} is no folder; name the folder of the repository")
        self._git = git or Git(protocols=())
        self._patience = patience
        modes = self._listed_by_git()
        if modes is None:
            modes = dict.fromkeys(self._walked(), "")
        self._modes = modes
        super().__init__(name for path in modes if (name := readable(path)) is not None)

    @property
    def identity(self) -> str:
        """Always the same: a work tree has no name of its own."""
        return IDENTITY

    def look(self, path: str) -> Entry | Link | None:
        """Return what stands on disk at a listed path."""
        if path.encode("utf-8", "surrogateescape") not in self._modes:
            return None
        return self._on_disk(path.encode("utf-8", "surrogateescape"))

    def read(self, path: str, *, most: int) -> Blob:
        """Return a file's content, at most ``most`` + 1 bytes of it."""
        real = self.resolve(path)
        if not isinstance(real, str):
            raise Invalid(f"{path!r} is no file inside the repository")
        with self._opened(real.encode()) as descriptor:
            data = b"".join(_pieces(descriptor, most + 1))
        return Blob(data, _blob_id(data) if len(data) <= most else "")

    def tracked(self, folder: str) -> Sequence[TrackedFile]:
        """Return the files below ``folder`` that git tracks, with the ids of what they hold on disk now."""
        inside = f"{folder}/".encode() if folder else b""
        known = sorted(path for path, mode in self._modes.items() if mode is not None and path.startswith(inside))
        found = (self._tracked_file(path, self._modes[path] or "") for path in known)
        return [file for file in found if file is not None]

    def _tracked_file(self, path: bytes, mode: str) -> TrackedFile | None:
        name = path.decode("utf-8", "backslashreplace")
        if mode == SUBMODULE:
            return None
        there = self._on_disk(path)
        if isinstance(there, Link):
            return TrackedFile(name, SYMLINK, _blob_id(os.fsencode(there.target)))
        if there is None or there.kind is not EntryKind.FILE:
            return None
        with self._opened(path) as descriptor:
            executable = bool(os.fstat(descriptor).st_mode & stat.S_IXUSR)
            digest = hashlib.sha1(b"blob %d\0" % os.fstat(descriptor).st_size, usedforsecurity=False)
            while piece := os.read(descriptor, PIECE):
                digest.update(piece)
        return TrackedFile(
            name, mode if mode in (FILE, PROGRAM) else PROGRAM if executable else FILE, digest.hexdigest()
        )

    def _on_disk(self, path: bytes) -> Entry | Link | None:
        try:
            with self._folder_of(path) as (folder, name):
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if stat.S_ISLNK(status.st_mode):
                    return Link(os.fsdecode(os.readlink(name, dir_fd=folder)))
        except OSError:
            return None
        if stat.S_ISREG(status.st_mode):
            return Entry(EntryKind.FILE, status.st_size)
        is_folder = stat.S_ISDIR(status.st_mode) and self._modes.get(path) != SUBMODULE
        return Entry(EntryKind.DIRECTORY) if is_folder else Entry(EntryKind.OTHER)

    @contextmanager
    def _opened(self, path: bytes) -> Iterator[int]:
        try:
            with self._folder_of(path) as (folder, name):
                descriptor = os.open(name, _CONTENT, dir_fd=folder)
        except OSError as error:
            raise Invalid(f"{os.fsdecode(path)!r} cannot be read: {error.strerror}") from error
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Invalid(f"{os.fsdecode(path)!r} is no regular file")
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _folder_of(self, path: bytes) -> Iterator[tuple[int, bytes]]:
        """Open the folder that holds ``path``, one part after the other."""
        *folders, name = path.split(b"/")
        descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in folders:
                below = os.open(part, _FOLDER, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = below
            yield descriptor, name
        finally:
            os.close(descriptor)

    def _listed_by_git(self) -> dict[bytes, str | None] | None:
        """Return tracked paths with their modes, and those that could be tracked without; None outside of git."""
        others = self._git_output("ls-files", "--others", "--exclude-standard", "-z")
        staged = self._git_output("ls-files", "--cached", "--stage", "-z") if others is not None else None
        if others is None or staged is None:
            return None
        found: dict[bytes, str | None] = {path: None for path in others.split(b"\0")[:-1] if not path.endswith(b"/")}
        for line in staged.split(b"\0")[:-1]:
            head, _, path = line.partition(b"\t")
            found[path] = head.split()[0].decode()
        return found

    def _git_output(self, *words: str) -> bytes | None:
        settings = ("-c", "safe.directory=*")
        talk = Talk(self._git, *settings, *words, cwd=self._root, environment={}, patience=self._patience)
        try:
            return talk.everything(MOST_LISTED)[1]
        except GitFailed as error:
            if "not a git repository" in error.stderr:
                return None
            raise
        finally:
            talk.end()

    def _walked(self) -> Iterator[bytes]:
        root = os.fsencode(self._root)
        count = 0
        for folder, folders, files in os.walk(root):
            folders[:] = [name for name in folders if name != b".git"]
            links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
            for name in (*files, *links):
                count += 1
                if count > MOST_PATHS:
                    raise Invalid(f"{str(self._root)!r} holds more than {MOST_PATHS:,} files; name a smaller folder")
                yield os.path.relpath(os.path.join(folder, name), root)


def _pieces(descriptor: int, most: int) -> Iterator[bytes]:
    while most > 0 and (piece := os.read(descriptor, min(PIECE, most))):
        most -= len(piece)
        yield piece


def _blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
