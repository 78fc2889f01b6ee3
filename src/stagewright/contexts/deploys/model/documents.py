"""What the prompt of a run gets from a stack (``stack.md`` section 11)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PromptDocument:
    """A whole document, or the listing of a folder. ``size`` in bytes of UTF-8."""

    repository: str
    path: str
    description: str
    text: str
    priority: int = 100

    @property
    def size(self) -> int:
        """How much of the budget it takes, in bytes."""
        return len(self.text.encode())


@dataclass(frozen=True, slots=True)
class CutDocument:
    """A document that was left out for want of room: ``count`` or ``size``."""

    repository: str
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class RoleDocuments:
    """The documents and templates of one role, in the order they are told, and what was left out."""

    documents: tuple[PromptDocument, ...] = ()
    templates: tuple[PromptDocument, ...] = ()
    cut: tuple[CutDocument, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """A unit as an agent sees it."""

    name: str
    group: str
    strategy: str
    depends_on: tuple[str, ...]
    manifests: tuple[str, ...]
    urls: tuple[str, ...]
