"""The published JSON Schema (draft-07), made from the types (``stack.md`` section 15).

It describes files, not merged stacks. A stack without imports stands alone, so it must have every required field. Any
other file may change a part of what another one declares: there only the keys of items are required, and ``$delete``
may stand for a value.
"""

import re
from collections.abc import Iterable
from typing import Any

from stagewright.contexts.deploys.model.document.fields import Block
from stagewright.contexts.deploys.model.document.stack import FRAGMENT, STACK, Stack
from stagewright.contexts.deploys.rules.shape.forms import KEYS

Schema = dict[str, Any]
DRAFT = "http://json-schema.org/draft-07/schema#"
IDS = {
    False: "https://stagewright.dev/schema/v1alpha1/service-stack.json",
    True: "https://stagewright.dev/schema/v1alpha1/service-stack-fragment.json",
}
EXTENSIONS = "^x-[a-z0-9-]+$"
_REF = "#/definitions/"
_PART = "Part"
_MARK = {"const": True}
_REMOVED = "Removed"
_REMOVAL: Schema = {
    "title": "Removed",
    "description": "Takes away the value of an imported file.",
    "type": "object",
    "properties": {"$delete": _MARK},
    "required": ["$delete"],
    "additionalProperties": False,
}
_REPLACE: Schema = {
    "title": "Replaced",
    "description": "As the first item: this list replaces that of imported files.",
    "type": "object",
    "properties": {"$replace": _MARK},
    "required": ["$replace"],
    "additionalProperties": False,
}
_REPLACES = {"description": "This map replaces that of imported files.", "const": True}


def stack_schema(*, fragment: bool = False) -> Schema:
    """Return the schema of stacks and fragments, or of fragments alone."""
    raw = Stack.model_json_schema(ref_template=_REF + "{model}")
    definitions = {name: _clean(item) for name, item in {**raw.pop("$defs"), "Stack": raw}.items()}
    parts = {name + _PART: _part(item) for name, item in definitions.items()}
    for item in definitions.values():
        _mark(item)
    _need(definitions["Stack"], ("metadata", "name"), ("spec", "environments"))
    definitions["Spec"]["properties"]["environments"]["minProperties"] = 1
    kinds = {**definitions, **parts, _REMOVED: _REMOVAL}
    head = {"$schema": DRAFT, "$id": IDS[fragment], "title": "Stagewright stack", "description": _sentence(Stack)}
    if fragment:
        body: Schema = {"allOf": [_ref("Stack" + _PART)], "properties": {"kind": {"const": FRAGMENT}}}
    else:
        alone = {"kind": {"const": STACK}, "spec": {"not": {"required": ["imports"]}}}
        body = {"if": {"properties": alone}, "then": _ref("Stack"), "else": _ref("Stack" + _PART)}
    return {**head, "type": "object", **body, "definitions": _used(body, kinds)}


def _ref(name: str) -> Schema:
    return {"$ref": _REF + name}


def _sentence(block: type[Block]) -> str:
    return " ".join((block.__doc__ or "").split())


def title_of(name: str) -> str:
    """Return the name of a field as a title: ``defaultTTL`` is "Default TTL"."""
    words = [word if word.isupper() else word.lower() for word in re.findall(r"[A-Z]{2,}|[A-Z]?[a-z0-9]+", name)]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def _clean(block: Schema) -> Schema:
    """Return a definition in draft-07 and in our manner: own keys with ``x-``, no null, a title for each field."""
    made = {**block, "description": _flat(block.get("description", "")), "properties": {}}
    for name, field in block["properties"].items():
        made["properties"][name] = _field(field, title_of(name))
    made["patternProperties"] = {EXTENSIONS: {}}
    return made


def _flat(text: str) -> str:
    return " ".join(text.split())


def _field(field: Schema, title: str) -> Schema:
    made: Schema = {"title": title, "description": _flat(field.get("description", ""))}
    default = field.get("default")
    rest = {key: item for key, item in field.items() if key not in ("title", "description", "default")}
    if default is not None and "$ref" not in rest:
        made["default"] = default
    value = _value(rest)
    return {**made, "allOf": [value]} if "$ref" in value else {**made, **value}


