"""``.dockerignore``: which files of a context the builder sees, as Docker and BuildKit decide it.

The last pattern that matches a file or a folder around it decides; ``!`` takes files back in, also out of folders that
are left out. Patterns are translated into those of ``kit.globs``, which never take long.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

from stagewright.kit.globs import is_pattern, matches

MOST_BYTES = 1 << 20
MOST_PATTERNS = 1000
_MOST_LENGTH = 1024
_MOST_JOINTS = 3
_PIECE = re.compile(r"\\(.)|\\|\[\^?(?:\\.|[^\]\\])+\]|.", re.DOTALL)
_WILD = "*?[]"


class BadPattern(Exception):
    """A line that is no pattern."""

    def __init__(self, message: str, line: int) -> None:
        """Lines count from 1."""
        super().__init__(message)
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True)
class _Rule:
    """A line: the patterns it comes to, and whether it takes files back in."""

    patterns: tuple[str, ...]
    keeps: bool

    def matches(self, path: str) -> bool:
        """Say whether ``path`` itself matches."""
        return any(matches(pattern, path, exact=True) for pattern in self.patterns)


@dataclass(slots=True)
class Ignoring:
    """The rules of one file. ``folders``: what matched a folder or one around it, by rule, so that it is asked once."""

    rules: tuple[_Rule, ...] = ()
    folders: dict[str, tuple[bool, ...]] = field(default_factory=dict)

    def ignores(self, path: str) -> bool:
        """Say whether the builder does not see the file at ``path``, relative to the context."""
        if not self.rules:
            return False
        ignored = False
        for rule, matched in zip(self.rules, self._matched(path), strict=True):
            if matched:
                ignored = not rule.keeps
        return ignored

    def _matched(self, path: str) -> tuple[bool, ...]:
        above = self._folder(path.rpartition("/")[0])
        return tuple(above[index] or rule.matches(path) for index, rule in enumerate(self.rules))

    def _folder(self, path: str) -> tuple[bool, ...]:
        """Return for each rule whether it matches a folder or one around it."""
        if not path:
            return (False,) * len(self.rules)
        known = self.folders.get(path)
        if known is not None:
            return known
        matched: tuple[bool, ...] = (False,) * len(self.rules)
        parts = path.split("/")
        for length in range(1, len(parts) + 1):
            here = "/".join(parts[:length])
            known = self.folders.get(here)
            if known is None:
                known = tuple(old or rule.matches(here) for old, rule in zip(matched, self.rules, strict=True))
                self.folders[here] = known
            matched = known
        return matched


def read_ignore_file(data: bytes) -> Ignoring:
    """Read the patterns. Raises ``BadPattern``."""
    text = data.decode("utf-8-sig", "surrogateescape")
    rules: list[_Rule] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("#") or not line.strip():
            continue
        if len(rules) == MOST_PATTERNS:
            raise BadPattern(f"there are more than {MOST_PATTERNS} patterns; use folders and **", number)
        rules.append(_rule(line.strip(), number))
    return Ignoring(tuple(rules))


def _rule(line: str, number: int) -> _Rule:
    keeps = line.startswith("!")
    inside = _cleaned(line[1:].strip() if keeps else line)
    if keeps and not inside:
        raise BadPattern("! alone is no pattern; name what is taken back in", number)
    if len(inside) > _MOST_LENGTH:
        raise BadPattern(f"a pattern has at most {_MOST_LENGTH} characters", number)
    patterns = tuple(_translated(inside, number))
    if not all(map(is_pattern, patterns)):
        raise BadPattern(f"{line[:80]!r} is no pattern: its range of letters runs backwards", number)
    return _Rule(patterns, keeps)


def _cleaned(pattern: str) -> str:
    """Return the path without ``.``, ``..`` and doubled slashes, and without the slash at its start."""
    parts: list[str] = []
    for part in pattern.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in ("", ".") and not (part == ".." and pattern.startswith("/")):
            parts.append(part)
    return "/".join(parts)


def _translated(pattern: str, number: int) -> Iterator[str]:
    """Yield patterns of ``kit.globs`` that together match what Docker's ``pattern`` does. In Docker ``**`` is any
    number of whole folders wherever it stands: ``a**b`` is ``ab``, ``a*/b`` and ``a*/…/b``."""
    parts = [part.split("**") for part in pattern.split("/")]
    joints = sum(bool(pieces[0]) + len(pieces) - 2 for pieces in parts if len(pieces) > 1)
    if joints > _MOST_JOINTS:
        raise BadPattern(f"a pattern may have at most {_MOST_JOINTS} times ** beside other letters", number)
    choices: list[list[str]] = []
    for pieces in parts:
        ways = [_part(pieces[0], number)]
        for place, piece in enumerate(pieces[1:], 1):
            last = pieces is parts[-1] and place == len(pieces) - 1 and not piece
            rest = _part(piece, number)
            ways = [way for before in ways for way in _joined(before, rest, last=last)]
        choices.append(ways)
    for chosen in product(*choices):
        yield "/".join(chosen)


def _joined(before: str, rest: str, *, last: bool) -> list[str]:
    """Return what ``before**rest`` comes to inside of one part of a path."""
    if not before:
        return ["**"] if not rest else [f"**/{rest}"]
    if last:
        return [f"{before}*", f"{before}*/**"]
    return [f"{before}{rest}", f"{before}*/**/{rest}" if rest else f"{before}*/**"]


def _part(text: str, number: int) -> str:
    """Return a part as ``kit.globs`` writes it: ``\\*`` is ``[*]``, ``[^a]`` is ``[!a]``."""
    out: list[str] = []
    for match in _PIECE.finditer(text):
        piece = match[0]
        if match[1] is not None:
            out.append(f"[{match[1]}]" if match[1] in _WILD else match[1])
        elif piece == "\\":
            raise BadPattern("a pattern cannot end with a backslash", number)
        elif len(piece) > 1:
            body = re.sub(r"\\(.)", r"\1", piece[1:-1])
            out.append(f"[!{body[1:]}]" if body.startswith("^") and len(body) > 1 else f"[{body}]")
        elif piece == "[":
            raise BadPattern("a [ is not closed; write \\[ for the character", number)
        else:
            out.append(piece)
    return "".join(out)
