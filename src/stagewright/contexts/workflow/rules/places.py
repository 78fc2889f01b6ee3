"""Where a value of a policy stands: paths, JSON pointers and the file and line that says it."""

from dataclasses import dataclass
from typing import Any

from stagewright.contexts.workflow.errors import PolicyProblem
from stagewright.contexts.workflow.model.policy import Source

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """The file and line (from 1) of a value."""

    source: Source
    line: int


def pointer(path: Path) -> str:
    """Write ``path`` as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


@dataclass(slots=True)
class Merged:
    """The effective document, with the place of every value and of every deletion."""

    data: dict[str, Any]
    places: dict[Path, Place]

    def place(self, path: Path) -> Place:
        """Return the nearest known place of ``path``: its own, or that of what holds it."""
        for length in range(len(path), -1, -1):
            found = self.places.get(path[:length])
            if found is not None:
                return found
        return Place(Source.BUILTIN, 1)

    def problem(self, path: Path, code: str, message: str) -> PolicyProblem:
        """Say what is wrong at ``path``."""
        place = self.place(path)
        return PolicyProblem(pointer(path), f"policy.{code}", message, source=place.source, line=place.line)

    def table(self, *keys: str | int) -> dict[str, Any]:
        """Return the map at ``keys``, empty where something else or nothing stands there."""
        value = self.value(*keys)
        return value if isinstance(value, dict) else {}

    def items(self, *keys: str | int) -> list[Any]:
        """Return the list at ``keys``, empty where something else or nothing stands there."""
        value = self.value(*keys)
        return value if isinstance(value, list) else []

    def text(self, *keys: str | int) -> str | None:
        """Return the text at ``keys``, or None."""
        value = self.value(*keys)
        return value if isinstance(value, str) else None

    def value(self, *keys: str | int) -> Any:
        """Return what stands at ``keys``, or None."""
        value: Any = self.data
        for key in keys:
            if isinstance(value, dict):
                value = value.get(key)
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
            else:
                return None
        return value
