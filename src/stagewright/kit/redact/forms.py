"""The forms in which a known secret may leave: as it is, base64 at any alignment, hex, URL-encoded, JSON-escaped."""

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 6  # a shorter value stands in ordinary text all the time
LINE = 20  # a line of a longer value that is secret by itself, as in a key block
URLSAFE = bytes.maketrans(b"+/", b"-_")


def forms_of(value: bytes) -> dict[bytes, str]:
    """Return every form of ``value`` that is looked for, with the name of its encoding. Too short ones are left out."""
    found: dict[bytes, str] = {}
    for part in _parts(value):
        for form, encoding in _forms(part):
            if len(form) >= SHORTEST:
                found.setdefault(form, encoding)
    return found


def _parts(value: bytes) -> list[bytes]:
    stripped = value.strip()
    lines = [line.strip() for line in stripped.splitlines()]
    return [value, stripped, *(line for line in lines if len(line) >= LINE and not line.startswith(b"-----"))]


def _forms(value: bytes) -> Iterator[tuple[bytes, str]]:
    if len(value) < SHORTEST:
        return
    yield value, "value"
    for offset in range(3):
        encoded = _aligned(value, offset)
        yield encoded, "base64"
        yield encoded.translate(URLSAFE), "base64"
    yield value.hex().encode(), "hex"
    yield value.hex().upper().encode(), "hex"
    for text in (quote(value, safe=""), quote(value, safe="!'()*"), quote_plus(value), quote(value, safe="/:")):
        yield text.encode(), "url"
        yield _lower_escapes(text).encode(), "url"
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return
    for ascii_only in (True, False):
        yield json.dumps(text, ensure_ascii=ascii_only)[1:-1].encode(), "json"


def _aligned(value: bytes, offset: int) -> bytes:
    """Return the base64 characters that depend on ``value`` alone when ``offset`` bytes (mod 3) stand before it."""
    encoded = base64.b64encode(bytes(offset) + value + bytes(-(offset + len(value)) % 3))
    return encoded[-(-8 * offset // 6) : 8 * (offset + len(value)) // 6]


def _lower_escapes(text: str) -> str:
    head, *rest = text.split("%")
    return "%".join([head, *(part[:2].lower() + part[2:] for part in rest)])
