"""A review by hand: its verdict, text and remark, its dismissal, and what comes of a form that will not do."""

import html

import httpx
import pytest
from tests.fakes.devforge import RunningForge, webhook_receiver
from tests.integration.devforge.test_pages import NASTY, api, browser, make_pull, planted

from stagewright.processes.devforge.seed import Planted

__all__ = ["api", "browser", "planted"]

EVENTS = ["pull_request_review", "pull_request_review_comment"]
CHANGES = {"event": "REQUEST_CHANGES", "body": "Not yet", "path": "a.txt", "line": "2", "remark": "Say it louder"}


def path_of(planted: Planted, number: int, what: str = "reviews") -> str:
    return f"/{planted.full_name}/threads/{number}/{what}"


def told(page: httpx.Response) -> str:
    """Return what the form says is wrong."""
    return html.unescape(page.text.partition('role="alert">')[2].partition("</p>")[0])


def test_changes_are_requested_with_a_text_and_a_remark_at_a_line(
    planted: Planted, api: httpx.Client, browser: httpx.Client
) -> None:
    number = make_pull(api, planted, text="hello\nworld\n")
    shown = browser.get(f"/{planted.full_name}/pull/{number}")
    assert f'href="/{planted.full_name}/pull/{number}/review"' in shown.text
    with webhook_receiver() as receiver:
        api.post("/hooks", json={"config": {"url": receiver.url, "content_type": "json"}, "events": EVENTS})
        assert receiver.take().event == "ping"
        page = browser.post(path_of(planted, number), data=CHANGES)
        first, second = receiver.take(), receiver.take()
    assert (page.history[0].status_code, page.url.path) == (303, f"/{planted.full_name}/pull/{number}")
    for text in ("changes requested", "Not yet", "<code>a.txt</code>, line 2", "Say it louder"):
        assert text in page.text
    [review] = api.get(f"/pulls/{number}/reviews").json()
    assert (review["state"], review["body"], review["user"]["login"]) == ("CHANGES_REQUESTED", "Not yet", planted.owner)
    [remark] = api.get(f"/pulls/{number}/reviews/{review['id']}/comments").json()
    assert (remark["path"], remark["line"], remark["side"], remark["body"]) == ("a.txt", 2, "RIGHT", "Say it louder")
    assert {first.event, second.event} == set(EVENTS)
    told_of = first if first.event == "pull_request_review" else second
    assert (told_of.payload["action"], told_of.payload["review"]["state"]) == ("submitted", "changes_requested")
    assert told_of.payload["sender"]["login"] == planted.owner


@pytest.mark.parametrize(
    ("form", "state"),
    [
        ({"event": "APPROVE"}, "APPROVED"),
        ({"event": "COMMENT", "body": "Hm"}, "COMMENTED"),
        ({"event": "COMMENT", "path": "a.txt", "remark": "The whole file"}, "COMMENTED"),
    ],
)
def test_a_review_of_any_kind_is_the_chosen_persons(
    devforge: RunningForge,
    planted: Planted,
    api: httpx.Client,
    browser: httpx.Client,
    form: dict[str, str],
    state: str,
) -> None:
    number = make_pull(api, planted)
    reviewer = f"reviewer-{planted.full_name.split('-')[-1]}"
    devforge.control.ask("POST", "/users", {"login": reviewer})
    assert browser.post(path_of(planted, number), data=form | {"as": reviewer}).status_code == 200
    [review] = api.get(f"/pulls/{number}/reviews").json()
    assert (review["state"], review["user"]["login"]) == (state, reviewer)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"event": ""}, "Verdict:"),
        ({"event": "APPLAUD"}, "Verdict:"),
        ({"body": " ", "path": "", "line": "", "remark": ""}, "Text:"),
        ({"path": ""}, "File:"),
        ({"path": "none.txt"}, "File:"),
        ({"remark": " "}, "Remark:"),
        ({"line": "9"}, "Line:"),
        ({"line": "first"}, "Line:"),
        ({"line": "0"}, "Line:"),
        ({"side": "TOP"}, "Side:"),
        ({"side": "LEFT"}, "Line:"),
        ({"as": "nobody-at-all"}, "As:"),
    ],
)
def test_a_review_that_will_not_do_names_the_field_and_posts_nothing(
    planted: Planted, api: httpx.Client, browser: httpx.Client, change: dict[str, str], field: str
) -> None:
    number = make_pull(api, planted, text="hello\nworld\n")
    page = browser.post(path_of(planted, number), data=CHANGES | change)
    assert page.status_code == 422
    assert told(page).startswith(field)
    assert "<title>Error: " in page.text
    assert (CHANGES | change)["body"] in page.text
    assert api.get(f"/pulls/{number}/reviews").json() == []
    assert api.get(f"/pulls/{number}/comments").json() == []


def test_what_was_written_stays_in_a_form_that_comes_back(
    planted: Planted, api: httpx.Client, browser: httpx.Client
) -> None:
    number = make_pull(api, planted)
    written = {
        "event": "REQUEST_CHANGES",
        "body": NASTY,
        "path": "a.txt",
        "line": NASTY,
        "remark": NASTY,
        "side": "LEFT",
    }
    page = browser.post(path_of(planted, number), data=written | {"as": planted.bot})
    assert "<script>" not in page.text
    assert page.text.count(html.escape("<script>alert(1)</script>")) == 3
    for chosen in ('value="REQUEST_CHANGES" required checked', "selected>a.txt", 'value="LEFT" selected'):
        assert chosen in page.text
    assert f"<option selected>{planted.bot}</option>" in page.text


def test_nobody_judges_their_own_pull_request(planted: Planted, api: httpx.Client, browser: httpx.Client) -> None:
    number = make_pull(api, planted)
    page = browser.post(path_of(planted, number), data={"event": "APPROVE", "as": planted.bot})
    assert (page.status_code, told(page)) == (422, "Can not approve your own pull request")
    assert browser.post(path_of(planted, 1), data={"event": "APPROVE"}).status_code == 404


def test_a_verdict_is_dismissed_with_a_reason(planted: Planted, api: httpx.Client, browser: httpx.Client) -> None:
    number = make_pull(api, planted)
    page = browser.post(path_of(planted, number), data={"event": "APPROVE"})
    [review] = api.get(f"/pulls/{number}/reviews").json()
    path = path_of(planted, number, f"reviews/{review['id']}/dismissal")
    assert f'action="{path}"' in page.text
    refused = browser.post(path, data={"message": " "})
    assert (refused.status_code, "Reason:" in refused.text) == (422, True)
    page = browser.post(path, data={"message": "It changed since"})
    assert api.get(f"/pulls/{number}/reviews").json()[0]["state"] == "DISMISSED"
    assert "review_dismissed: It changed since" in page.text
    assert "Dismiss review" not in page.text
    again = browser.post(path, data={"message": "Once more"})
    assert (again.status_code, "Can not dismiss a review that is no verdict" in again.text) == (422, True)
    assert browser.post(path_of(planted, number, "reviews/999999/dismissal"), data={"message": "m"}).status_code == 404
