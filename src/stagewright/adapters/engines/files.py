"""Session files and paths of a work tree: read and written with limits, never outside their folder."""

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

LARGEST_ARCHIVE = 32 * 1024 * 1024


def inside(root: Path, relative: str) -> Path | None:
    """Return ``root/relative``, or None when it would leave ``root``, also through a symbolic link."""
    pure = PurePosixPath(relative)
    if not relative or "\0" in relative or pure.is_absolute() or ".." in pure.parts or not pure.parts:
        return None
    path = root.joinpath(*pure.parts)
    resolved_root = os.path.realpath(root)
    if os.path.commonpath([resolved_root, os.path.realpath(path.parent)]) != resolved_root:
        return None
    return path


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def collect(root: Path, paths: Iterable[Path]) -> tuple[tuple[str, bytes], ...]:
    """Return (relative path, bytes) of regular files below ``root``, sorted; nothing when above the archive limit.

    Half a session would resume as another one, so it is all or none.
    """
    files: list[tuple[str, bytes]] = []
    size = 0
    for path in sorted(paths):
        if path.is_symlink() or not path.is_file():
            continue
        size += path.stat().st_size
        if size > LARGEST_ARCHIVE:
            return ()
        files.append((path.relative_to(root).as_posix(), path.read_bytes()))
    return tuple(files)


def put_back(root: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write an archive's files below ``root``. Raises ValueError naming a path that would leave it."""
    for relative, content in files:
        path = inside(root, relative)
        if path is None:
            raise ValueError(f"session archive: the path {relative!r} leaves its folder")
        write_private(path, content)
