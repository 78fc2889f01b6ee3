"""``config.toml``: what the person wrote about how they like it. Read only when it is there."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli.contexts import config_dir
from stagewright.processes.cli.enums import LOCALES
from stagewright.processes.cli.exits import USAGE, Failure
from stagewright.processes.cli.lazy import load
from stagewright.processes.cli.target import variable

if TYPE_CHECKING:
    from datetime import tzinfo

    from stagewright.processes.cli.call import Call

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
    for name in set(found) - {"alias"}:
        if not isinstance(found[name], str):
            raise Failure(USAGE, f'{path}: {name} is a text; write {name} = "…"')
    return found


def find_locale(call: "Call") -> str:
    """Return the person's language. What the shell says counts when it is one of ours, else English."""
    environ = call.environ
    given = variable(environ, "LOCALE")
    named = given or call.config("locale")
    if named is not None and named not in LOCALES:
        place = "STAGEWRIGHT_CLI_LOCALE" if given else f"{config_path(environ)}: locale"
        raise Failure(USAGE, f"{place}: {named!r} is no language of ours; use one of {', '.join(LOCALES)}")
    shell = (environ.get("LC_ALL") or environ.get("LANG") or "").partition("_")[0].partition(".")[0]
    return named or (shell if shell in LOCALES else "en")


def find_zone(call: "Call") -> "tzinfo":
    """Return the zone of ``config.toml``."""
    name = call.config("zone")
    try:
        found: tzinfo = load("zoneinfo:ZoneInfo")(name)
    except (ValueError, LookupError, OSError) as error:
        path = config_path(call.environ)
        raise Failure(USAGE, f"{path}: zone {name!r} is not known here; write for example Europe/Moscow") from error
    return found
