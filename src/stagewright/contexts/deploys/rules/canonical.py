"""Canonical JSON (RFC 8785), and the hash over it. ``json`` writes it as long as a value holds no floats, no integers
beyond 2^53 and no keys outside the basic plane; then the slower way is taken, and what JSON cannot say is refused."""

import hashlib
import json
import math
from collections.abc import Iterator
from typing import Any

_EXACT = 2**53
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False).encode
_PLAIN = frozenset((str, bool, type(None)))


def canonical(value: Any) -> bytes:
    """Return the canonical JSON of ``value``. Raise ValueError for what JSON cannot say exactly: NaN, infinities,
    integers beyond 2^53, keys that are no text, halves of surrogate pairs."""
    text = _ENCODE(value) if _is_simple(value) else "".join(_written(value))
    return text.encode()


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON as 64 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _is_simple(value: Any) -> bool:
    """Say whether ``json`` writes ``value`` as the RFC asks: numbers are exact, keys sort alike in UTF-16."""
    pending = [value]
    while pending:
        item = pending.pop()
        kind = type(item)
        if kind in _PLAIN:
            continue
        if kind is dict:
            try:
                keys = "".join(item)
            except TypeError:
                return False
            if not keys.isascii() and max(keys) >= "\ud800":
                return False
            pending.extend(item.values())
        elif kind is list or kind is tuple:
            pending.extend(item)
        elif kind is not int or not -_EXACT < item < _EXACT:
            return False
    return True


def _written(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("a key is no text")
        yield "{"
        for place, key in enumerate(sorted(value, key=_utf16)):
            yield ("," if place else "") + _ENCODE(key) + ":"
            yield from _written(value[key])
        yield "}"
    elif isinstance(value, list | tuple):
        yield "["
        for place, item in enumerate(value):
            if place:
                yield ","
            yield from _written(item)
        yield "]"
    elif isinstance(value, float):
        yield _number(value)
    elif isinstance(value, int) and not isinstance(value, bool) and not -_EXACT < value < _EXACT:
        raise ValueError(f"the number {value} is too large to be exact in JSON; write it as a text")
    elif value is None or isinstance(value, str | bool | int):
        yield _ENCODE(value)
    else:
        raise ValueError(f"{type(value).__name__} is no JSON value")


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be")


def _number(value: float) -> str:
    """Return ``value`` as ECMAScript writes it: the fewest digits, exponents from 1e21 and below 1e-6."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is no JSON number")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    return sign + _placed(digits, point)


def _placed(digits: str, point: int) -> str:
    """Return ``0.<digits> * 10^point`` in the form of ECMA-262, Number::toString."""
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    mantissa = digits if count == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{point - 1:+d}"
