"""Asking the server for completions: plain HTTP, one request, 300 ms. Apart, because importing this costs time, too."""

import http.client
import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from stagewright.processes.cli import cache

BUDGET = 0.3  # seconds
READS = {"runs": "/api/v1/runs?limit=50", "issues": "/api/v1/runs?limit=50", "projects": "/api/v1/projects?limit=100"}


def ask(what: str, host: str, entry: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return values with descriptions, and keep them. The context's token goes to the context's host only."""
    parts, token = urlsplit(host), entry.get("token")
    if what not in READS or token is None or host != entry.get("host") or parts.scheme != "http":
        return []  # TLS costs more than the budget
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=BUDGET)
    try:
        connection.request("GET", READS[what], headers={"Authorization": f"Bearer {token}"})
        answer = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    rows = [*dict(_row(what, item) for item in answer["items"] if what != "issues" or item.get("issue_number")).items()]
    cache.remember(os.environ, what, host, rows)
    return rows


def _row(what: str, item: dict[str, Any]) -> tuple[str, str]:
    if what == "projects":
        return str(item["key"]), str(item["name"])
    stage = item.get("stage") or item.get("kind")
    if what == "issues":
        return f"{item['repository']}#{item['issue_number']}", f"{stage} · {item['status']}"
    thread = item.get("issue_number") or item.get("pr_number")
    words = (item.get("number"), stage, item["status"], f"#{thread}" if thread else "")
    return str(item["id"]), " · ".join(str(word) for word in words if word)
