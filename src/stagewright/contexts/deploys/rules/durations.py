"""Durations as stacks write them: ``2d``, ``1h30m``, ``45s``."""

import re
from datetime import timedelta

_FORM = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?", re.ASCII)
_LONGEST = 10**9
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def parse_duration(text: str) -> timedelta | None:
    """Return the duration, or None for what is none: empty, zero, or in another form."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    seconds = sum(int(part) * unit for part, (unit, _) in zip(match.groups("0"), _UNITS, strict=True))
    return timedelta(seconds=seconds) if 0 < seconds <= _LONGEST else None


def canonical_duration(duration: timedelta) -> str:
    """Return the one way in which plans write ``duration`` (whole seconds): the largest units first, none of them 0."""
    left, text = int(duration.total_seconds()), ""
    for unit, letter in _UNITS:
        count, left = divmod(left, unit)
        text += f"{count}{letter}" if count else ""
    return text
