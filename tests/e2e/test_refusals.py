"""Labels that start nothing: the thread hears why, once.

| requirement | test |
|---|---|
| AD3.3, RN2 | test_two_trigger_labels_are_refused_with_one_comment_and_stay |
| AD3.4, RN3 | test_a_strangers_label_is_refused_with_a_reason_and_taken_off, test_a_bots_label_is_refused |
| RN3 | test_a_stranger_who_closes_the_issue_stops_nothing |
| A7.13 | test_the_comment_is_resolved_when_the_next_run_starts |
"""

import pytest
from tests.e2e.platform import Platform
from tests.e2e.repository import Repository
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e


def diagnostic(repository: Repository, issue: int) -> str:
    """Wait for the diagnostic comment of an issue, let everything settle, and return the only one there is."""
    describe = repository.platform.describe
    wait_until(lambda: repository.diagnostics(issue), "a diagnostic comment", 20, tell=describe)
    assert repository.platform.forge.control.idle()
    repository.wait_for_quiet()
    [comment] = repository.diagnostics(issue)
    return comment


def test_two_trigger_labels_are_refused_with_one_comment_and_stay(platform: Platform) -> None:
    repository = platform.repository()
    issue = repository.open_issue()
    repository.label(issue, "run:dev", "run:prd")
    comment = diagnostic(repository, issue)
    assert "issue_trigger_label_conflict" in comment
    assert "run:dev" in comment
    assert "run:prd" in comment
    assert repository.labels(issue) == {"run:dev", "run:prd"}
    assert repository.runs() == []
    conflicts = platform.value(
        "select count(*) from journal where kind = 'run.trigger.conflict.comment' and stream = %(s)s",
        s=f"thread:{repository.bound.repository_id}:{issue}",
    )
    assert conflicts >= 1


def test_a_strangers_label_is_refused_with_a_reason_and_taken_off(platform: Platform) -> None:
    repository = platform.repository()
    issue = repository.open_issue()
    repository.label(issue, "run:dev", by=platform.stranger)
    comment = diagnostic(repository, issue)
    assert "sender_not_allowed" in comment
    assert f"@{platform.stranger.login}" not in comment
    assert repository.labels(issue) == set()
    assert repository.runs() == []


def test_a_bots_label_is_refused(platform: Platform) -> None:
    repository = platform.repository()
    issue = repository.open_issue()
    repository.label(issue, "run:dev", by=platform.robot)
    assert "sender_type_bot_not_permitted" in diagnostic(repository, issue)
    assert repository.labels(issue) == set()
    assert repository.runs() == []


def test_the_comment_is_resolved_when_the_next_run_starts(platform: Platform) -> None:
    repository = platform.repository()
    issue = repository.open_issue()
    repository.label(issue, "run:dev", by=platform.stranger)
    diagnostic(repository, issue)
    wait_until(lambda: not repository.labels(issue), "the label is taken off", 20, tell=platform.describe)
    repository.label(issue, "run:prd")
    run = repository.wait_for_run(issue)
    assert run["status"] == "succeeded", platform.describe()
    repository.wait_for_quiet()
    [comment] = repository.diagnostics(issue)
    assert "sender_not_allowed" not in comment
    assert f"run-{run['number']:04d}" in comment


def test_a_stranger_who_closes_the_issue_stops_nothing(platform: Platform) -> None:
    repository = platform.repository(rehearsals={"prd": "- hang\n"})
    issue = repository.start("run:prd")
    run = repository.wait_for_run(issue, "running")
    repository.ask("PATCH", f"/issues/{issue}", {"state": "closed"}, by=platform.stranger)
    assert platform.forge.control.idle()

    def decided() -> bool:
        return bool(
            platform.rows(
                "select 1 from webhook_deliveries where repository_id = %(r)s and action = 'closed'"
                " and status = 'decided' and verdict = 'ignore'",
                r=repository.bound.repository_id,
            )
        )

    wait_until(decided, "the closing is decided", 20, tell=platform.describe)
    assert repository.run(issue)["status"] == "running"
    assert repository.diagnostics(issue) == []
    assert platform.cancel(run["id"])[0] == 202
    assert repository.wait_for_run(issue)["status"] == "cancelled"
