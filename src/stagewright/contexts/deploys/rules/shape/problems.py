"""Problems of pydantic in our words: a code, a sentence that says what to change, and the exact place."""

import difflib
from collections.abc import Iterable
from typing import Any, NamedTuple

from pydantic_core import ErrorDetails

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.document import fields
from stagewright.contexts.deploys.model.places import At, Path, Step
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar, Sequence
from stagewright.contexts.deploys.rules.keyed import step_of
from stagewright.contexts.deploys.rules.shape.forms import STACK, Form

_KEY = "[key]"


class Spot(NamedTuple):
    """Where a problem is. ``at``: the value's place; ``key``: the place of its key where it stands in a map; ``form``
    and ``map``: of what holds it; ``value``: None where it is missing."""

    path: Path
    at: At
    key: At
    holder: Mapping | Sequence | None
    form: Form | None
    value: Node | None

    @property
    def name(self) -> str:
        """How a sentence names the value."""
        return name_of(self.path)


def name_of(path: Path) -> str:
    """Return how a sentence names the value at ``path``."""
    if not path:
        return "the document"
    if isinstance(path[-1], int):
        return f"item {path[-1] + 1} of {name_of(path[:-1])}"
    return path[-1]


class Pattern(NamedTuple):
    """What a text with a pattern is called, and how it is written."""

    code: str
    sentence: str


_LABEL = "lower-case letters, digits and '-', at most 40 characters, a letter or digit at both ends"
PATTERNS = {
    fields.DNS_LABEL: Pattern("bad_name", _LABEL),
    fields.PROJECT_KEY: Pattern("bad_name", "a lower-case letter, then lower-case letters, digits and '-', 2 to 30"),
    fields.WORD: Pattern("bad_name", "a letter, then letters, digits and '_', at most 64 characters"),
    fields.CONFIG_KEY: Pattern("bad_name", "a capital letter, then capital letters, digits and '_', at most 128"),
    fields.ENV_NAME: Pattern("bad_name", "a letter or '_', then letters, digits, '_', '.' and '-'"),
    fields.SECRET_KEY: Pattern("secret_key_name", "letters, digits, '.', '_' and '-', at most 253 characters"),
    fields.LABEL_KEY: Pattern("bad_name", "letters, digits, '.', '_' and '-', at most 63 characters, with an optional "
                              "prefix such as example.org/"),
    fields.LABEL_VALUE: Pattern("bad_value", "letters, digits, '.', '_' and '-', at most 63 characters, a letter or "
                                "digit at both ends"),
    fields.DURATION: Pattern("bad_duration", "days, hours, minutes and seconds in this order, for example 1h30m, "
                             "and more than 0"),
}  # fmt: skip
_OTHER = Pattern("bad_value", "it in the form of the reference")
_TYPES = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
}
_RANGES = {
    "greater_than_equal": ("ge", "at least {}"),
    "less_than_equal": ("le", "at most {}"),
    "string_too_long": ("max_length", "at most {} characters long"),
    "string_too_short": ("min_length", "at least {} character long"),
    "too_short": ("min_length", "given at least {} item"),
}


def report(errors: Iterable[ErrorDetails], tree: Mapping, found: Findings) -> None:
    """Add every problem that pydantic found in ``tree``."""
    for error in errors:
        spot = locate(tree, error["loc"])
        kind = error["type"]
        if kind == "extra_forbidden":
            _unknown(spot, found)
        elif kind == "missing":
            missing(spot.holder, spot.path, found, spot.at)
        elif kind == "literal_error":
            _enum(spot, _words(error["ctx"]["expected"]), found)
        elif kind == "bad_quantity":
            _quantity(spot, found)
        elif kind == "string_pattern_mismatch":
            _pattern(spot, PATTERNS.get(error["ctx"]["pattern"], _OTHER), found, key=error["loc"][-1] == _KEY)
        elif kind in _RANGES:
            _range(spot, kind, error["ctx"], found)
        else:
            _type(spot, _TYPES.get(kind, "a value of another type"), found)


def locate(tree: Mapping, loc: Iterable[Step]) -> Spot:
    """Follow pydantic's steps. Steps that name an alternative or a key itself do not stand in the document."""
    node: Node | None = tree
    holder: Mapping | Sequence | None = None
    form: Form | None = STACK
    above: Form | None = None
    path: list[Step] = []
    at = key = tree.at
    for step in loc:
        if isinstance(node, Sequence) and isinstance(step, int):
            holder, above = node, form
            path.append(step_of(node.items[step], step, form.key if form is not None else ()))
            node = node.items[step]
            at = key = node.at
        elif isinstance(node, Mapping) and step in node.items:
            holder, above = node, form
            path.append(step)
            key = node.keys[str(step)]
            node = node.items[str(step)]
            at = node.at
        elif isinstance(node, Mapping) and isinstance(step, str) and step != _KEY and not step.startswith("("):
            return Spot((*path, step), node.at, node.at, node, form, None)
        else:
            continue
        form = form.below(step) if form is not None else None
    return Spot(tuple(path), at, key, holder, above, node)


