"""Words on a terminal: times, statuses, control characters, widths."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from stagewright.processes.cli.texts import said

MISSING = "-"
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
SGR = re.compile(r"\x1b\[[\d;:]*m")
UNITS = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))
RESET = "\x1b[0m"
# word → symbol and colour; the word is always there, so that colour only adds
STATUS: Mapping[str, tuple[str, str]] = {
    "queued": ("○", "37"),
    "preparing": ("◔", "36"),
    "running": ("●", "36"),
    "waiting": ("◷", "33"),
    "finishing": ("◕", "36"),
    "cancelling": ("◌", "33"),
    "succeeded": ("✓", "32"),
    "failed": ("✗", "31"),
    "cancelled": ("⊘", "90"),
}


def safe(value: Any) -> str:
    """Return server text without control characters: they are shown as ``\\x1b``, never acted on."""
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), str(value))


def reduced(text: str, *, colours: bool) -> str:
    """Return log text for a terminal: colour sequences stay there, everything else that moves a cursor goes."""
    cleaned = SEQUENCE.sub(lambda found: found[0] if colours and SGR.fullmatch(found[0]) else "", text)
    kept = re.sub(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]", "", cleaned)
    return kept if colours else kept.replace("\x1b", "")


def status(word: str, *, colours: bool, locale: str = "en") -> str:
    """Return a status as symbol and word."""
    symbol, colour = STATUS.get(word, ("•", "0"))
    plain = f"{symbol} {safe(said(word, locale))}"
    return f"\x1b[{colour}m{plain}{RESET}" if colours else plain


def moment(value: str | None) -> datetime | None:
    """Read a time of the API."""
    if not value:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def stamp(value: str | None, zone: tzinfo | None = None) -> str:
    """Return a time as RFC 3339: in UTC, or in the person's zone."""
    found = moment(value)
    return rfc3339(found, zone) if found else MISSING


def rfc3339(at: datetime, zone: tzinfo | None = None) -> str:
    """Return a moment to the second, in UTC or in ``zone``."""
    text = at.astimezone(zone or UTC).isoformat(timespec="seconds")
    return text if zone else text.replace("+00:00", "Z")


def ago(value: str | None, now: datetime, locale: str = "en") -> str:
    """Return a time as a person says it."""
    found = moment(value)
    if found is None:
        return MISSING
    left = now - found
    form = said("{length} ago" if left >= timedelta(0) else "in {length}", locale)
    return form.format(length=brief(abs(left), locale))


def brief(length: timedelta, locale: str = "en") -> str:
    """Return a duration by its largest unit, two units from an hour on."""
    left = max(0, int(length.total_seconds()))
    for index, (unit, size) in enumerate(UNITS):
        if left < size and size > 1:
            continue
        whole, rest = divmod(left, size)
        below = UNITS[index + 1] if index + 1 < len(UNITS) and size >= 3600 else None
        more = f" {rest // below[1]}{said(below[0], locale)}" if below and rest // below[1] else ""
        return f"{whole}{said(unit, locale)}{more}"
    return f"0{said('s', locale)}"


def width(text: str) -> int:
    """Return how many columns a text takes."""
    bare = SGR.sub("", text)
    if bare.isascii():
        return len(bare)
    return sum(_columns(character) for character in bare)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def shorten(text: str, most: int) -> str:
    """Cut a text to ``most`` columns, with a sign that something is missing."""
    if width(text) <= most:
        return text
    kept, used = "", 0
    for character in SGR.sub("", text):
        used += _columns(character)
        if used > most - 1:
            break
        kept += character
    return kept + "…"
