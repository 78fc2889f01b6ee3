"""A mistake or a doubt in a stack: what, where, and what to change."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from stagewright.contexts.deploys.model.codes import CODES
from stagewright.contexts.deploys.model.places import At, Path, pointer

MOST = 200
_QUOTED = 80


class Severity(StrEnum):
    """Errors stop a plan; warnings do not, unless the caller is strict."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that belongs to a diagnostic, and why."""

    at: At
    message: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. ``code`` has the prefix ``stack.``; ``path`` is a JSON Pointer into the document."""

    code: str
    severity: Severity
    message: str
    at: At | None = None
    path: str = ""
    hint: str | None = None
    related: tuple[Related, ...] = ()

    @property
    def is_error(self) -> bool:
        """Whether it stops a plan."""
        return self.severity is Severity.ERROR

    @property
    def where(self) -> str:
        """The file and line, or the path where no file is known."""
        return str(self.at) if self.at is not None else self.path or "stack"


@dataclass(slots=True)
class Findings:
    """Collects the diagnostics of a pipeline's stages. Stages add and go on, so that all mistakes show at once."""

    items: list[Diagnostic] = field(default_factory=list)

    def add(
        self,
        code: str,
        message: str,
        at: At | None = None,
        path: Path = (),
        *,
        hint: str | None = None,
        related: Iterable[Related] = (),
        severity: Severity | None = None,
    ) -> None:
        """Note a finding. ``code`` without prefix stands in ``codes.py``, which also says its usual severity."""
        usual = Severity.WARNING if CODES[code].warning else Severity.ERROR
        self.items.append(
            Diagnostic(f"stack.{code}", severity or usual, message, at, pointer(path), hint, tuple(related))
        )

    @property
    def failed(self) -> bool:
        """Whether an error was found."""
        return any(item.is_error for item in self.items)

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Return at most ``MOST`` findings by file, line and code; one more says that there were others."""
        ordered = sorted(dict.fromkeys(self.items), key=_order)
        if len(ordered) <= MOST:
            return tuple(ordered)
        more = f"{len(ordered) - MOST} more findings are not shown; mend these first"
        return (*ordered[:MOST], Diagnostic("stack.too_many", Severity.ERROR, more))


def _order(item: Diagnostic) -> tuple[str, str, int, int, str, str]:
    if item.at is None:
        return ("", "", 0, 0, item.code, item.path)
    source = item.at.source
    return (source.repository, source.file, item.at.line, item.at.column, item.code, item.path)


def quoted(value: object) -> str:
    """Return ``value`` as a message shows it: in quotes, at most 80 characters."""
    text = repr(value)
    return text if len(text) <= _QUOTED else text[: _QUOTED - 2] + "…'"
