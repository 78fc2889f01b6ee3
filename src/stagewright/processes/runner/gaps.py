"""Programs the agent looked for and did not find (`runs.md` 17): told once at the end, never a failure."""

import re
import shlex
import shutil
from collections.abc import Callable, Iterable

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,63}")
NOT_FOUND = re.compile(r"(?:^|[\s:])([A-Za-z0-9_][A-Za-z0-9._+-]{0,63}): (?:command )?not found\b", re.MULTILINE)
MOST_NAMES = 50
COMMAND_NOT_FOUND = 127
SHELLS = ("sh", "bash", "dash", "zsh")
OPERATORS = frozenset(";&|\n()<>`$")


class ToolGaps:
    """Collects names with where they were seen; what is on PATH at the end was no gap."""

    def __init__(self) -> None:
        self._seen: dict[str, set[str]] = {}

    def command(self, argv: str, exit_code: int | None, output: str) -> None:
        """Note what a command of the engine tells."""
        for name in NOT_FOUND.findall(output[-65536:]):
            self._note(name, "command")
        if exit_code == COMMAND_NOT_FOUND and (first := _first_word(argv)):
            self._note(first, "command")

    def reported(self, names: Iterable[object]) -> None:
        """Note the report's own list."""
        for name in names:
            self._note(str(name).strip(), "report")

    def missing(self, find: Callable[[str], str | None] = shutil.which) -> dict[str, list[str]]:
        """Return name -> sources of what ``find`` does not find now."""
        gone = {name: sorted(sources) for name, sources in sorted(self._seen.items()) if find(name) is None}
        return dict(list(gone.items())[:MOST_NAMES])

    def _note(self, name: str, source: str) -> None:
        if NAME.fullmatch(name):
            self._seen.setdefault(name, set()).add(source)


def _first_word(command: str) -> str:
    """Return the program of a simple command, looked for inside ``sh -c`` too; empty when the shell did more."""
    try:
        words = shlex.split(command)
    except ValueError:
        return ""
    if len(words) == 3 and words[0].rpartition("/")[2] in SHELLS and words[1] in ("-c", "-lc"):
        return _first_word(words[2])
    while words and "=" in words[0]:
        words.pop(0)
    return words[0] if words and not OPERATORS & set(command) else ""