def _value(value: Schema) -> Schema:
    """Return the schema of a value: alternatives in one row, none of them null, no ``$ref`` beside other words."""
    rest = {key: item for key, item in value.items() if key not in ("$ref", "anyOf", "title")}
    if "$ref" in value:
        return {"allOf": [{"$ref": value["$ref"]}], **rest} if rest else {"$ref": value["$ref"]}
    if isinstance(value.get("items"), dict):
        rest["items"] = _value(value["items"])
    if isinstance(value.get("additionalProperties"), dict):
        rest["additionalProperties"] = _value(value["additionalProperties"])
    if "patternProperties" in value:
        rest["patternProperties"] = {key: _value(item) for key, item in value["patternProperties"].items()}
        rest["additionalProperties"] = False
    if "oneOf" in value:
        rest["oneOf"] = [_value(item) for item in value["oneOf"]]
    choices = [_value(item) for item in _choices(value.get("anyOf", ()))]
    if len(choices) == 1:
        only = choices[0]
        return {**rest, "allOf": [only]} if "$ref" in only and rest else {**rest, **only}
    return {**rest, "anyOf": choices} if choices else rest


def _choices(alternatives: Iterable[Schema]) -> Iterable[Schema]:
    for item in alternatives:
        if set(item) == {"anyOf"}:
            yield from _choices(item["anyOf"])
        elif item != {"type": "null"}:
            yield item


def _need(stack: Schema, *paths: tuple[str, str]) -> None:
    for field, name in paths:
        stack["properties"][field]["required"] = [name]
        stack["required"].append(field)


def _mark(block: Schema) -> None:
    """Let ``$replace`` stand in a map with fixed fields, and in the maps and keyed lists of its fields."""
    for name, field in block["properties"].items():
        _mark_values(field, KEYS.get(name))
    block["properties"]["$replace"] = _REPLACES


def _mark_values(value: Schema, key: tuple[str, ...] | None) -> None:
    if value.get("type") == "object":
        value["properties"] = {"$replace": _REPLACES}
        for item in (*value.get("patternProperties", {}).values(), value.get("additionalProperties")):
            if isinstance(item, dict):
                _mark_values(item, None)
    elif value.get("type") == "array" and key is not None:
        value["items"] = {"anyOf": [value["items"], _REPLACE]}


def _part(block: Schema) -> Schema:
    """Return the definition for a file that others are merged with."""
    dropped = ("required", "if", "then", "else", "oneOf")
    made = {key: item for key, item in block.items() if key not in dropped}
    made["properties"] = {name: _part_value(field, KEYS.get(name)) for name, field in block["properties"].items()}
    made["properties"]["$replace"] = _REPLACES
    kept = [name for name in block.get("required", ()) if name in _ALWAYS]
    return {**made, "required": kept} if kept else made


_ALWAYS = ("apiVersion", "kind")


def _part_value(value: Schema, key: tuple[str, ...] | None) -> Schema:
    about = {name: item for name, item in value.items() if name in ("title", "description", "default", "examples")}
    rest = {name: item for name, item in value.items() if name not in about and name != "minProperties"}
    rest = _parts_below(rest, key)
    choices = rest["anyOf"] if set(rest) == {"anyOf"} else [rest]
    return {**about, "anyOf": [*choices, _ref(_REMOVED)]}


def _parts_below(value: Schema, key: tuple[str, ...] | None) -> Schema:
    if "$ref" in value:
        return _ref(value["$ref"].removeprefix(_REF) + _PART)
    made = dict(value)
    for word in ("allOf", "anyOf", "oneOf"):
        if word in value:
            made[word] = [_parts_below(item, None) for item in value[word]]
    if value.get("type") == "object":
        made["properties"] = {"$replace": _REPLACES}
        if "patternProperties" in value:
            items = value["patternProperties"].items()
            made["patternProperties"] = {name: _part_value(item, None) for name, item in items}
        if isinstance(value.get("additionalProperties"), dict):
            made["additionalProperties"] = _part_value(value["additionalProperties"], None)
    elif value.get("type") == "array" and key is not None:
        made["items"] = {"anyOf": [_keyed(value["items"], key), _removed_item(key), _REPLACE]}
    return made


def _keyed(item: Schema, key: tuple[str, ...]) -> Schema:
    """Return the schema of a partial item: of several key fields, the repository may be the file's own."""
    return {"allOf": [_parts_below(item, None)], "required": [name for name in key if name != "repository"]}


def _removed_item(key: tuple[str, ...]) -> Schema:
    names: Schema = {name: {"type": "string"} for name in key}
    need = [name for name in key if name != "repository"]
    return {**_REMOVAL, "properties": {**names, "$delete": _MARK}, "required": [*need, "$delete"]}


def _used(body: Schema, definitions: dict[str, Schema]) -> dict[str, Schema]:
    """Return the definitions that are reached from ``body``."""
    found: set[str] = set()
    waiting: list[Any] = [body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            name = str(node.get("$ref", "")).removeprefix(_REF)
            if name and name not in found:
                found.add(name)
                waiting.append(definitions[name])
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return {name: definitions[name] for name in sorted(found)}
