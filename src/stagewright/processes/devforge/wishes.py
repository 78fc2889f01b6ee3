"""Reading control requests and seeds: typed fields, unknown ones refused, every complaint names the field."""

from collections.abc import Mapping
from typing import Any

from stagewright.kit.errors import Invalid


class Wish:
    """One JSON object, read field by field; ``done`` refuses what nobody asked for."""

    def __init__(self, told: Any, where: str) -> None:
        if not isinstance(told, Mapping):
            raise Invalid(f"{where}: must be a JSON object, not {told!r}")
        self._told = told
        self._where = where
        self._read: set[str] = set()

    def text(self, name: str) -> str:
        """Return a text that must be there."""
        value = self.maybe_text(name)
        if value is None:
            raise Invalid(f"{self._where}.{name}: is missing")
        return value

    def maybe_text(self, name: str) -> str | None:
        """Return a text, or None when it is absent."""
        value: str | None = self._typed(name, str, "a text")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a boolean."""
        value = self._typed(name, bool, "true or false")
        return default if value is None else value

    def whole(self, name: str) -> int | None:
        """Return a whole number, or None when it is absent."""
        if isinstance(self._told.get(name), bool):
            raise Invalid(f"{self._where}.{name}: must be a whole number")
        value: int | None = self._typed(name, int, "a whole number")
        return value

    def texts(self, name: str) -> list[str] | None:
        """Return a list of texts, or None when it is absent."""
        value: list[str] | None = self._typed(name, list, "a list of texts")
        if value is not None and not all(isinstance(item, str) for item in value):
            raise Invalid(f"{self._where}.{name}: must be a list of texts")
        return value

    def mapping(self, name: str) -> dict[str, str] | None:
        """Return texts by name, or None when it is absent."""
        value: dict[str, str] | None = self._typed(name, dict, "an object of texts")
        if value is not None and not all(isinstance(item, str) for item in value.values()):
            raise Invalid(f"{self._where}.{name}: must be an object of texts")
        return value

    def each(self, name: str) -> list["Wish"]:
        """Return the objects of a list; none when it is absent."""
        value = self._typed(name, list, "a list of objects") or []
        return [Wish(item, f"{self._where}.{name}[{index}]") for index, item in enumerate(value)]

    def done(self) -> None:
        """Refuse fields that were not read."""
        if unknown := sorted(self._told.keys() - self._read):
            known = ", ".join(sorted(self._read))
            raise Invalid(f"{self._where}.{unknown[0]}: is no field here; known are {known}")

    def _typed(self, name: str, kind: type[Any], wanted: str) -> Any:
        self._read.add(name)
        value = self._told.get(name)
        if value is not None and not isinstance(value, kind):
            raise Invalid(f"{self._where}.{name}: must be {wanted}, not {value!r}")
        return value
