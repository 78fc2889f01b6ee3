"""Files of a repository in memory: texts by path, symbolic links by ``Link``, folders as their files imply them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stagewright.contexts.deploys.model.sources import Blob, Entry, EntryKind, TrackedFile
from stagewright.kit.globs import is_pattern, matches

MOST_LINKS = 40


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link, as git keeps it."""

    target: str


@dataclass(frozen=True, slots=True)
class Device:
    """Something that is neither file nor folder nor link."""


@dataclass(frozen=True, slots=True)
class Program:
    """A file that may be executed."""

    text: str | bytes


Content = str | bytes | Link | Device | Program


@dataclass
class MemoryFiles:
    """A ``FileSource`` made of a dictionary."""

    files: Mapping[str, Content]
    identity: str = "memory"
    reads: list[str] = field(default_factory=list)

    def stat(self, path: str) -> Entry | None:
        """Return what stands at ``path``, links followed."""
        real = self._resolve(path)
        if real is None or isinstance(real, Entry):
            return real
        content = self.files.get(real)
        if content is not None:
            return (
                Entry(EntryKind.OTHER) if isinstance(content, Device) else Entry(EntryKind.FILE, len(_bytes(content)))
            )
        return Entry(EntryKind.DIRECTORY) if self._is_folder(real) else None

    def read(self, path: str, *, most: int) -> Blob:
        """Return a file's content."""
        real = self._resolve(path)
        assert isinstance(real, str)
        self.reads.append(path)
        data = _bytes(self.files[real])
        return Blob(data[: most + 1], blob_id(data) if len(data) <= most else "")

    def glob(self, pattern: str) -> Sequence[str]:
        """Return the files that match."""
        if not is_pattern(pattern):
            return []
        found = [path for path in self.files if matches(pattern, path, exact=True) and self._is_file(path)]
        return sorted(found, key=str.encode)

    def tracked(self, folder: str) -> Sequence[TrackedFile]:
        """Return the files below ``folder`` as git would list them."""
        inside = f"{folder}/" if folder else ""
        names = [path for path in self.files if path.startswith(inside) and not isinstance(self.files[path], Device)]
        return [_tracked(path, self.files[path]) for path in sorted(names, key=str.encode)]

    def _is_file(self, path: str) -> bool:
        entry = self.stat(path)
        return entry is not None and entry.kind is EntryKind.FILE

    def _is_folder(self, path: str) -> bool:
        return not path or any(name.startswith(f"{path}/") for name in self.files)

    def _resolve(self, path: str) -> str | Entry | None:
        """Return ``path`` without links, or what it comes to instead."""
        done: list[str] = []
        left = [part for part in path.split("/") if part][::-1]
        links = 0
        while left:
            part = left.pop()
            if part == "..":
                if not done:
                    return Entry(EntryKind.OUTSIDE)
                done.pop()
                continue
            here = "/".join((*done, part))
            content = self.files.get(here)
            if isinstance(content, Link):
                links += 1
                if content.target.startswith("/"):
                    return Entry(EntryKind.OUTSIDE)
                if links > MOST_LINKS:
                    return None
                left += [item for item in content.target.split("/")[::-1] if item not in ("", ".")]
            elif (content is not None and left) or (content is None and not self._is_folder(here)):
                return None
            else:
                done.append(part)
        return "/".join(done)


def blob_id(data: bytes) -> str:
    """Return the id that git gives a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _bytes(content: Content) -> bytes:
    text = content.text if isinstance(content, Program) else content
    assert not isinstance(text, Link | Device)
    return text.encode() if isinstance(text, str) else text


def _tracked(path: str, content: Content) -> TrackedFile:
    if isinstance(content, Link):
        return TrackedFile(path, "120000", blob_id(content.target.encode()))
    return TrackedFile(path, "100755" if isinstance(content, Program) else "100644", blob_id(_bytes(content)))
