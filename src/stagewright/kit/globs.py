"""Path patterns: ``*`` and ``?`` stay inside one part, ``**`` is any number of parts, letters match in any case unless
asked otherwise.

Patterns come from projects and paths from agents, so matching must not take long for any of them: every wild card but
the last is settled at its first fit and never tried anew (the atomic groups), which loses no match.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import takewhile

_PIECE = re.compile(r"\*|\?|\[!?[^\]]+\]|[^*?\[]+|\[")
_FOLDERS = "(?:[^/]+/)*"


@lru_cache(maxsize=1024)
def _compiled(pattern: str, exact: bool = False) -> re.Pattern[str]:
    first, *others = _split(pattern.split("/"), "**")
    if not others:
        text = _path(first)
    else:
        *middle, last = others
        text = _folders(first) + "".join(f"(?>{_FOLDERS}?{_folders(parts)})" for parts in middle if parts)
        text += f"{_FOLDERS}{_path(last)}" if last else ".+"
    return re.compile(text, re.DOTALL if exact else re.IGNORECASE | re.DOTALL)


def _split(items: Sequence[str], at: str) -> list[list[str]]:
    groups: list[list[str]] = [[]]
    for item in items:
        if item == at:
            groups.append([])
        else:
            groups[-1].append(item)
    return groups


def _path(parts: Sequence[str]) -> str:
    return "/".join(map(_part, parts))


def _folders(parts: Sequence[str]) -> str:
    return "".join(f"{_part(part)}/" for part in parts)


def _part(part: str) -> str:
    first, *others = ("".join(map(_piece, pieces)) for pieces in _split(_PIECE.findall(part), "*"))
    if not others:
        return first
    *middle, last = others
    return first + "".join(f"(?>[^/]*?{text})" for text in middle if text) + f"[^/]*{last}"


def _piece(piece: str) -> str:
    if piece == "?":
        return "[^/]"
    if piece.startswith("[") and len(piece) > 1:
        negated = piece[1] == "!"
        body = piece[2:-1] if negated else piece[1:-1]
        escaped = re.sub(r"([\\^\[&|~])", r"\\\1", body)
        return f"(?!/)[{'^' if negated else ''}{escaped}]"
    return re.escape(piece)


def is_pattern(text: str) -> bool:
    """Say whether ``text`` can be matched at all: a range of letters may run backwards, as in ``[z-a]``."""
    try:
        _compiled(text)
    except re.error:
        return False
    return True


def matches(pattern: str, path: str, *, exact: bool = False) -> bool:
    """Say whether ``path`` (relative, POSIX) fits ``pattern`` as a whole; ``exact``: letters in the same case."""
    return _compiled(pattern, exact).fullmatch(path) is not None


def matches_any(patterns: Iterable[str], path: str) -> bool:
    """Say whether ``path`` fits one of ``patterns``."""
    return any(matches(pattern, path) for pattern in patterns)


def protects(pattern: str, path: str) -> bool:
    """Say whether ``pattern`` guards ``path``: a match, or something put in the place of a folder it names."""
    if matches(pattern, path):
        return True
    folders = list(takewhile(_is_literal, pattern.split("/")[:-1]))
    return any(matches("/".join(folders[:length]), path) for length in range(1, len(folders) + 1))


def _is_literal(part: str) -> bool:
    return not set(part) & set("*?[")
