"""The pages: labelling and reading by hand, nothing that is written runs, other sites cannot act."""

import html
import re
from collections.abc import Iterator

import httpx
import pytest
from tests.fakes.devforge import RunningForge, webhook_receiver
from tests.integration.devforge.checked import b64
from tests.integration.devforge.conftest import Connect

from stagewright.processes.devforge.seed import Planted

NASTY = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{7*7}}"


@pytest.fixture
def planted(devforge: RunningForge) -> Planted:
    return devforge.plant()


@pytest.fixture
def api(planted: Planted, connect: Connect) -> httpx.Client:
    return connect(f"{planted.api_url}/repos/{planted.full_name}", planted.bot_token)


@pytest.fixture
def browser(devforge: RunningForge) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=devforge.url, follow_redirects=True, trust_env=False, timeout=20) as client:
        yield client


def make_pull(api: httpx.Client, planted: Planted, *, text: str = "hello\n", title: str = "Topic") -> int:
    main = api.get("/git/ref/heads/main").json()["object"]["sha"]
    api.post("/git/refs", json={"ref": "refs/heads/topic", "sha": main})
    api.put("/contents/a.txt", json={"message": title, "content": b64(text), "branch": "topic"})
    wish = {"title": title, "head": "topic", "base": "main", "body": f"Closes #{planted.issue_number}"}
    number: int = api.post("/pulls", json=wish).json()["number"]
    return number


def test_a_label_set_on_the_page_is_an_act_of_the_chosen_person(
    devforge: RunningForge, planted: Planted, api: httpx.Client, browser: httpx.Client
) -> None:
    api.post("/labels", json={"name": "run:dev", "color": "1f6feb"})
    with webhook_receiver() as receiver:
        api.post("/hooks", json={"config": {"url": receiver.url, "content_type": "json"}, "events": ["issues"]})
        receiver.take()
        form = {"add": "run:dev", "new": "", "as": planted.bot}
        page = browser.post(f"/{planted.full_name}/threads/1/labels", data=form)
        labeled = receiver.take()
        browser.post(f"/{planted.full_name}/threads/1/labels", data={"remove": "run:dev"})
        unlabeled = receiver.take()
    assert page.history[0].status_code == 303
    assert "run:dev" in page.text
    assert (labeled.payload["action"], labeled.payload["label"]["name"]) == ("labeled", "run:dev")
    assert labeled.payload["sender"]["login"] == planted.bot
    assert (unlabeled.payload["action"], unlabeled.payload["sender"]["login"]) == ("unlabeled", planted.owner)
    [first, second] = api.get("/issues/1/events").json()
    assert (first["event"], first["actor"]["login"]) == ("labeled", planted.bot)
    assert (second["event"], second["actor"]["login"]) == ("unlabeled", planted.owner)


def test_an_issue_is_opened_commented_and_closed_by_hand(
    planted: Planted, api: httpx.Client, browser: httpx.Client
) -> None:
    assert "Description" in browser.get(f"/{planted.full_name}/issues/new").text
    page = browser.post(f"/{planted.full_name}/issues", data={"title": "By hand", "body": "one\r\ntwo"})
    assert page.url.path == f"/{planted.full_name}/issues/2"
    browser.post(f"/{planted.full_name}/threads/2/comments", data={"body": "Hm."})
    page = browser.post(f"/{planted.full_name}/threads/2/state", data={"to": "closed"})
    assert "Hm." in page.text
    assert "Reopen" in page.text
    issue = api.get("/issues/2").json()
    assert (issue["state"], issue["body"], issue["comments"]) == ("closed", "one\ntwo", 1)
    assert browser.post(f"/{planted.full_name}/issues", data={"title": " "}).status_code == 422
    browser.post(f"/{planted.full_name}/threads/2/state", data={"to": "open"})
    assert api.get("/issues/2").json()["state"] == "open"


def test_a_pull_requests_page_shows_its_diff_and_merges_it(
    planted: Planted, api: httpx.Client, browser: httpx.Client
) -> None:
    number = make_pull(api, planted)
    page = browser.get(f"/{planted.full_name}/pull/{number}")
    assert '<span class="add"><span class="no">          1 </span>+hello</span>' in page.text
    assert browser.get(f"/{planted.full_name}/issues/{number}").url.path.endswith(f"/pull/{number}")
    assert browser.get(f"/{planted.full_name}/pull/1").url.path.endswith("/issues/1")
    assert "+hello" in browser.get(f"/{planted.full_name}/pull/{number}.diff").text
    assert "merged" in browser.post(f"/{planted.full_name}/threads/{number}/state", data={"to": "merged"}).text
    assert api.get("/issues/1").json()["state"] == "closed"


