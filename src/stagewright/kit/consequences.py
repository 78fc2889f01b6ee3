"""What an act stops, loses and leaves: codes with parameters; whoever shows them has the words (console.md §7.10)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Value = str | int


@dataclass(frozen=True, slots=True)
class Consequence:
    """One thing that an act does. ``code`` is stable; ``params`` fill the words for it in any language."""

    code: str
    params: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Consequences:
    """All that an act does, in the order in which a person reads it."""

    stops: Sequence[Consequence] = ()
    lost: Sequence[Consequence] = ()
    survives: Sequence[Consequence] = ()


class Catalogue:
    """The consequences that one context knows: each code with the names of its parameters.

    A parameter ``count`` is a number that chooses the plural form.
    """

    def __init__(self, codes: Mapping[str, Sequence[str]]) -> None:
        self.codes: Mapping[str, frozenset[str]] = {code: frozenset(names) for code, names in codes.items()}

    def __call__(self, code: str, /, **params: Value) -> Consequence:
        """Return the consequence. An unknown code or other parameters than declared are a mistake of ours."""
        if self.codes.get(code) != frozenset(params):
            raise ValueError(f"{code} with {sorted(params)} is not in the catalogue of consequences")
        return Consequence(code, params)
