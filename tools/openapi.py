"""Write ``docs/openapi.json``, the description of the gateway's interface: ``python -m tools.openapi``."""

import json
from pathlib import Path

from stagewright.processes.gateway.app import make_framework
from stagewright.processes.gateway.description import describe

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = Path("docs/openapi.json")


def text() -> str:
    """Return the document that the present code makes."""
    return json.dumps(describe(make_framework()), indent=1, ensure_ascii=False) + "\n"


def problems(root: Path) -> list[str]:
    """Say what is wrong with the committed document."""
    path = root / DOCUMENT
    if not path.is_file():
        return [f"{DOCUMENT}: is missing; run python -m tools.openapi"]
    if path.read_text(encoding="utf-8") != text():
        return [f"{DOCUMENT}: is not what the routes say; run python -m tools.openapi"]
    return []


if __name__ == "__main__":
    (ROOT / DOCUMENT).write_text(text(), encoding="utf-8")
    print(DOCUMENT)
