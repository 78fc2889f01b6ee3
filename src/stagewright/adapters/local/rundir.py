"""Work directories of local runs: one path per run, made anew for each attempt. Links in them are never followed."""

import contextlib
import os
import subprocess
from pathlib import Path

TRASH = ".trash"


class RunDirs:
    """``<data>/runs/<key>/``: the work tree's parent, with ``home`` and ``tmp``. The owner is named beside it."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, key: str) -> Path:
        """Return the directory of a run."""
        return self._root / key

    def owner(self, key: str) -> str | None:
        """Return the workload the directory was made for."""
        with contextlib.suppress(OSError):
            return self._owner_file(key).read_text(encoding="ascii")
        return None

    def remake(self, key: str, *, owner: str) -> Path:
        """Give ``owner`` an empty directory. What was there is moved aside in one step and removed later."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._owner_file(key).write_text(owner, encoding="ascii")
        self._move_aside(key)
        path = self.path(key)
        for folder in (path, path / "home", path / "tmp"):
            folder.mkdir(mode=0o700)
        return path

    def remove(self, key: str, *, owner: str) -> None:
        """Remove the directory if it is still ``owner``'s, and everything that was moved aside."""
        if self.owner(key) == owner:
            self._move_aside(key)
            self._owner_file(key).unlink(missing_ok=True)
        empty_trash(self._root / TRASH)

    def _move_aside(self, key: str) -> None:
        if os.path.lexists(self.path(key)):
            move_to_trash(self.path(key), self._root / TRASH)

    def _owner_file(self, key: str) -> Path:
        return self._root / f".{key}.owner"


def move_to_trash(path: Path, trash: Path) -> Path:
    """Move a directory (or whatever has its name) out of the way in one step."""
    trash.mkdir(mode=0o700, exist_ok=True)
    target = trash / f"{path.name}.{os.urandom(6).hex()}"
    path.rename(target)
    return target


def empty_trash(trash: Path) -> None:
    """Remove what was moved aside: ``rm`` follows no links and knows no depth limit; folders may lack their bits."""
    if trash.is_dir() and (left := [str(path) for path in trash.iterdir()]):
        for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
            subprocess.run([*command, "--", *left], check=False, capture_output=True, stdin=subprocess.DEVNULL)
