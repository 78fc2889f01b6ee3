"""A person reviews a result on the forge's page, over the real processes: changes asked for are made, approval counts.

| requirement | test |
|---|---|
| C2.1, C1.2, C7.1 | test_changes_asked_for_on_the_page_are_made_in_the_same_pull_request_and_then_approved |
"""

import httpx
import pytest
from tests.e2e.platform import EVENTS, Platform
from tests.e2e.repository import Repository
from tests.e2e.waiting import wait_until
from tests.fakes.devforge import git

pytestmark = pytest.mark.e2e
WITHIN = 30.0
FIRST, SECOND = "A shop.\n", "A shop for everybody.\n"
VISION = f"""
- run: mkdir -p docs && echo '{FIRST.strip()}' > docs/vision.md
- result: {{title: A vision of the shop}}
- run: echo '{SECOND.strip()}' > docs/vision.md
"""  # what stands after the result is done when the session goes on: by the revise


def review(repository: Repository, pull: int, **form: str) -> None:
    """Post a review through the page's form, as the platform's owner does in a browser."""
    web = repository.platform.forge.url
    headers = {"origin": web, "sec-fetch-site": "same-origin"}
    with httpx.Client(base_url=web, trust_env=False, timeout=20, headers=headers) as browser:
        page = f"/{repository.full_name}/pull/{pull}"
        assert f'action="/{repository.full_name}/threads/{pull}/reviews"' in browser.get(f"{page}/review").text
        wish = form | {"as": repository.platform.owner.login}
        answer = browser.post(f"/{repository.full_name}/threads/{pull}/reviews", data=wish)
        assert (answer.status_code, answer.headers["location"]) == (303, page), answer.text


def wait_for_labels(repository: Repository, labels: set[str], *threads: int) -> None:
    """Wait until each thread has just these of the labels that tell its state."""

    def look() -> bool:
        shown = [{name for name in repository.labels(thread) if name.startswith("state:")} for thread in threads]
        return all(one == labels for one in shown)

    wait_until(look, f"{threads} show {labels}", WITHIN, tell=repository.platform.describe)


def test_changes_asked_for_on_the_page_are_made_in_the_same_pull_request_and_then_approved(platform: Platform) -> None:
    repository = platform.repository(rehearsals={"vision": VISION})
    repository.ask("PATCH", f"/hooks/{repository.hook_id}", {"events": [*EVENTS, "pull_request_review"]})
    issue = repository.start("run:vision")
    first = repository.wait_for_run(issue)
    assert first["status"] == "succeeded", platform.describe()
    assert git(repository.clone(), "show", f"{first['branch']}:docs/vision.md").stdout == FIRST
    repository.wait_for_quiet()
    pull = int(first["pr_number"])

    remark = {"path": "docs/vision.md", "line": "1", "remark": "For whom?"}
    review(repository, pull, event="REQUEST_CHANGES", body="Say for whom the shop is.", **remark)
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
    wait_for_labels(repository, {"state:in-review"}, issue, pull)
    [on_issue], [on_pull] = repository.status_comments(issue), repository.status_comments(pull)
    assert str(first["id"]) in on_issue
    assert str(second["id"]) in on_pull
    assert repository.diagnostics(issue) == repository.diagnostics(pull) == []

    review(repository, pull, event="APPROVE")
    wait_for_labels(repository, {"state:approved"}, issue, pull)
    repository.wait_for_quiet()
    assert len(repository.runs(issue)) == 2
