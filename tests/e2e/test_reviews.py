"""A person reviews a result on the forge's page, over the real processes: changes asked for are made, approval counts.

| requirement | test |
|---|---|
| C2.1, C1.2, C7.1 | test_changes_asked_for_on_the_page_are_made_in_the_same_pull_request_and_then_approved |
"""

import pytest
from tests.e2e.platform import Platform
from tests.e2e.waiting import wait_until
from tests.fakes.devforge import git

pytestmark = pytest.mark.e2e
WITHIN = 30.0
FIRST, SECOND = "A shop.\n", "A shop for everybody.\n"
VISION = f"""
- run: mkdir -p docs && ([ -f docs/vision.md ] && echo '{SECOND.strip()}' || echo '{FIRST.strip()}') > text
- rename: {{from: text, to: docs/vision.md}}
- result: {{title: A vision of the shop}}
"""


def test_changes_asked_for_on_the_page_are_made_in_the_same_pull_request_and_then_approved(platform: Platform) -> None:
    repository = platform.repository(rehearsals={"vision": VISION})
    issue = repository.start("run:vision")
    first = repository.wait_for_run(issue)
    assert first["status"] == "succeeded", platform.describe()
    assert git(repository.clone(), "show", f"{first['branch']}:docs/vision.md").stdout == FIRST
    repository.wait_for_quiet()
    pull = int(first["pr_number"])

    remark = {"path": "docs/vision.md", "line": "1", "remark": "For whom?"}
    repository.review(pull, event="REQUEST_CHANGES", body="Say for whom the shop is.", **remark)
    wait_until(lambda: len(repository.runs(issue)) == 2, "the revise begins", WITHIN, tell=platform.describe)
    second = repository.wait_for_run(issue)
    assert (second["kind"], second["status"]) == ("vision_revise", "succeeded"), platform.describe()
    assert second["trigger_source"] == "pull_request_review"
    assert (second["pr_number"], second["branch"]) == (pull, first["branch"])
    repository.wait_for_quiet()
    [shown] = repository.pulls()
    assert (shown["state"], shown["head"]["ref"]) == ("open", first["branch"])
    assert shown["head"]["sha"] == repository.heads()[first["branch"]]
    assert git(repository.clone(), "show", f"{first['branch']}:docs/vision.md").stdout == SECOND
    repository.wait_for_labels({"state:in-review"}, issue, pull)
    [on_issue], [on_pull] = repository.status_comments(issue), repository.status_comments(pull)
    assert str(first["id"]) in on_issue
    assert str(second["id"]) in on_pull
    assert repository.diagnostics(issue) == repository.diagnostics(pull) == []

    repository.review(pull, event="APPROVE")
    repository.wait_for_labels({"state:approved"}, issue, pull)
    repository.wait_for_quiet()
    assert len(repository.runs(issue)) == 2
