"""A program that stands in for the Codex CLI in whole-platform tests: one model call through the loopback relay.

It speaks to the provider exactly where the real one would: the base URL of its ``config.toml``, without a key. What it
prints is the pinned CLI's own JSON lines (tests/contract/engines/recordings/codex). Standard library only.
"""

import json
import os
import sys
import tomllib
import urllib.request
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).parents[1] / "contract" / "engines" / "recordings" / "codex"
FOUND = "found.md"


def install(folder: Path) -> Path:
    """Put the program as ``codex`` into ``folder``; put that folder first on a worker's PATH."""
    folder.mkdir(exist_ok=True)
    program = folder / "codex"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I "{Path(__file__).resolve()}" "$@"\n')
    program.chmod(0o755)
    return folder


def main() -> int:
    """Ask the model once, write its answer into a file of the work tree, hand a report over."""
    recording = json.loads((RECORDINGS / "first.json").read_text())
    if sys.argv[1:] == ["--version"]:
        print(recording["version"])
        return 0
    prompt = sys.stdin.read()
    Path(FOUND).write_text(_ask(prompt) + "\n" + "\n".join(sorted(os.environ)) + "\n")
    schema = json.loads(Path(sys.argv[sys.argv.index("--output-schema") + 1]).read_text())
    for line in recording["stdout"]:
        print(line, flush=True)
    Path(sys.argv[sys.argv.index("-o") + 1]).write_text(json.dumps(_filled(schema)))
    return 0


def _ask(prompt: str) -> str:
    """Return the text the model streams back."""
    config = tomllib.loads(Path(os.environ["CODEX_HOME"], "config.toml").read_text())
    provider = config["model_providers"][config["model_provider"]]
    body = {"model": config["model"], "stream": True, "input": [{"role": "user", "content": prompt}]}
    request = urllib.request.Request(
        provider["base_url"] + "/responses", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        lines = [line[6:] for line in answer.read().decode().splitlines() if line.startswith("data: ")]
    items = [event["item"] for event in map(json.loads, lines) if event["type"] == "response.output_item.done"]
    return "\n".join(part["text"] for item in items for part in item["content"])


def _filled(schema: Any) -> Any:
    """Return the shortest report that fits ``schema``: first choices, short words, empty lists, null where it may."""
    schema = schema.get("anyOf", [schema])[-1]
    kinds = schema.get("type", "object")
    if "enum" in schema:
        return schema["enum"][0]
    if "null" in kinds:
        return None
    if kinds == "object":
        return {name: _filled(part) for name, part in schema.get("properties", {}).items()}
    return [] if kinds == "array" else "looked"


if __name__ == "__main__":
    sys.exit(main())
