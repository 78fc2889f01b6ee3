"""What a list of paths says about files, folders and links. Links are followed in the list, never by the system, so
nothing outside of it can be reached."""

import re
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from stagewright.contexts.deploys.model.sources import Entry, EntryKind
from stagewright.kit.globs import is_pattern, matches

MOST_LINKS = 40
LONGEST_TARGET = 4096
_LITERAL = re.compile(r"[*?\[]")


class Link(NamedTuple):
    """A symbolic link."""

    target: str


class Listing(ABC):
    """Answers ``stat`` and ``glob`` from the paths of a repository."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = sorted(paths, key=str.encode)
        self._folders = {folder for path in self._paths for folder in _folders_of(path)}

    @abstractmethod
    def look(self, path: str) -> Entry | Link | None:
        """Return what stands at a path of the list, links not followed."""

    def stat(self, path: str) -> Entry | None:
        """Return what stands at ``path``, links followed."""
        real = self.resolve(path)
        if real is None or isinstance(real, Entry):
            return real
        found = self._look(real)
        return None if isinstance(found, Link) else found

    def glob(self, pattern: str) -> Sequence[str]:
        """Return the files that match, sorted bytewise."""
        if not is_pattern(pattern):
            return []
        folder = _LITERAL.split(pattern, maxsplit=1)[0].rpartition("/")[0]
        return [path for path in self.below(folder) if matches(pattern, path, exact=True) and self._is_file(path)]

    def resolve(self, path: str) -> str | Entry | None:
        """Return ``path`` without links; an entry where they lead outside, None where they lead nowhere."""
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
            found = self._look(here)
            if isinstance(found, Link):
                links += 1
                if found.target.startswith("/"):
                    return Entry(EntryKind.OUTSIDE)
                if links > MOST_LINKS:
                    return None
                left += [item for item in found.target.split("/")[::-1] if item not in ("", ".")]
            elif found is None or (left and found.kind is not EntryKind.DIRECTORY):
                return None
            else:
                done.append(part)
        return "/".join(done)

    def below(self, folder: str) -> list[str]:
        """Return the paths of the list below ``folder``."""
        if not folder:
            return self._paths
        inside = f"{folder}/".encode()
        first = bisect_left(self._paths, inside, key=str.encode)
        return self._paths[first : bisect_left(self._paths, inside + b"\xff", first, key=str.encode)]

    def _look(self, path: str) -> Entry | Link | None:
        found = self.look(path)
        if found is None and (not path or path in self._folders):
            return Entry(EntryKind.DIRECTORY)
        return found

    def _is_file(self, path: str) -> bool:
        entry = self.stat(path)
        return entry is not None and entry.kind is EntryKind.FILE


def _folders_of(path: str) -> Iterable[str]:
    end = path.rfind("/")
    while end > 0:
        yield path[:end]
        end = path.rfind("/", 0, end)


def readable(name: bytes) -> str | None:
    """Return a path as text; None for one that is not UTF-8, which no stack can name."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return None
