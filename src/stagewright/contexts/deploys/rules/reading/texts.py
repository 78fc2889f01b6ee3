"""Bytes to text: UTF-8 without a mark in front, and no letters that YAML 1.1 and 1.2 read differently."""

import re

from stagewright.contexts.deploys.model.places import At, Source
from stagewright.contexts.deploys.rules.reading.limits import MOST_BYTES, Refused, place

BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def decode(data: bytes, source: Source) -> str:
    """Return the text of a file. Raises ``Refused``."""
    if len(data) > MOST_BYTES:
        raise Refused(
            "file_too_large",
            f"the file has more than {MOST_BYTES:,} bytes; split it with imports",
            At(source, 1, 1),
        )
    if data.startswith((BOM, *_WIDE)):
        raise Refused(
            "encoding", "the file starts with a byte order mark; save it as UTF-8 without one", At(source, 1, 1)
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        raise Refused(
            "encoding",
            f"the byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8",
            place(source, before, len(before)),
        ) from error
    if odd := _UNREADABLE.search(text):
        name = f"U+{ord(odd.group()):04X}"
        raise Refused(
            "yaml_syntax",
            f"the character {name} must not stand in YAML as it is",
            place(source, text, odd.start()),
            "remove it, or write it as an escape in a text with double quotes",
        )
    return text
