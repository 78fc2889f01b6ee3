"""What templates may read (``stack.md`` section 4.2): maps of our own, never Python objects with attributes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

ROOTS = (
    "project", "env", "candidate", "namespace", "domain", "url", "platform",
    "versions", "vars", "source", "images", "unit", "singletons",
)  # fmt: skip
"""Every name that an expression may start with; ``omit`` and ``coalesce`` are words of the language."""

MOST_RENDERS = 20_000


class Names(ABC):
    """A map that expressions look into. ``path``: how they write it, for example ``source.repositories``."""

    path: str

    @abstractmethod
    def find(self, name: str) -> "Value | None":
        """Return the value of ``name``; None where nothing is known under it."""

    @abstractmethod
    def known(self) -> tuple[str, ...]:
        """Return the names in it, sorted."""

    def why(self, name: str) -> str | None:
        """Return why nothing stands behind ``name``, where more can be said than what else is known."""
        return None

    def __contains__(self, name: object) -> bool:
        """Whether ``name`` stands in it, for ``in``."""
        return name in self.known()


Value = str | int | bool | Names


@dataclass(frozen=True, eq=False)
class Fixed(Names):
    """A map whose values are all known; ``reason``: why it has no others."""

    path: str
    values: Mapping[str, Value]
    reason: str | None = None

    def find(self, name: str) -> Value | None:
        """Return the value of ``name``, or None."""
        return self.values.get(name)

    def known(self) -> tuple[str, ...]:
        """Return the names in it, sorted."""
        return tuple(sorted(self.values))

    def why(self, name: str) -> str | None:
        """Return the reason that was given."""
        return self.reason


@dataclass(slots=True)
class Renders:
    """How many scalars one plan may still render."""

    left: int = MOST_RENDERS


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """The names of one place. ``missing``: why a name of ``ROOTS`` is not there; ``renders`` is shared by all scopes of
    a plan."""

    values: Mapping[str, Value]
    missing: Mapping[str, str] = field(default_factory=dict)
    renders: Renders = field(default_factory=Renders)

    def extended(self, values: Mapping[str, Value]) -> "Scope":
        """Return the scope with more names, or other values of them."""
        return Scope({**self.values, **values}, self.missing, self.renders)

    def without(self, *names: str, why: str) -> "Scope":
        """Return the scope without some names."""
        kept = {name: value for name, value in self.values.items() if name not in names}
        return Scope(kept, {**self.missing, **dict.fromkeys(names, why)}, self.renders)
