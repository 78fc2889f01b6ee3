"""A label that a person changes on the practice forge: shown, planned by a dry run, restored by a synchronisation.

| requirement | test |
|---|---|
| C11.1 C11.2 | test_a_deleted_and_a_recoloured_label_are_shown_planned_and_restored |
"""

from typing import Any

import pytest
from tests.e2e.platform import Platform
from tests.e2e.repository import Repository
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e


def ask(repository: Repository, method: str, tail: str) -> Any:
    bound, platform = repository.bound, repository.platform
    place = f"/projects/{bound.project_id}/repositories/{bound.repository_id}{tail}"
    answer = platform.ask(method, place, {} if method == "POST" else None)
    assert answer.is_success, answer.text
    return answer.json()


def states(repository: Repository) -> dict[str, str]:
    items = ask(repository, "GET", "/labels")["items"]
    return {item["key"]: item["state"] for item in items if item["state"] != "ok"}


def test_a_deleted_and_a_recoloured_label_are_shown_planned_and_restored(platform: Platform) -> None:
    repository = platform.repository()
    ask(repository, "POST", ":sync-labels")
    wait_until(lambda: states(repository) == {}, "the labels are there", 60.0, tell=platform.describe)
    repository.ask("DELETE", "/labels/run:design")
    repository.ask("PATCH", "/labels/run:plan", {"color": "ff0000"})
    changed = {"run:design": "missing", "run:plan": "recoloured"}
    wait_until(lambda: states(repository) == changed, "the changes are known", 30.0, tell=platform.describe)
    [found] = platform.rows("select count(*) from incidents where code = 'label_drift' and state = 'open'")
    assert found["count"] >= 1

    planned = ask(repository, "POST", ":sync-labels?dry_run=1")["labels"]
    actions = {item["key"]: item["action"] for item in planned if item["action"] != "none"}
    assert actions == {"run:design": "create", "run:plan": "update"}
    assert "run:design" not in repository.catalogue(), "a dry run does nothing"
    ask(repository, "POST", ":sync-labels")
    wait_until(lambda: states(repository) == {}, "the labels are restored", 60.0, tell=platform.describe)
    assert "run:design" in repository.catalogue()
    colours = {label["name"]: label["color"] for label in repository.ask("GET", "/labels?per_page=100")}
    assert colours["run:plan"] == colours["run:design"]
