"""Kubernetes quantities: ``500m``, ``8Gi``, ``2``."""

import re
from decimal import Decimal

_FORM = re.compile(
    r"([+-]?(?:\d{1,18}(?:\.\d{0,9})?|\.\d{1,9}))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?", re.ASCII
)
_SUFFIXES = {
    **{letter: Decimal(10) ** power for letter, power in zip("num", (-9, -6, -3), strict=True)},
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", 1)},
    **{letter + "i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
}


def parse_quantity(value: str | int) -> Decimal | None:
    """Return the quantity as an exact number, or None for what is none."""
    if isinstance(value, int):
        return None if isinstance(value, bool) else Decimal(value)
    match = _FORM.fullmatch(value)
    if match is None:
        return None
    number, suffix, exponent = match.groups()
    return Decimal(number) * _SUFFIXES.get(suffix or "", Decimal(1)) * Decimal(10) ** int(exponent or 0)
