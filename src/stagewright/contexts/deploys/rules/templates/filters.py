"""The filters and functions of expressions (``stack.md`` section 4.4). Every one bounds its result."""

import hashlib
import json as jsons
import re
from collections.abc import Callable
from typing import NamedTuple

from jinja2 import StrictUndefined

from stagewright.contexts.deploys.model.diagnostics import quoted
from stagewright.contexts.deploys.rules.templates.problems import Refused
from stagewright.contexts.deploys.rules.templates.values import MOST_BYTES, OMIT, fits, limited, named, text

_NO_LABEL = re.compile(r"[^a-z0-9]+")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_HASHED = 7
"""A hyphen and six characters of a hash, after a label that was cut."""


def _taken(value: object) -> str:
    """Return a text to work on: filters of text take numbers and truth values as their text, too."""
    return fits(text(value))


def default(value: object, other: object, empty: object = False) -> object:
    """Return ``other`` where ``value`` is undefined, with ``empty`` also where it is empty."""
    if isinstance(value, StrictUndefined) or (empty is True and value in ("", None)):
        return other
    return value


def coalesce(*values: object) -> object:
    """Return the first value that is defined and not empty."""
    for value in values:
        if not isinstance(value, StrictUndefined) and value != "" and value is not None:
            return value
    raise Refused("template_undefined", "coalesce found no value: every one is undefined or empty")


def lower(value: object) -> str:
    """Return the text in lower case."""
    return fits(_taken(value).lower())


def upper(value: object) -> str:
    """Return the text in upper case."""
    return fits(_taken(value).upper())


def trim(value: object) -> str:
    """Return the text without white space at its ends."""
    return _taken(value).strip()


def replace(value: object, old: object, new: object) -> str:
    """Return the text with ``new`` for every ``old``."""
    whole, before, after = _taken(value), _taken(old), _taken(new)
    if not before:
        raise Refused("template_type", "replace was asked to replace an empty text: name what to replace")
    if len(whole) + whole.count(before) * (len(after) - len(before)) > MOST_BYTES:
        raise Refused("template_limit", "the result is longer than 64 KiB")
    return fits(whole.replace(before, after))


def join(value: object, separator: object = "") -> str:
    """Return the items of a list as one text."""
    if not isinstance(value, list):
        raise Refused("template_type", f"join puts the items of a list together, and this is {named(value)}")
    return _joined([text(item) for item in value], text(separator))


def _joined(parts: list[str], separator: str = "") -> str:
    if sum(map(len, parts)) + len(separator) * len(parts) > MOST_BYTES + len(separator):
        raise Refused("template_limit", "the result is longer than 64 KiB")
    return fits(separator.join(parts))


def concat(value: list[object]) -> str:
    """Return the operands of ``~`` as one text."""
    return _joined([text(item) for item in value])


def removeprefix(value: object, prefix: object) -> str:
    """Return the text without ``prefix``, where it starts with it."""
    return _taken(value).removeprefix(_taken(prefix))


def removesuffix(value: object, suffix: object) -> str:
    """Return the text without ``suffix``, where it ends with it."""
    return _taken(value).removesuffix(_taken(suffix))


def slug(value: object) -> str:
    """Return the text in lower case, with a hyphen for every run of other characters than letters and digits."""
    return _NO_LABEL.sub("-", _taken(value).lower()).strip("-")


def dns_label(value: object, n: object = 63) -> str:
    """Return the slug; one that is longer than ``n`` is cut and gets a hyphen and six characters of a hash."""
    most = _count(n, "dns_label", 8, 63)
    label = slug(value)
    if not label:
        raise Refused("template_type", f"dns_label finds no letter and no digit in {quoted(text(value))}")
    if len(label) <= most:
        return label
    return f"{label[: most - _HASHED].rstrip('-')}-{short_hash(value, 6)}"


def short_hash(value: object, n: object = 8) -> str:
    """Return the first ``n`` hexadecimal digits of the text's SHA-256."""
    digits = _count(n, "short_hash", 4, 40)
    return hashlib.sha256(_taken(value).encode("utf-8", "surrogatepass")).hexdigest()[:digits]


def _count(value: object, name: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Refused("template_type", f"n of {name} is a whole number from {least} to {most}")
    return value


def to_int(value: object) -> int:
    """Return a whole number, or the one that a text writes."""
    if isinstance(value, int) and not isinstance(value, bool):
        return limited(value)
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    raise _unfit(value, "a whole number")


def to_bool(value: object) -> bool:
    """Return a truth value, or the one that ``true`` or ``false`` writes."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise _unfit(value, "true or false")


def to_json(value: object) -> str:
    """Return compact JSON."""
    return fits(jsons.dumps(_jsonable(value), separators=(",", ":"), ensure_ascii=False))


def _jsonable(value: object) -> object:
    if isinstance(value, list):
        return [_jsonable(item) for item in value]
    if value is None or isinstance(value, (bool, float)):
        return value
    return limited(value) if isinstance(value, int) else text(value)


def _unfit(value: object, wanted: str) -> Refused:
    if isinstance(value, StrictUndefined) or value is OMIT:
        text(value)  # raises its own message
    shown = quoted(value) if isinstance(value, (str, int, float)) else named(value)
    return Refused("template_type", f"{shown} is not {wanted}")


class Signature(NamedTuple):
    """How a filter is called: the least and the most values in its brackets, and the names that they may have."""

    call: Callable[..., object]
    least: int = 0
    most: int = 0
    names: frozenset[str] = frozenset()


FILTERS = {
    "default": Signature(default, 1, 2),
    "lower": Signature(lower),
    "upper": Signature(upper),
    "trim": Signature(trim),
    "replace": Signature(replace, 2, 2),
    "join": Signature(join, 0, 1),
    "removeprefix": Signature(removeprefix, 1, 1),
    "removesuffix": Signature(removesuffix, 1, 1),
    "slug": Signature(slug),
    "dns_label": Signature(dns_label, 0, 1, frozenset({"n"})),
    "short_hash": Signature(short_hash, 0, 1, frozenset({"n"})),
    "int": Signature(to_int),
    "string": Signature(_taken),
    "bool": Signature(to_bool),
    "json": Signature(to_json),
}
"""What an expression may name after ``|``."""
