"""A forge that limits, drops and breaks: everything happens once, late at the most.

| requirement | test |
|---|---|
| RN24 | test_a_pull_request_whose_answer_was_lost_is_found_and_not_opened_twice |
| RN13 | test_a_secondary_limit_delays_the_pull_request |
| A7.8 | test_a_comment_whose_answer_was_lost_is_found_and_not_written_twice, test_a_forge_that_breaks_is_asked_again |
| A7.9 | test_a_secondary_limit_delays_the_pull_request |
"""

from dataclasses import dataclass
from typing import Any

import pytest
from tests.e2e.platform import Platform
from tests.e2e.repository import Repository

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Troubled:
    """A repository whose forge misbehaves, and the issue whose run meets it."""

    repository: Repository
    issue: int

    def succeeded(self) -> dict[str, Any]:
        """Wait for the run, which succeeds all the same, with one pull request and the tabled label."""
        run = self.repository.wait_for_run(self.issue, within=90)
        assert run["status"] == "succeeded", self.repository.platform.describe()
        self.repository.wait_for_quiet()
        [pull] = self.repository.pulls()
        assert run["pr_number"] == pull["number"]
        assert self.repository.labels(self.issue) == {"state:in-review"}
        return run

    def asked(self, path: str) -> list[dict[str, Any]]:
        """Return the POST requests below the repository whose path ends with ``path``."""
        requests = self.repository.platform.forge.control.requests
        return requests("POST", f"/repos/{self.repository.full_name}{path}$")


FAULTS: dict[str, list[dict[str, Any]]] = {
    "pull request lost": [{"path": "/repos/{name}/pulls$", "drop_after": True}],
    "comment lost": [{"path": "/repos/{name}/issues/{issue}/comments$", "drop_after": True}],
    "limited": [{"path": "/repos/{name}/pulls$", "rate_limit": {"kind": "secondary", "retry_after": 2}}],
    "broken": [
        {"path": "{name}.*/git-receive-pack", "drop_before": True},
        {"path": "/repos/{name}/issues/{issue}/labels$", "status": 502},
    ],
}


@pytest.fixture(scope="module")
def troubled(peaceful: Platform) -> dict[str, Troubled]:
    """Start one run for each kind of trouble, all at once."""
    found = {}
    for kind, faults in FAULTS.items():
        repository = peaceful.repository()
        issue = repository.open_issue()
        repository.label(issue, "run:dev")
        for fault in faults:
            path = fault["path"].format(name=repository.full_name, issue=issue)
            peaceful.forge.control.fault(**fault | {"method": "POST", "path": path})
        found[kind] = Troubled(repository, issue)
    return found


def test_a_pull_request_whose_answer_was_lost_is_found_and_not_opened_twice(troubled: dict[str, Troubled]) -> None:
    found = troubled["pull request lost"]
    run = found.succeeded()
    [effect] = found.repository.effects(["pull_request.open"])
    assert (effect["status"], effect["tries"]) == ("done", 1)
    kinds = found.repository.events(run["id"])
    assert kinds.count("effect.unknown") == 1
    assert kinds.count("effect.resolved") == 1
    assert kinds.count("run.pr.created") == 1
    assert len(found.asked("/pulls")) == 1


def test_a_comment_whose_answer_was_lost_is_found_and_not_written_twice(troubled: dict[str, Troubled]) -> None:
    found = troubled["comment lost"]
    found.succeeded()
    assert len(found.repository.status_comments(found.issue)) == 1
    assert len(found.asked(f"/issues/{found.issue}/comments")) == 1


def test_a_secondary_limit_delays_the_pull_request(troubled: dict[str, Troubled]) -> None:
    found = troubled["limited"]
    run = found.succeeded()
    assert [request["status"] for request in found.asked("/pulls")] == [403, 201]
    waits = found.repository.platform.rows("select kind, status from waits where run_id = %(id)s", id=run["id"])
    assert [(wait["kind"], wait["status"]) for wait in waits] == [("rate_limit", "resolved")]
    assert len(found.repository.attempts(run["id"])) == 1, "waiting for the forge must not cost an attempt"


def test_a_forge_that_breaks_is_asked_again(troubled: dict[str, Troubled]) -> None:
    found = troubled["broken"]
    found.succeeded()
    faulty = found.repository.platform.forge.control.requests("POST", f"{found.repository.full_name}")
    assert {"drop_before", "status"} <= {request["fault"] for request in faulty}
