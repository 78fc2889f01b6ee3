"""The shape of a policy, checked against its schema; every mistake says its place and what to change."""

import difflib
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from stagewright.contexts.workflow.errors import PolicyProblem
from stagewright.contexts.workflow.rules.places import Merged, Path
from stagewright.contexts.workflow.rules.schema import policy_schema

_VALIDATOR = Draft202012Validator(policy_schema())
_KINDS = {
    "object": "a map",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


def check_shape(merged: Merged) -> list[PolicyProblem]:
    """Return every place whose key, type or value the schema does not allow."""
    found = [problem for error in _VALIDATOR.iter_errors(merged.data) for problem in _problems(error, merged)]
    return list({(problem.pointer, problem.code): problem for problem in found}.values())


def _problems(error: ValidationError, merged: Merged) -> Iterator[PolicyProblem]:
    path: Path = tuple(error.absolute_path)
    schema: Any = error.schema
    if "propertyNames" in error.absolute_schema_path:
        key = str(error.instance)
        yield merged.problem((*path, key), "key", f"{key!r} is no key here; use lower-case words, such as dev")
        return
    if nearer := _inside(error):
        for inner in nearer:
            yield from _problems(inner, merged)
        return
    match error.validator:
        case "additionalProperties":
            yield from _unknown_keys(error.instance, schema, path, merged)
        case "required":
            yield from _missing_keys(error.instance, schema, path, merged)
        case "uniqueItems":
            yield merged.problem(path, "duplicate", "an item stands twice in this list; keep one")
        case "maxItems" | "maxProperties":
            yield merged.problem(path, "too_many", f"at most {error.validator_value} entries fit; remove some")
        case "minItems" | "minProperties":
            yield merged.problem(path, "empty", "at least one entry is needed")
        case _:
            expected = _expected(schema)
            yield merged.problem(path, "value", f"{_shown(error.instance)} does not fit; expected {expected}")


def _inside(error: ValidationError) -> list[ValidationError]:
    """Return what is wrong with the alternative that was meant: the one that has the value's type."""
    return [inner for inner in error.context or () if inner.relative_path or inner.validator not in ("type", "const")]


def _unknown_keys(row: Any, schema: Any, path: Path, merged: Merged) -> Iterator[PolicyProblem]:
    known = sorted(schema["properties"])
    for key in sorted(set(row) - set(known)):
        if key == "base_url":
            hint = "an address stands with the model credential, never in a policy; remove it"
        else:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "known keys: " + ", ".join(known)
        yield merged.problem((*path, key), "unknown_key", f"unknown key {key!r}; {hint}")


def _missing_keys(row: Any, schema: Any, path: Path, merged: Merged) -> Iterator[PolicyProblem]:
    for key in schema["required"]:
        if key not in row:
            yield merged.problem((*path, key), "required", f"{key!r} is needed here")


def _expected(schema: Any) -> str:
    description = schema.get("description")
    if description:
        return str(description)
    kind = schema.get("type", "")
    return _KINDS.get(kind, str(kind))


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "a map" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…'"
