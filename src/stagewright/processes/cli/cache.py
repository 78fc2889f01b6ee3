"""What the last list showed: prefixes of ids mean what the person just saw, and completion answers without a server."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stagewright.processes.cli.contexts import config_dir

FRESH = 300.0  # seconds in which completion trusts it
DAY = 86_400.0  # seconds
MOST = 500


def _path(environ: Mapping[str, str], what: str, host: str) -> Path:
    plain = "".join(character if character.isalnum() else "-" for character in host)
    return config_dir(environ) / "cache" / f"{what}-{plain}.json"


def look_due(environ: Mapping[str, str], host: str) -> bool:
    """Say whether a day has passed since the server's version was looked at."""
    try:
        return time.time() - _path(environ, "looked", host).stat().st_mtime > DAY
    except OSError:
        return True


def note_look(environ: Mapping[str, str], host: str) -> None:
    """Note that the server's version was looked at now."""
    remember(environ, "looked", host, ())


def remember(environ: Mapping[str, str], what: str, host: str, rows: Sequence[tuple[str, str]]) -> None:
    """Keep ids with what a person calls them. A cache that cannot be written is no failure."""
    path = _path(environ, what, host)
    making = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        making.write_text(json.dumps([list(row) for row in rows[:MOST]]), encoding="utf-8")
        making.replace(path)
    except OSError:
        making.unlink(missing_ok=True)


def recall(environ: Mapping[str, str], what: str, host: str, *, fresh: bool = False) -> list[tuple[str, str]]:
    """Return what was kept; with ``fresh`` only if it is young."""
    path = _path(environ, what, host)
    try:
        if fresh and time.time() - path.stat().st_mtime > FRESH:
            return []
        found: list[Any] = json.loads(path.read_text(encoding="utf-8"))
        return [(str(row[0]), str(row[1])) for row in found]
    except (OSError, ValueError, IndexError, TypeError):
        return []
