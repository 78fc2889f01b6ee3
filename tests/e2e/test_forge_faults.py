"""A forge that limits, drops and breaks: everything happens once, late at the most.

| requirement | test |
|---|---|
| RN24 | test_a_pull_request_whose_answer_was_lost_is_found_and_not_opened_twice |
| RN13 | test_a_secondary_limit_delays_the_pull_request |
| A7.8 | test_a_comment_whose_answer_was_lost_is_found_and_not_written_twice, test_a_forge_that_breaks_is_asked_again |
| A7.9 | test_a_secondary_limit_delays_the_pull_request |
"""

import pytest
from tests.e2e.platform import Platform

pytestmark = pytest.mark.e2e


def test_a_pull_request_whose_answer_was_lost_is_found_and_not_opened_twice(platform: Platform) -> None:
    repository = platform.repository()
    issue = repository.open_issue()
    platform.forge.control.fault(method="POST", path=f"/repos/{repository.full_name}/pulls$", drop_after=True)
    repository.label(issue, "run:dev")
    run = repository.wait_for_run(issue)
    assert run["status"] == "succeeded", platform.describe()
    repository.wait_for_quiet()
    [pull] = repository.pulls()
    assert run["pr_number"] == pull["number"]
    [effect] = repository.effects(["pull_request.open"])
    assert (effect["status"], effect["tries"]) == ("done", 1)
    kinds = repository.events(run["id"])
    assert kinds.count("effect.unknown") == 1
    assert kinds.count("effect.resolved") == 1
    assert kinds.count("run.pr.created") == 1
    requests = platform.forge.control.requests("POST", f"/repos/{repository.full_name}/pulls$")
    assert len(requests) == 1


def test_a_comment_whose_answer_was_lost_is_found_and_not_written_twice(platform: Platform) -> None:
    repository = platform.repository()
    issue = repository.open_issue()
    comments = f"/repos/{repository.full_name}/issues/{issue}/comments"
    platform.forge.control.fault(method="POST", path=comments, drop_after=True)
    repository.label(issue, "run:prd")
    assert repository.wait_for_run(issue)["status"] == "succeeded", platform.describe()
    repository.wait_for_quiet()
    assert len(repository.status_comments(issue)) == 1
    assert len(platform.forge.control.requests("POST", comments)) == 1


def test_a_secondary_limit_delays_the_pull_request(platform: Platform) -> None:
    repository = platform.repository()
    issue = repository.open_issue()
    limit = {"kind": "secondary", "retry_after": 2}
    platform.forge.control.fault(method="POST", path=f"/repos/{repository.full_name}/pulls$", rate_limit=limit)
    repository.label(issue, "run:dev")
    run = repository.wait_for_run(issue)
    assert run["status"] == "succeeded", platform.describe()
    repository.wait_for_quiet()
    assert len(repository.pulls()) == 1
    requests = platform.forge.control.requests("POST", f"/repos/{repository.full_name}/pulls$")
    assert [request["status"] for request in requests] == [403, 201]
    waits = platform.rows("select kind, status, resolution from waits where run_id = %(id)s", id=run["id"])
    assert [(wait["kind"], wait["status"]) for wait in waits] == [("rate_limit", "resolved")]
    assert len(repository.attempts(run["id"])) == 1, "waiting for the forge must not cost an attempt"


def test_a_forge_that_breaks_is_asked_again(platform: Platform) -> None:
    repository = platform.repository()
    issue = repository.open_issue()
    repository.label(issue, "run:prd")
    name = repository.full_name
    platform.forge.control.fault(method="POST", path=f"{name}.*/git-receive-pack", drop_before=True)
    platform.forge.control.fault(method="POST", path=f"/repos/{name}/issues/\\d+/labels", status=502)
    run = repository.wait_for_run(issue)
    assert run["status"] == "succeeded", platform.describe()
    repository.wait_for_quiet()
    assert platform.forge.control.ask("GET", "/faults") == []
    assert len(repository.pulls()) == 1
    assert repository.labels(issue) == {"state:in-review"}
