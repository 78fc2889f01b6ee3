"""``config.toml``: what the person wrote about how they like it. Read only when it is there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stagewright.processes.cli.contexts import config_dir
from stagewright.processes.cli.exits import USAGE, Failure
from stagewright.processes.cli.lazy import load

FILE = "config.toml"
KEYS = ("output", "locale", "zone", "editor", "pager", "alias")


def config_path(environ: Mapping[str, str]) -> Path:
    """Return where the file is, whether or not it exists."""
    return config_dir(environ) / FILE


def read_config(environ: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the file's keys; nothing without a file. An unknown key or bad TOML is a ``Failure``."""
    path = config_path(environ)
    if not path.exists():
        return {}
    try:
        found: dict[str, Any] = load("tomllib:loads")(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Failure(USAGE, f"{path} cannot be read: {error}") from error
    unknown = sorted(set(found) - set(KEYS))
    if unknown:
        raise Failure(USAGE, f"{path}: unknown key {', '.join(unknown)}; known: {', '.join(KEYS)}")
    return found
