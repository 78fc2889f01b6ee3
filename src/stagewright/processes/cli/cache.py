"""What the last list showed: prefixes of ids mean what the person just saw, and completion answers without a server."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from stagewright.processes.cli.contexts import config_folder

FRESH = 300.0  # seconds in which completion trusts it
DAY = 86_400.0  # seconds
MOST = 500


def _path(environ: Mapping[str, str], what: str, host: str) -> str:
    plain = "".join(character if character.isalnum() else "-" for character in host)
    return os.path.join(config_folder(environ), "cache", f"{what}-{plain}.json")


def look_due(environ: Mapping[str, str], host: str) -> bool:
    """Say whether a day has passed since the server's version was looked at."""
    try:
        return time.time() - os.stat(_path(environ, "looked", host)).st_mtime > DAY
    except OSError:
        return True


def note_look(environ: Mapping[str, str], host: str) -> None:
    """Note that the server's version was looked at now."""
    remember(environ, "looked", host, ())


def remember(environ: Mapping[str, str], what: str, host: str, rows: Sequence[tuple[str, str]]) -> None:
    """Keep ids with what a person calls them. A cache that cannot be written is no failure."""
    path = _path(environ, what, host)
    making = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True, mode=0o700)
        with open(making, "w", encoding="utf-8") as file:
            json.dump([list(row) for row in rows[:MOST]], file)
        os.replace(making, path)
    except OSError:
        with suppress(OSError):
            os.unlink(making)


def recall(environ: Mapping[str, str], what: str, host: str, *, fresh: bool = False) -> list[tuple[str, str]]:
    """Return what was kept; with ``fresh`` only if it is young."""
    path = _path(environ, what, host)
    try:
        if fresh and time.time() - os.stat(path).st_mtime > FRESH:
            return []
        with open(path, encoding="utf-8") as file:
            found: list[Any] = json.load(file)
        return [(str(row[0]), str(row[1])) for row in found]
    except (OSError, ValueError, IndexError, TypeError):
        return []
