"""Early advice about paths: what the platform's scope check would say. The platform decides, not this."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stagewright.kit.globs import matches_any, protects

LISTED_PATHS = 50


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to mend before the result is handed over."""

    code: str
    message: str
    paths: tuple[str, ...] = ()


def advise(
    paths: Sequence[str], *, scope_any: bool, allow: Iterable[str], protected: Iterable[str]
) -> tuple[Advice, ...]:
    """Return what to mend: paths outside the scope, and protected ones."""
    found = []
    allowed, guards = tuple(allow), tuple(protected)
    outside = [path for path in paths if not scope_any and not matches_any(allowed, path)]
    if outside:
        text = "These paths are outside what this stage may change; undo them (a rename counts as both of its paths)."
        found.append(Advice("scope_violation", text, tuple(outside[:LISTED_PATHS])))
    guarded = [path for path in paths if any(protects(guard, path) for guard in guards)]
    if guarded:
        found.append(Advice("protected_path", "These paths are protected; undo them.", tuple(guarded[:LISTED_PATHS])))
    return tuple(found)
