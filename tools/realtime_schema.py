"""Write ``docs/realtime.schema.json``, the words of the realtime socket: ``python -m tools.realtime_schema``.

``$defs`` holds every message and frame body; ``ClientMessage`` is what a client may send, ``ServerMessage`` what it
receives as text, ``Chunk`` the first line of a binary message. Bodies of keyed frames refer to the REST document.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from stagewright.processes.gateway.realtime import messages
from stagewright.processes.gateway.realtime.live import CLOSE_CODES
from stagewright.processes.gateway.realtime.subscriptions import FAMILIES, OBJECTS
from stagewright.processes.gateway.realtime.topics import LISTS

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = Path("docs/realtime.schema.json")
SIDES = {
    "ClientMessage": (messages.Hello, messages.Sub, messages.Unsub),
    "ServerMessage": (
        messages.Ready,
        messages.Ack,
        messages.Events,
        messages.Resync,
        messages.Ping,
        messages.Error,
    ),
}


def document() -> dict[str, Any]:
    """Return the schema that the present code makes."""
    structs = [*(item for side in SIDES.values() for item in side), messages.Chunk]
    _, components = msgspec.json.schema_components(structs, ref_template="#/$defs/{name}")
    sides = {
        name: {"oneOf": [{"$ref": f"#/$defs/{struct.__name__}"} for struct in side]} for name, side in SIDES.items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://stagewright.dev/schema/realtime.json",
        "title": "Messages of the realtime socket",
        "description": "Subprotocol and version, topics, close codes, and every message. See access.md section 8.",
        "x-protocol": messages.PROTOCOL,
        "x-version": messages.VERSION,
        "x-close-codes": {str(code): text for code, text in CLOSE_CODES.items()},
        "x-topics": {
            "families": {name: str(permission) for name, permission in FAMILIES.items()},
            "objects": list(OBJECTS),
            "lists": sorted(LISTS),
        },
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in SIDES],
        "$defs": {**components, **sides},
    }


def text() -> str:
    """Return the document's text."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def problems(root: Path) -> list[str]:
    """Say what is wrong with the committed document."""
    path = root / DOCUMENT
    if not path.is_file():
        return [f"{DOCUMENT}: is missing; run python -m tools.realtime_schema"]
    if path.read_text(encoding="utf-8") != text():
        return [f"{DOCUMENT}: is not what the messages say; run python -m tools.realtime_schema"]
    return []


if __name__ == "__main__":
    (ROOT / DOCUMENT).write_text(text(), encoding="utf-8")
    print(DOCUMENT)