def missing(holder: Node | None, path: Path, found: Findings, at: At, remedy: str = "") -> None:
    """Say that a field is missing. The place is that of the map which lacks it."""
    what = f" in {name_of(path[:-1])!s}" if len(path) > 1 else ""
    found.add("missing_field", f"the field {quoted(path[-1])} is missing{what}; {remedy or 'add it'}", at, path)


def _unknown(spot: Spot, found: Findings) -> None:
    known = sorted(spot.form.fields) if spot.form is not None else []
    name = str(spot.path[-1])
    near = nearest(name, known)
    hint = f"did you mean {quoted(near)}?" if near else f"the fields here are {', '.join(known)}"
    if name.startswith("x-"):
        hint = "a key of your own is written x- and lower-case letters, digits and '-'"
    where = f" in {name_of(spot.path[:-1])}" if len(spot.path) > 1 else ""
    message = f"the field {quoted(name)} is not known{where}; rename or remove it"
    found.add("unknown_field", message, spot.key, spot.path, hint=hint)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the name that was probably meant."""
    by_lower = {item.lower().replace("_", "").replace("-", ""): item for item in known}
    close = difflib.get_close_matches(name.lower().replace("_", "").replace("-", ""), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None


def _enum(spot: Spot, allowed: list[str], found: Findings) -> None:
    if len(spot.path) == 1 and spot.path[0] in ("apiVersion", "kind"):
        code = "api_version" if spot.path[0] == "apiVersion" else "kind"
        message = f"{spot.name} must be {_either(allowed)}, not {shown(spot.value)}"
        found.add(code, message, spot.at, spot.path)
        return
    value = spot.value.value if isinstance(spot.value, Scalar) else None
    near = nearest(value, allowed) if isinstance(value, str) else None
    hint = f"did you mean {quoted(near)}?" if near else None
    message = f"{spot.name} must be {_either(allowed)}, not {shown(spot.value)}"
    found.add("bad_enum", message, spot.at, spot.path, hint=hint)


def _pattern(spot: Spot, pattern: Pattern, found: Findings, *, key: bool) -> None:
    at = spot.key if key else spot.at
    value = spot.value.value if isinstance(spot.value, Scalar) else None
    what = f"the name {quoted(spot.path[-1])} is not valid" if key else f"{spot.name} cannot be {quoted(value)}"
    hint = None
    if not key and isinstance(spot.value, Scalar) and fields.OPEN in str(spot.value.value):
        hint = "templates are not read here"
    found.add(pattern.code, f"{what}; write {pattern.sentence}", at, spot.path, hint=hint)


def _quantity(spot: Spot, found: Findings) -> None:
    message = f"{spot.name} must be a quantity such as 500m, 2 or 8Gi, not {shown(spot.value)}"
    hint = 'write a fraction in quotes ("0.5") or in thousandths (500m)' if _is_float(spot.value) else None
    found.add("bad_quantity", message, spot.at, spot.path, hint=hint)


def _is_float(node: Node | None) -> bool:
    return isinstance(node, Scalar) and isinstance(node.value, float)


def _range(spot: Spot, kind: str, context: dict[str, Any], found: Findings) -> None:
    word, sentence = _RANGES[kind]
    limit = sentence.format(context[word]) + ("s" if word == "min_length" and context[word] != 1 else "")
    found.add("bad_value", f"{spot.name} must be {limit}, not {shown(spot.value)}", spot.at, spot.path)


def _type(spot: Spot, expected: str, found: Findings) -> None:
    if spot.path and spot.path[-1] == "when":
        message = f"when must be true, false or a template that gives one of them, not {shown(spot.value)}"
        found.add("when_not_bool", message, spot.at, spot.path)
        return
    hint = None
    if isinstance(spot.value, Scalar) and expected == "a text":
        hint = f'put it in quotes: "{text_of(spot.value)}"'
    message = f"{spot.name} must be {expected}, not {shown(spot.value)}"
    found.add("wrong_type", message, spot.at, spot.path, hint=hint)


def text_of(node: Scalar) -> str:
    """Return a scalar as YAML writes it."""
    if isinstance(node.value, bool):
        return "true" if node.value else "false"
    return str(node.value)


def shown(node: Node | None) -> str:
    """Return a value as a sentence shows it."""
    if isinstance(node, Mapping):
        return "a map"
    if isinstance(node, Sequence):
        return "a list" if node.items else "an empty list"
    if node is None:
        return "nothing"
    if isinstance(node.value, str):
        return f"the text {quoted(node.value)}"
    if node.value is None:
        return "null"
    kind = "" if isinstance(node.value, bool) else "the number "
    return f"{kind}{text_of(node)}"


def _words(expected: str) -> list[str]:
    """Return the words of pydantic's list ``'a', 'b' or 'c'``."""
    return expected.split("'")[1::2]


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
