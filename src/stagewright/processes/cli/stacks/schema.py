"""`stack schema`: the published JSON Schema, printed or written where editors look for it."""

import json
import sys
from pathlib import Path

from stagewright.processes.cli.exits import FAILED, Failure
from stagewright.processes.cli.lazy import load
from stagewright.processes.cli.stacks.reading import API


def schema(*, fragment: bool, file: str | None) -> None:
    """Print the schema, or write it to ``file``, whose folder is made."""
    text = json.dumps(load(f"{API}:stack_schema")(fragment=fragment), indent=2, ensure_ascii=False) + "\n"
    if file is None:
        sys.stdout.write(text)
        return
    path = Path(file)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(FAILED, f"--output: {path} cannot be written: {error.strerror or error}") from error
