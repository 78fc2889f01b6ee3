"""Writing files into a folder of a person: only inside it, through no link, and over nothing that is not ours."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from stagewright.processes.cli.exits import CONFLICT, FAILED, Failure

MARK = ".stagewright-render.json"
LONGEST = 120
NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
LARGEST_MARK = 8 * 1024 * 1024


def file_name(text: str) -> str:
    """Return a name that no file system takes for anything else."""
    return re.sub(r"[^a-z0-9.-]+", "-", text.lower()).strip(".-")[:LONGEST].strip(".-") or "unnamed"


def write_files(folder: str, files: Mapping[str, str], *, replace: bool) -> int:
    """Write ``files`` (relative path -> text) and remove those of an earlier render; return how many were written.

    Raise ``Failure`` for a file in the way that no earlier render wrote, unless ``replace``.
    """
    root = Path(folder)
    try:
        root.mkdir(parents=True, exist_ok=True)
        earlier = _earlier(root)
        foreign = sorted(path for path in files if path not in earlier and os.path.lexists(root / path))
        if foreign and not replace:
            raise Failure(
                CONFLICT, f"--output: {root / foreign[0]} was not written by a render",
                hint="name an empty folder, or add --yes to replace such files",
            )  # fmt: skip
        for path in sorted(earlier - set(files)):
            _remove(root, path)
        for path, text in files.items():
            _write(root, path, text)
        _write(root, MARK, json.dumps({"files": sorted(files)}, indent=2) + "\n")
    except OSError as error:
        raise Failure(FAILED, f"--output: {error.filename or folder}: {error.strerror or error}") from error
    return len(files)


def _earlier(root: Path) -> set[str]:
    """Return what the last render wrote here, as far as its names are ones that we give."""
    mark = root / MARK
    if mark.is_symlink() or not mark.is_file() or mark.stat().st_size > LARGEST_MARK:
        return set()
    try:
        named = json.loads(mark.read_text(encoding="utf-8"))["files"]
    except (ValueError, KeyError, TypeError):
        return set()
    return {path for path in _texts(named) if _is_ours(path)}


def _texts(value: object) -> Sequence[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _is_ours(path: str) -> bool:
    parts = path.split("/")
    return len(parts) <= 2 and path.endswith(".yaml") and all(NAME.fullmatch(part) for part in parts)


def _write(root: Path, path: str, text: str) -> None:
    parent = _confined(root, path)
    parent.mkdir(exist_ok=True)
    making = parent / f".{os.getpid()}.making"
    with making.open("x", encoding="utf-8") as file:
        file.write(text)
    making.replace(root / path)  # a link in its place is replaced, not followed


def _remove(root: Path, path: str) -> None:
    parent = _confined(root, path)
    (root / path).unlink(missing_ok=True)
    if parent != root and parent.is_dir() and not any(parent.iterdir()):
        parent.rmdir()


def _confined(root: Path, path: str) -> Path:
    """Return the folder of ``path``. Raise ``Failure`` where a link would lead out of ``root``."""
    parent = (root / path).parent
    if parent != root and parent.is_symlink():
        raise Failure(CONFLICT, f"--output: {parent} is a link; remove it, or name another folder")
    return parent
