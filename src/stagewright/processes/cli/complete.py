"""Values for completion: from what the last list showed, else from the server within 300 ms, else nothing."""

import os
from collections.abc import Iterator
from typing import Any

from stagewright.processes.cli import cache, contexts
from stagewright.processes.cli.enums import CREDENTIAL_PURPOSES
from stagewright.processes.cli.lazy import load


def suggest(what: str, incomplete: str) -> list[Any]:
    """Return completions of ``incomplete``. Silent about every failure: a Tab is no place for one."""
    item = load("click.shell_completion:CompletionItem")
    try:
        found = [*_values(what)]
    except Exception:  # nothing may come between a person and their shell
        return []
    return [item(value, help=words) for value, words in found if value.startswith(incomplete)]


def _values(what: str) -> Iterator[tuple[str, str]]:
    if what == "purposes":
        yield from ((purpose, "") for purpose in CREDENTIAL_PURPOSES)
        return
    document = contexts.read(contexts.config_folder(os.environ))
    entry = document["contexts"].get(document["current"] or "", {})
    host = os.environ.get("STAGEWRIGHT_CLI_HOST", "").strip() or entry.get("host", "")
    if what == "runs":
        yield ("@latest", "your last one")
    rows = cache.recall(os.environ, what, host, fresh=True)
    yield from rows or load("stagewright.processes.cli.asking:ask")(what, host, entry)
