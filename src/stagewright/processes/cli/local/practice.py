"""The practice forge of the demo: its process, its repository, and what its owner does there."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from stagewright.kit.errors import Unavailable
from stagewright.processes.cli.local import sample
from stagewright.processes.cli.local.child import ChildSpec
from stagewright.processes.devforge.seed import Planted, Planting, plant_practice

TIMEOUT = 20.0
PAGE = 100
Say = Callable[[str], None]


def forge_spec(environ: Mapping[str, str], folder: Path, port: int) -> ChildSpec:
    """Return the forge's process. It keeps its threads in memory, so it cannot be started again."""
    return ChildSpec(
        name="forge",
        arguments=(
            *(sys.executable, "-m", "stagewright.processes.devforge"),
            *("--data", str(folder), "--listen", f"127.0.0.1:{port}"),
        ),
        environ=environ,
        ready_url=f"http://127.0.0.1:{port}/",
        restartable=False,
    )


def plant(url: str) -> Planted:
    """Make the owner, the bot, the repository and its issue."""
    wish = Planting(
        owner=sample.OWNER,
        bot=sample.BOT,
        repository=sample.NAME,
        files=sample.files(),
        issue_title=sample.ISSUE_TITLE,
        issue_body=sample.ISSUE_BODY,
    )
    return plant_practice(url, wish)


class Owner:
    """The practice owner, who speaks to the forge's public API like anybody does."""

    def __init__(self, planted: Planted) -> None:
        self.planted = planted
        self._client = httpx.Client(
            base_url=f"{planted.api_url}/repos/{planted.full_name}",
            headers={"Authorization": f"Bearer {planted.owner_token}", "Accept": "application/vnd.github+json"},
            timeout=TIMEOUT,
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def add_webhook(self, url: str, secret: str, events: list[str]) -> None:
        """Register the platform's webhook."""
        config = {"url": url, "content_type": "json", "secret": secret}
        self._ask("POST", "/hooks", {"name": "web", "active": True, "events": events, "config": config})

    def label_names(self) -> set[str]:
        """Return the repository's labels."""
        return {str(item["name"]) for item in self._pages("/labels")}

    def labels_of(self, number: int) -> set[str]:
        """Return the labels of an issue or pull request."""
        return {str(item["name"]) for item in self._pages(f"/issues/{number}/labels")}

    def set_label(self, number: int, label: str) -> None:
        """Put a label on an issue."""
        self._ask("POST", f"/issues/{number}/labels", {"labels": [label]})

    def pull(self, number: int) -> dict[str, Any]:
        """Return a pull request."""
        found: dict[str, Any] = self._ask("GET", f"/pulls/{number}").json()
        return found

    def diff(self, number: int) -> str:
        """Return a pull request's diff."""
        return self._ask("GET", f"/pulls/{number}", accept="application/vnd.github.diff").text

    def _pages(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        page = 1
        while True:
            items = self._ask("GET", f"{path}?per_page={PAGE}&page={page}").json()
            found += items
            if len(items) < PAGE:
                return found
            page += 1

    def _ask(self, method: str, path: str, body: Any = None, *, accept: str | None = None) -> httpx.Response:
        headers = {} if accept is None else {"Accept": accept}
        try:
            answer = self._client.request(method, path, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise Unavailable(f"the practice forge does not answer {method} {path}: {error}") from error
        if answer.is_error:
            raise Unavailable(f"the practice forge answers {answer.status_code} to {method} {path}: {answer.text}")
        return answer
