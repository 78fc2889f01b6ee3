"""Scalars without quotes: YAML 1.2 core with decimal numbers only. What YAML 1.1 reads otherwise gets a warning."""

import math
import re
from typing import NamedTuple

from stagewright.contexts.deploys.model.diagnostics import quoted
from stagewright.contexts.deploys.model.tree import Plain

SUSPECT = frozenset("-+.0123456789tTfFnN~yYoO")
"""First letters of what may be no text; everything else needs no second look."""

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
_AMBIGUOUS = frozenset(
    form for word in ("yes", "no", "on", "off", "y", "n") for form in (word, word.title(), word.upper())
)
_WHOLE = re.compile(r"[-+]?[0-9]+")
_BROKEN = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_OTHER_BASE = re.compile(r"[-+]?0(?:o[0-7]+|x[0-9a-fA-F]+|b[01]+)")
_LONGEST = 19
_LARGEST = 1 << 63


class Read(NamedTuple):
    """What a plain scalar means. ``doubt``: what another reader would make of it; ``fault``: why it cannot be read."""

    value: Plain
    doubt: str = ""
    fault: str = ""


def resolve(text: str) -> Read:
    """Return the meaning of ``text``, written without quotes."""
    if text in _WORDS:
        return Read(_WORDS[text])
    if text in _AMBIGUOUS:
        return Read(text, f"{quoted(text)} is text here and true or false elsewhere; quote it, or write true or false")
    if _WHOLE.fullmatch(text):
        return _whole(text)
    if _OTHER_BASE.fullmatch(text):
        return Read(text, f"{quoted(text)} is text here and a number elsewhere; quote it, or write the decimal number")
    if _BROKEN.fullmatch(text):
        value = float(text)
        return Read(value) if math.isfinite(value) else _too_large(text)
    return Read(text)


def _whole(text: str) -> Read:
    digits = text.lstrip("+-")
    if len(digits.lstrip("0")) > _LONGEST or not -_LARGEST <= (value := int(text)) < _LARGEST:
        return _too_large(text)
    if len(digits) > 1 and digits[0] == "0":
        return Read(
            value, f"{text} is the decimal number {value} here and octal elsewhere; quote it, or write the number meant"
        )
    return Read(value)


def _too_large(text: str) -> Read:
    return Read(text, fault=f"the number {quoted(text)} is too large; quote it if it is a text")
