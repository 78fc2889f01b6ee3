"""Make a valid ``completed`` report from any report schema, and lay a scenario's own fields over it."""

from collections.abc import Mapping
from typing import Any

DEEPEST = 32


def make_report(schema: Mapping[str, Any], stage: str) -> dict[str, Any]:
    """Return the smallest report that satisfies ``schema``: every required property, null where that is allowed."""
    made = _Maker(schema, stage).value(schema, "report", 0)
    report = made if isinstance(made, dict) else {}
    known = schema.get("properties", {})
    if "status" in known or not known:
        report["status"] = "completed"
    if "title" in known or not known:
        report["title"] = f"Rehearsal of {stage or 'a stage'}"
    return report


def merge(report: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``report`` with the fields of ``over``: mappings are merged, everything else is replaced."""
    merged = dict(report)
    for name, value in over.items():
        below = merged.get(name)
        merged[name] = merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


class _Maker:
    """Walks a JSON Schema. ``$ref`` is followed inside the document only."""

    def __init__(self, root: Mapping[str, Any], stage: str) -> None:
        self._root = root
        self._stage = stage

    def value(self, schema: Mapping[str, Any], name: str, depth: int) -> Any:
        """Return a value for ``schema``, which describes the property ``name``."""
        schema = self._resolved(schema)
        if depth > DEEPEST:
            return None
        for fixed in ("const", "default"):
            if fixed in schema:
                return schema[fixed]
        if schema.get("examples"):
            return schema["examples"][0]
        if "enum" in schema:
            return self._choice(schema["enum"])
        if options := schema.get("anyOf") or schema.get("oneOf"):
            return self._alternative(options, name, depth)
        return self._typed(schema, name, depth)

    def _alternative(self, options: list[Mapping[str, Any]], name: str, depth: int) -> Any:
        resolved = [self._resolved(option) for option in options]
        if any(_allows_null(option) for option in resolved):
            return None
        return self.value(resolved[0], name, depth + 1)

    def _typed(self, schema: Mapping[str, Any], name: str, depth: int) -> Any:
        kinds = schema.get("type", "object" if "properties" in schema else "null")
        kinds = [kinds] if isinstance(kinds, str) else list(kinds)
        if "null" in kinds:
            return None
        match kinds[0]:
            case "object":
                known = schema.get("properties", {})
                return {key: self.value(known.get(key, {}), key, depth + 1) for key in schema.get("required", [])}
            case "array":
                item = schema.get("items", {})
                return [self.value(item, name, depth + 1) for _ in range(int(schema.get("minItems", 0)))]
            case "string":
                return self._text(schema, name)
            case "boolean":
                return False
            case _:
                return max(0, schema.get("minimum", 0))

    def _text(self, schema: Mapping[str, Any], name: str) -> str:
        about = schema.get("description") or name.replace("_", " ")
        text = f"Rehearsal of {self._stage or 'a stage'}: {about}"
        text = text.ljust(int(schema.get("minLength", 0)), ".")
        return text[: int(schema.get("maxLength", len(text)))]

    @staticmethod
    def _choice(values: list[Any]) -> Any:
        if None in values:
            return None
        return "completed" if "completed" in values else values[0]

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        for _ in range(DEEPEST):
            pointer = schema.get("$ref")
            if not isinstance(pointer, str) or not pointer.startswith("#/"):
                break
            target: Any = self._root
            for part in pointer[2:].split("/"):
                target = target.get(part.replace("~1", "/").replace("~0", "~"), {}) if isinstance(target, dict) else {}
            schema = target
        return schema


def _allows_null(schema: Mapping[str, Any]) -> bool:
    kinds = schema.get("type", ())
    return kinds == "null" or (isinstance(kinds, list) and "null" in kinds)
