"""Early advice about paths: what the platform's scope check would say. The platform decides, not this."""

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

LISTED_PATHS = 50


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to mend before the result is handed over."""

    code: str
    message: str
    paths: tuple[str, ...] = ()


@functools.cache
def glob(pattern: str) -> re.Pattern[str]:
    """Return the expression of a path pattern: ``**`` any folders, ``*`` and ``?`` within a name; case is ignored."""
    parts = []
    for token in re.findall(r"\*\*/|\*\*|\*|\?|[^*?]+", pattern):
        parts.append({"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(token) or re.escape(token))
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def advise(
    paths: Sequence[str], *, scope_any: bool, allow: Iterable[str], protected: Iterable[str]
) -> tuple[Advice, ...]:
    """Return what to mend: paths outside the scope, and protected ones."""
    found = []
    allowed = [glob(pattern) for pattern in allow]
    outside = [path for path in paths if not scope_any and not any(one.fullmatch(path) for one in allowed)]
    if outside:
        text = "These paths are outside what this stage may change; undo them (a rename counts as both of its paths)."
        found.append(Advice("scope_violation", text, tuple(outside[:LISTED_PATHS])))
    guards = [glob(pattern) for pattern in protected]
    guarded = [path for path in paths if any(one.fullmatch(path) for one in guards)]
    if guarded:
        found.append(Advice("protected_path", "These paths are protected; undo them.", tuple(guarded[:LISTED_PATHS])))
    return tuple(found)
