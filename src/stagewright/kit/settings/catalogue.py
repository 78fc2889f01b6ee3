"""Reading a catalogue of settings from an environment: types, defaults, files, unknown names."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stagewright.kit.errors import FieldProblem, Invalid

FILE = "_FILE"
LONGEST = 64 * 1024


class SettingsInvalid(Invalid):
    """Settings are unknown, missing or malformed. ``problems`` name each; no value of a secret is shown."""

    code = "settings.invalid"

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        lines = "\n".join(f"  {problem.message}" for problem in problems)
        super().__init__(f"the settings cannot be used:\n{lines}", problems=problems)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: how its text is read, its default, and whether it is a secret (then ``NAME_FILE`` works too)."""

    parse: Callable[[str], Any]
    default: Any = None
    secret: bool = False


def read(
    environ: Mapping[str, str],
    catalogue: Mapping[str, Setting],
    *,
    prefix: str,
    ignored: tuple[str, ...] = (),
    required: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Return a value for every name of ``catalogue``: parsed, or its default. An empty variable counts as unset.

    ``ignored`` prefixes belong to others; ``required`` names must be set. Raise ``SettingsInvalid`` with all problems.
    """
    problems: list[FieldProblem] = []
    mine = {name: value for name, value in environ.items() if name.startswith(prefix) and not name.startswith(ignored)}
    known = {prefix + name for name in catalogue}
    known |= {prefix + name + FILE for name, setting in catalogue.items() if setting.secret}
    for name in sorted(mine.keys() - known):
        nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
        problems.append(_problem(name, "unknown", f"unknown setting; did you mean {nearest[0]}?"))
    values: dict[str, Any] = {}
    for name, setting in catalogue.items():
        try:
            given = _given(prefix + name, setting, mine)
            if given is None and name in required:
                also = f" (or {prefix}{name}{FILE})" if setting.secret else ""
                problems.append(_problem(prefix + name, "required", f"is required{also}"))
            values[name] = setting.default if given is None else setting.parse(given)
        except (ValueError, Invalid) as error:
            problems.append(_problem(prefix + name, "malformed", str(error)))
    if problems:
        raise SettingsInvalid(tuple(problems))
    return values


def _problem(name: str, code: str, message: str) -> FieldProblem:
    return FieldProblem(f"/{name}", f"settings.{code}", f"{name}: {message}")


def _given(name: str, setting: Setting, environ: Mapping[str, str]) -> str | None:
    direct, file = environ.get(name, "").strip(), environ.get(name + FILE, "").strip()
    if not setting.secret or not file:
        return direct or None
    if direct:
        raise ValueError(f"is set twice: keep it or {name}{FILE}, not both")
    try:
        with Path(file).open(encoding="utf-8") as source:
            content = source.read(LONGEST).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ValueError(f"the file of {name}{FILE} cannot be read: {reason}") from error
    if not content:
        raise ValueError(f"the file of {name}{FILE} is empty")
    return content
