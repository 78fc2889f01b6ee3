"""Values for completion: from what the last list showed, else from the server within 300 ms, else nothing."""

import http.client
import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from stagewright.processes.cli import cache, contexts
from stagewright.processes.cli.enums import CREDENTIAL_PURPOSES
from stagewright.processes.cli.lazy import load

BUDGET = 0.3  # seconds
READS = {"runs": "/api/v1/runs?limit=50", "projects": "/api/v1/projects?limit=100"}


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
    document = contexts.read(contexts.config_dir(os.environ))
    entry = document["contexts"].get(document["current"] or "", {})
    host = os.environ.get("STAGEWRIGHT_CLI_HOST", "").strip() or entry.get("host", "")
    if what == "runs":
        yield ("@latest", "your last one")
    rows = cache.recall(os.environ, what, host, fresh=True)
    yield from rows or _asked(what, host, entry.get("token"))


def _asked(what: str, host: str, token: str | None) -> list[tuple[str, str]]:
    parts = urlsplit(host)
    if what not in READS or token is None or parts.scheme != "http":
        return []  # TLS costs more than the budget
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=BUDGET)
    try:
        connection.request("GET", READS[what], headers={"Authorization": f"Bearer {token}"})
        answer = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    rows = [_row(what, item) for item in answer["items"]]
    cache.remember(os.environ, what, host, rows)
    return rows


def _row(what: str, item: dict[str, Any]) -> tuple[str, str]:
    if what == "projects":
        return str(item["key"]), str(item["name"])
    thread = item.get("issue_number") or item.get("pr_number")
    words = (item.get("number"), item.get("stage") or item.get("kind"), item["status"], f"#{thread}" if thread else "")
    return str(item["id"]), " · ".join(str(word) for word in words if word)
