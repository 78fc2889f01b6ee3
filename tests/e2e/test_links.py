"""What a person does with a pull request opens the way for the next stage, over the real processes.

| requirement | test |
|---|---|
| A7.7 | test_an_open_result_holds_the_next_stage_back_until_a_person_ends_its_review |
| A7.7 | test_a_merge_counts_though_its_webhook_was_lost |
"""

import pytest
from tests.e2e.platform import Platform
from tests.e2e.repository import Repository
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e


def state_of(repository: Repository, number: int) -> str:
    found = "select state from pull_request_links where repository_id = %(r)s and pr_number = %(n)s"
    [row] = repository.platform.rows(found, r=repository.bound.repository_id, n=number)
    return str(row["state"])


def in_review(repository: Repository) -> tuple[int, int]:
    """Return an issue and its pull request, which waits for a person."""
    issue = repository.start()
    run = repository.wait_for_run(issue)
    assert run["status"] == "succeeded", repository.platform.describe()
    repository.wait_for_quiet()
    assert state_of(repository, run["pr_number"]) == "in_review"
    return issue, int(run["pr_number"])


def test_an_open_result_holds_the_next_stage_back_until_a_person_ends_its_review(platform: Platform) -> None:
    repository = platform.repository()
    issue, pull = in_review(repository)
    repository.label(issue, "run:design")
    wait_until(lambda: repository.diagnostics(issue), "the refusal is explained", 30.0)
    [comment] = repository.diagnostics(issue)
    assert "`previous_stage_in_review`" in comment
    assert f"close pull request #{pull}" in comment
    repository.wait_for_quiet()
    repository.ask("PATCH", f"/pulls/{pull}", {"state": "closed"})
    wait_until(lambda: state_of(repository, pull) == "closed", "the closing was stored", 30.0)
    repository.label(issue, "run:plan")
    wait_until(lambda: len(repository.runs(issue)) == 2, "the next stage begins", 30.0, tell=platform.describe)
    assert repository.run(issue)["kind"] == "plan"


def test_a_merge_counts_though_its_webhook_was_lost(platform: Platform) -> None:
    repository = platform.repository()
    issue, pull = in_review(repository)
    repository.ask("PATCH", f"/hooks/{repository.hook_id}", {"events": ["issues"]})
    repository.ask("PUT", f"/pulls/{pull}/merge")
    assert state_of(repository, pull) == "in_review", "nobody was told"
    repository.ask("PATCH", f"/issues/{issue}", {"state": "open"})  # the merge closed it
    repository.label(issue, "run:plan")
    wait_until(lambda: len(repository.runs(issue)) == 2, "the next stage begins", 30.0, tell=platform.describe)
    assert state_of(repository, pull) == "merged"
