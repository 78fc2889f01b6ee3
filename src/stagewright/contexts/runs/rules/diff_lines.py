"""How many lines a unified diff adds to and takes from each file. Text in, counts out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
ESCAPED = re.compile(r"\\([0-7]{3}|.)")
ABSENT = "/dev/null"


@dataclass(frozen=True, slots=True)
class Lines:
    """What a diff does to one file."""

    added: int = 0
    removed: int = 0


def count_lines(diff: str) -> Mapping[str, Lines]:
    """Return the counts by path; a file without text (binary, mode only) is not among them.

    A hunk ends after as many lines as its head says, or with the next file where a redaction took lines away.
    """
    counted: dict[str, list[int]] = {}
    before, path, old, new = "", "", 0, 0
    for line in diff.split("\n"):
        if line.startswith("diff --git "):
            old = new = 0
        elif old > 0 or new > 0:
            mark = line[:1]
            old -= mark != "+" and mark != "\\"
            new -= mark != "-" and mark != "\\"
            counted[path][0] += mark == "+"
            counted[path][1] += mark == "-"
        elif line.startswith("--- "):
            before = _path(line[4:])
        elif line.startswith("+++ "):
            after = _path(line[4:])
            path = before if after == ABSENT else after
            counted.setdefault(path, [0, 0])
        elif path and (head := HUNK.match(line)):
            old, new = (1 if size is None else int(size) for size in head.groups()[::2])
    return {name: Lines(added, removed) for name, (added, removed) in counted.items()}


def shown_lines(diff: str) -> Mapping[str, frozenset[int]]:
    """Return by path the lines of the newer side that a diff shows, those around a change too: where a remark can
    stand."""
    shown: dict[str, set[int]] = {}
    path, old, new, line_no = "", 0, 0, 0
    for line in diff.split("\n"):
        if line.startswith("diff --git "):
            path, old, new = "", 0, 0
        elif old > 0 or new > 0:
            mark = line[:1]
            old -= mark != "+" and mark != "\\"
            new -= mark != "-" and mark != "\\"
            if mark not in ("-", "\\"):
                shown[path].add(line_no)
                line_no += 1
        elif line.startswith("+++ "):
            path = _path(line[4:])
        elif path not in ("", ABSENT) and (head := HUNK.match(line)):
            old, new = (1 if size is None else int(size) for size in head.groups()[::2])
            line_no = int(head[2])
            shown.setdefault(path, set())
    return {name: frozenset(lines) for name, lines in shown.items()}


def _path(text: str) -> str:
    """Return the path of a ``---`` or ``+++`` line: without its prefix and git's quotes."""
    name = text.rstrip("\t\r")
    if name.startswith('"') and name.endswith('"') and len(name) > 1:
        raw = ESCAPED.sub(_unescaped, name[1:-1])
        name = raw.encode("latin-1", "replace").decode("utf-8", "replace")
    return name if name == ABSENT else name[2:]


def _unescaped(found: re.Match[str]) -> str:
    code = found.group(1)
    if len(code) > 1:
        return chr(int(code, 8) & 255)
    return {"t": "\t", "n": "\n", "r": "\r"}.get(code, code)