def test_every_page_answers_and_runs_no_scripts(planted: Planted, api: httpx.Client, browser: httpx.Client) -> None:
    number, repo = make_pull(api, planted), f"/{planted.full_name}"
    browser.post(f"{repo}/threads/{number}/reviews", data={"event": "APPROVE", "path": "a.txt", "remark": "All of it"})
    sha = api.get(f"/pulls/{number}").json()["head"]["sha"]
    pages = ["/", repo, f"{repo}/issues", f"{repo}/pulls", f"{repo}/issues/1", f"{repo}/pull/{number}"]
    pages += [f"{repo}/commits/topic", f"{repo}/commit/{sha}", f"{repo}/blob/main/README.md", f"{repo}/issues/new"]
    pages += [f"{repo}/pull/{number}/review"]
    for path in pages:
        page = browser.get(path)
        assert page.status_code == 200, path
        assert "<script" not in page.text
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert 'lang="en"' in page.text
    for path in (
        "/no/such",
        f"{repo}/issues/99",
        f"{repo}/pull/1/review",
        f"{repo}/commit/{'0' * 40}",
        f"{repo}/blob/main/none",
    ):
        assert browser.get(path).status_code == 404, path


def test_what_people_write_is_shown_and_never_run(planted: Planted, api: httpx.Client, browser: httpx.Client) -> None:
    api.post("/labels", json={"name": "<b>bold</b>"})
    number = api.post("/issues", json={"title": NASTY, "body": NASTY, "labels": ["<b>bold</b>"]}).json()["number"]
    api.post(f"/issues/{number}/comments", json={"body": f"{NASTY} [link](javascript:alert(3)) `{NASTY}`"})
    pull = make_pull(api, planted, text=f"{NASTY}\n", title=NASTY)
    repo = f"/{planted.full_name}"
    for path in (f"/issues/{number}", "/issues", f"/pull/{pull}", "/pulls", "/commits/topic", "/blob/topic/a.txt"):
        text = browser.get(repo + path).text
        assert "<script>" not in text, path
        assert "<img" not in text, path
        assert "<b>bold" not in text, path
        assert "49" not in re.sub(r"[0-9a-f]{10,}|#\d+|\d{4}-\d\d-\d\d\S*", "", html.unescape(text)), path
    talk = browser.get(f"{repo}/issues/{number}").text
    assert html.escape("<script>alert(1)</script>") in talk
    assert 'href="javascript' not in talk


def test_markers_in_comments_are_not_shown(planted: Planted, api: httpx.Client, browser: httpx.Client) -> None:
    api.post("/issues/1/comments", json={"body": '**Done**\n\n<!-- stagewright:run-status {"run_id":"x"} -->'})
    page = browser.get(f"/{planted.full_name}/issues/1").text
    assert "<strong>Done</strong>" in page
    assert "run-status" not in page


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_cannot_act(
    devforge: RunningForge, planted: Planted, api: httpx.Client, browser: httpx.Client, headers: dict[str, str]
) -> None:
    refused = browser.post(f"/{planted.full_name}/threads/1/labels", data={"new": "run:dev"}, headers=headers)
    assert refused.status_code == 403
    assert api.get("/issues/1").json()["labels"] == []
    number = make_pull(api, planted)
    form = {"event": "APPROVE"}
    assert browser.post(f"/{planted.full_name}/threads/{number}/reviews", data=form, headers=headers).status_code == 403
    assert api.get(f"/pulls/{number}/reviews").json() == []
    assert browser.post("/_control/users", json={"login": "sneaked-in"}, headers=headers).status_code == 403


def test_the_forges_own_pages_can_act(planted: Planted, browser: httpx.Client, devforge: RunningForge) -> None:
    headers = {"Origin": devforge.url, "Sec-Fetch-Site": "same-origin"}
    page = browser.post(f"/{planted.full_name}/threads/1/labels", data={"new": "run:dev"}, headers=headers)
    assert page.status_code == 200


def test_a_name_that_was_rebound_to_loopback_is_refused(browser: httpx.Client) -> None:
    for path in ("/", "/_control/requests", "/api/meta"):
        assert browser.get(path, headers={"Host": "evil.example"}).status_code == 403
    assert browser.get("/", headers={"Host": "localhost:1234"}).status_code == 200
