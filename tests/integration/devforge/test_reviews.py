"""Reviews, bases and refs: what GitHub refuses there, the forge refuses too."""

import httpx
import pytest
from tests.fakes.devforge import RunningForge
from tests.integration.devforge.checked import b64
from tests.integration.devforge.conftest import Connect

from stagewright.processes.devforge.seed import Planted


@pytest.fixture
def planted(devforge: RunningForge) -> Planted:
    return devforge.plant()


@pytest.fixture
def api(planted: Planted, connect: Connect) -> httpx.Client:
    return connect(f"{planted.api_url}/repos/{planted.full_name}", planted.bot_token)


@pytest.fixture
def owner(planted: Planted, connect: Connect) -> httpx.Client:
    return connect(f"{planted.api_url}/repos/{planted.full_name}", planted.owner_token)


@pytest.fixture
def pull(api: httpx.Client) -> str:
    """Open a pull request of the bot and return its path."""
    branch(api, "topic")
    made = api.post("/pulls", json={"title": "T", "head": "topic", "base": "main", "draft": True})
    assert made.json()["draft"] is True
    return f"/pulls/{made.json()['number']}"


def branch(api: httpx.Client, name: str) -> str:
    main: str = api.get("/git/ref/heads/main").json()["object"]["sha"]
    api.post("/git/refs", json={"ref": f"refs/heads/{name}", "sha": main})
    api.put(f"/contents/{name}.txt", json={"message": "M", "content": b64("one\n"), "branch": name})
    return main


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"event": "APPLAUD"}, "event"),
        ({"event": "REQUEST_CHANGES"}, "Body can't be blank"),
        ({"event": "COMMENT", "comments": ["x"]}, "is not an object"),
        ({"event": "COMMENT", "comments": [{"path": "topic.txt"}]}, "missing_field"),
        ({"event": "COMMENT", "comments": [{"path": "topic.txt", "body": "B", "line": "1"}]}, "not an integer"),
        ({"event": "COMMENT", "comments": [{"path": "topic.txt", "body": "B", "side": "TOP"}]}, "side"),
    ],
)
def test_a_malformed_review_is_refused(owner: httpx.Client, pull: str, wish: dict[str, object], told: str) -> None:
    answer = owner.post(f"{pull}/reviews", json=wish)
    assert answer.status_code == 422
    assert told in answer.text
    assert owner.get(f"{pull}/reviews").json() == []


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"path": "none.txt", "body": "B", "line": 1}, "path"),
        ({"path": "topic.txt", "body": "B", "line": 9}, "must be part of the diff"),
        ({"body": "B"}, "path"),
        ({"body": "B", "in_reply_to": 1}, "Not Found"),
    ],
)
def test_a_comment_outside_the_diff_is_refused(
    owner: httpx.Client, pull: str, wish: dict[str, object], told: str
) -> None:
    answer = owner.post(f"{pull}/comments", json=wish)
    assert answer.status_code in (404, 422)
    assert told in answer.text
    assert owner.get(f"{pull}/reviews").json() == []


def test_a_review_with_a_remark_outside_the_diff_is_refused_as_a_whole(owner: httpx.Client, pull: str) -> None:
    remarks = [{"path": "topic.txt", "body": "Here", "line": 1}, {"path": "topic.txt", "body": "There", "line": 9}]
    wish = {"event": "REQUEST_CHANGES", "body": "Both", "comments": remarks}
    assert owner.post(f"{pull}/reviews", json=wish).status_code == 422
    assert owner.get(f"{pull}/reviews").json() == []
    assert owner.get(f"{pull}/comments").json() == []
    assert owner.post(f"{pull}/reviews", json=wish | {"comments": remarks[:1]}).status_code == 200
    assert [one["body"] for one in owner.get(f"{pull}/comments").json()] == ["Here"]


def test_answers_to_a_line_join_its_thread(api: httpx.Client, owner: httpx.Client, pull: str) -> None:
    first = owner.post(f"{pull}/comments", json={"path": "topic.txt", "body": "Why?", "line": 1}).json()
    second = api.post(f"{pull}/comments", json={"body": "So.", "in_reply_to": first["id"]}).json()
    third = owner.post(f"{pull}/comments/{second['id']}/replies", json={"body": "Ah."}).json()
    assert second["in_reply_to_id"] == third["in_reply_to_id"] == first["id"]
    whole = owner.post(f"{pull}/comments", json={"path": "topic.txt", "body": "All of it"}).json()
    assert (whole["subject_type"], "line" in whole) == ("file", False)
    assert owner.get(f"/pulls/comments/{first['id'] + 999}").status_code == 404


