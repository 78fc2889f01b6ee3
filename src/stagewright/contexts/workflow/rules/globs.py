"""Path patterns: ``*`` and ``?`` stay inside one part, ``**`` is any number of parts, letters match in any case."""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import takewhile

_PIECE = re.compile(r"\*|\?|\[!?[^\]]+\]|[^*?\[]+|\[")


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = pattern.split("/")
    text = ""
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "**":
            text += ".+" if last else "(?:[^/]+/)*"
        else:
            text += _part(part) + ("" if last else "/")
    return re.compile(text, re.IGNORECASE | re.DOTALL)


def _part(part: str) -> str:
    return "".join(_piece(piece) for piece in _PIECE.findall(part))


def _piece(piece: str) -> str:
    if piece == "*":
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    if piece.startswith("[") and len(piece) > 1:
        negated = piece[1] == "!"
        body = piece[2:-1] if negated else piece[1:-1]
        escaped = re.sub(r"([\\^\[&|~])", r"\\\1", body)
        return f"(?!/)[{'^' if negated else ''}{escaped}]"
    return re.escape(piece)


def matches(pattern: str, path: str) -> bool:
    """Say whether ``path`` (relative, POSIX) fits ``pattern`` as a whole."""
    return _compiled(pattern).fullmatch(path) is not None


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
