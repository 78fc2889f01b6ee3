"""An agent reviews a pull request, over the real processes: it says what it found and touches nothing.

| requirement | test |
|---|---|
| C7.2 | test_need_reviewer_on_a_pull_request_brings_one_review_that_names_the_commit |
| RN15 | test_a_reviewer_that_writes_a_file_fails_and_posts_nothing |
"""

from typing import Any

import pytest
from tests.e2e.platform import Platform
from tests.e2e.repository import Repository
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e
WITHIN = 30.0
NEED = "need:reviewer"
FINDS = """
- result:
    summary: Read the whole of it.
    review:
      verdict: needs_changes
      findings:
        - {path: docs/vision.md, line: 1, severity: important, text: "For whom, @everyone?"}
        - {path: README.md, line: 1, severity: minor, text: The name is another one here.}
"""
WRITES = "- write: {path: docs/vision.md, content: mine}\n- obey\n"


def ask_for_review(repository: Repository) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a finished run with a pull request, and the finished run that reviewed it."""
    issue = repository.start("run:vision")
    first = repository.wait_for_run(issue)
    assert first["status"] == "succeeded", repository.platform.describe()
    repository.wait_for_quiet()
    repository.label(int(first["pr_number"]), NEED)
    tell = repository.platform.describe
    wait_until(lambda: len(repository.runs()) == 2, "the review begins", WITHIN, tell=tell)

    def ended() -> dict[str, Any] | None:
        return next((run for run in repository.runs() if run["lane"] == "review" and run["finished_at"]), None)

    second = wait_until(ended, "the review ends", WITHIN * 2, tell=tell)
    repository.wait_for_quiet()
    return first, second


def test_need_reviewer_on_a_pull_request_brings_one_review_that_names_the_commit(platform: Platform) -> None:
    repository = platform.repository(rehearsals={"reviewer": FINDS})
    work, review = ask_for_review(repository)
    number, head = int(work["pr_number"]), repository.heads()[str(work["branch"])]

    assert (review["kind"], review["status"], review["mode"]) == ("reviewer", "succeeded", "code-only")
    assert (review["pr_number"], review["issue_number"]) == (number, work["issue_number"])
    [posted] = repository.ask("GET", f"/pulls/{number}/reviews")
    assert (posted["state"], posted["commit_id"], posted["user"]["login"]) == ("COMMENTED", head, platform.bot.login)
    assert head in posted["body"]
    assert "`README.md:1`" in posted["body"]
    [remark] = repository.ask("GET", f"/pulls/{number}/comments")
    assert (remark["path"], remark["line"]) == ("docs/vision.md", 1)
    assert "For whom" in remark["body"]
    assert "@everyone" not in remark["body"]
    assert NEED not in repository.labels(number)
    [comment] = repository.status_comments(number)
    assert str(review["id"]) in comment
    assert repository.heads()[str(work["branch"])] == head
    assert len(repository.pulls()) == 1


def test_a_reviewer_that_writes_a_file_fails_and_posts_nothing(platform: Platform) -> None:
    repository = platform.repository(rehearsals={"reviewer": WRITES})
    work, review = ask_for_review(repository)
    number = int(work["pr_number"])

    assert (review["status"], review["failure_class"], review["code"]) == ("failed", "policy", "scope_violation")
    assert repository.ask("GET", f"/pulls/{number}/reviews") == []
    assert repository.ask("GET", f"/pulls/{number}/comments") == []
    assert NEED not in repository.labels(number)
    [comment] = repository.status_comments(number)
    assert "scope_violation" in comment
    heads = repository.heads()
    assert set(heads) == {"main", str(work["branch"])}
    [pull] = repository.pulls()
    assert pull["head"]["sha"] == heads[str(work["branch"])]