def test_only_verdicts_are_dismissed_and_only_pending_reviews_submitted(owner: httpx.Client, pull: str) -> None:
    said = owner.post(f"{pull}/reviews", json={"event": "COMMENT", "body": "Hm"}).json()["id"]
    assert owner.put(f"{pull}/reviews/{said}/dismissals", json={"message": "m"}).status_code == 422
    assert owner.post(f"{pull}/reviews/{said}/events", json={"event": "APPROVE"}).status_code == 422
    assert owner.post(f"{pull}/reviews/{said}/events", json={}).status_code == 422
    assert owner.get(f"{pull}/reviews/999999").status_code == 404


def test_a_pending_review_is_seen_by_its_author_only(api: httpx.Client, owner: httpx.Client, pull: str) -> None:
    owner.post(f"{pull}/reviews", json={"body": "Not yet"})
    assert [one["state"] for one in owner.get(f"{pull}/reviews").json()] == ["PENDING"]
    assert api.get(f"{pull}/reviews").json() == []


def test_reviewers_are_collaborators_and_not_the_author(api: httpx.Client, planted: Planted, pull: str) -> None:
    for login in (planted.bot, "nobody-at-all"):
        answer = api.post(f"{pull}/requested_reviewers", json={"reviewers": [login]})
        assert answer.status_code == 422
    api.post(f"{pull}/requested_reviewers", json={"reviewers": [planted.owner]})
    api.post(f"{pull}/requested_reviewers", json={"reviewers": [planted.owner]})
    assert len(api.get(f"{pull}/requested_reviewers").json()["users"]) == 1


def test_a_pull_request_changes_its_base(api: httpx.Client, pull: str) -> None:
    branch(api, "release")
    changed = api.patch(pull, json={"base": "release"}).json()
    assert changed["base"]["ref"] == "release"
    assert [one["number"] for one in api.get("/pulls", params={"base": "release"}).json()] == [changed["number"]]
    assert api.patch(pull, json={"base": "none"}).status_code == 422


def test_a_merge_expects_the_head_it_was_decided_on(api: httpx.Client, pull: str) -> None:
    assert api.put(f"{pull}/merge", json={"sha": "0" * 40}).status_code == 409
    assert api.put(f"{pull}/merge", json={"merge_method": "octopus"}).status_code == 422


def test_a_ref_moves_forward_only_unless_forced(api: httpx.Client) -> None:
    main = branch(api, "topic")
    assert api.patch("/git/refs/heads/topic", json={"sha": main}).status_code == 422
    assert api.patch("/git/refs/heads/topic", json={"sha": main, "force": True}).status_code == 200
    assert api.patch("/git/refs/heads/none", json={"sha": main}).status_code == 404
    assert api.post("/git/refs", json={"ref": "refs/heads/topic", "sha": main}).status_code == 422
    assert api.delete("/git/refs/heads/none").status_code == 422
    assert api.get("/git/commits/" + "0" * 40).status_code == 404
    assert api.get("/git/blobs/none").status_code == 404
    assert api.get("/git/trees/none").status_code == 404


def test_a_comparison_tells_how_two_commits_stand(api: httpx.Client, planted: Planted) -> None:
    branch(api, "one")
    branch(api, "two")
    assert api.get("/compare/main...one").json()["status"] == "ahead"
    assert api.get(f"/compare/{planted.owner}:one...main").json()["status"] == "behind"
    assert api.get("/compare/one...two").json()["status"] == "diverged"
    assert api.get("/compare/one...one").json()["status"] == "identical"
    diff = api.get("/compare/main...one", headers={"Accept": "application/vnd.github.diff"}).text
    assert "+++ b/one.txt" in diff
    assert "+one" in api.get("/commits/one", headers={"Accept": "application/vnd.github.v3.diff"}).text


def test_a_file_is_deleted_by_its_version(api: httpx.Client) -> None:
    sha = api.get("/contents/README.md").json()["sha"]
    assert api.request("DELETE", "/contents/none.md", json={"message": "M", "sha": sha}).status_code == 404
    gone = api.request("DELETE", "/contents/README.md", json={"message": "M", "sha": sha})
    assert (gone.status_code, gone.json()["content"]) == (200, None)
    assert api.get("/contents/README.md").status_code == 404
