"""People talk about an issue and answer questions on the practice forge, over the real processes."""

from typing import Any

import httpx
import pytest
from tests.e2e.platform import Platform
from tests.e2e.repository import Repository
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.e2e
WITHIN = 60.0
MODE, REPLY = "mode:discussion", "stagewright:reply"
ASKS = """
- result: {status: needs_input, question: Which colour?}
- write: {path: hello.py, content: "print('blue')"}
- result: {title: A blue greeting}
"""


def say(platform: Platform, repository: Repository, issue: int, body: str) -> int:
    """Write a comment on the forge's page, as the owner does in a browser; return its id."""
    web, page = platform.forge.url, f"/{repository.full_name}/issues/{issue}"
    headers = {"origin": web, "sec-fetch-site": "same-origin"}
    with httpx.Client(base_url=web, trust_env=False, timeout=20, headers=headers) as browser:
        action = f"/{repository.full_name}/threads/{issue}/comments"
        assert f'action="{action}"' in browser.get(page).text
        answer = browser.post(action, data={"body": body, "as": platform.owner.login})
        assert (answer.status_code, answer.headers["location"]) == (303, page), answer.text
    (made,) = [one for one in comments(repository, issue) if one["body"] == body]
    return int(made["id"])


def comments(repository: Repository, issue: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = repository.ask("GET", f"/issues/{issue}/comments?per_page=100")
    return found


def replies(repository: Repository, issue: int) -> list[str]:
    return [str(one["body"]) for one in comments(repository, issue) if REPLY in one["body"]]


def reactions(repository: Repository, comment: int) -> list[str]:
    return [str(one["content"]) for one in repository.ask("GET", f"/issues/comments/{comment}/reactions")]


def test_comments_of_a_discussion_are_answered_and_work_on_the_issue_ends_it(platform: Platform) -> None:
    repository = platform.repository()
    issue = repository.open_issue()
    repository.label(issue, MODE)
    wait_until(lambda: len(replies(repository, issue)) == 1, "the first reply", WITHIN, tell=platform.describe)
    assert "I have read the Issue." in replies(repository, issue)[0]

    first = say(platform, repository, issue, "Why not SQLite?")
    second = say(platform, repository, issue, "And what does it cost?")
    wait_until(lambda: len(replies(repository, issue)) == 2, "the second reply", WITHIN, tell=platform.describe)
    answer = replies(repository, issue)[1]
    assert f"comment {first} by {platform.owner.login}" in answer
    assert f"comment {second} by {platform.owner.login}" in answer
    for comment in (first, second):
        wait_until(
            lambda one=comment: reactions(repository, one) == ["eyes", "+1"],  # type: ignore[misc]
            "the comment is marked as answered",
            WITHIN,
            tell=platform.describe,
        )
    [talk] = repository.runs(issue)
    assert (talk["lane"], talk["status"]) == ("talk", "waiting")

    repository.label(issue, "run:dev")
    wait_until(lambda: len(repository.runs(issue)) == 2, "the work begins", WITHIN, tell=platform.describe)

    def done() -> bool:
        return all(run["status"] == "succeeded" for run in repository.runs(issue))

    wait_until(done, "both runs end well", WITHIN, tell=platform.describe)
    [talk] = [run for run in repository.runs(issue) if run["lane"] == "talk"]
    assert talk["code"] == "run_label_detected"
    assert len(repository.pulls()) == 1
    assert len(replies(repository, issue)) == 2


def test_taking_need_input_off_answers_the_question_of_a_report(platform: Platform) -> None:
    repository = platform.repository(rehearsals={"dev": ASKS})
    issue = repository.start("run:dev")
    wait_until(lambda: "need:input" in repository.labels(issue), "the question", WITHIN, tell=platform.describe)
    say(platform, repository, issue, "Blue, of course.")
    repository.unlabel(issue, "need:input")
    run = repository.wait_for_run(issue)

    assert run["status"] == "succeeded", platform.describe()
    assert len(repository.runs(issue)) == 1
    assert len(repository.pulls()) == 1
