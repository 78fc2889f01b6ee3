"""The REST door beyond its shapes: pages and filters, GitHub's refusals, searching."""

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


def test_a_long_list_is_walked_by_its_links(api: httpx.Client) -> None:
    for number in range(7):
        api.post("/labels", json={"name": f"label-{number}"})
    answer, names = api.get("/labels", params={"per_page": 3}), []
    last = answer.links["last"]["url"]
    while True:
        names += [label["name"] for label in answer.json()]
        if "next" not in answer.links:
            break
        answer = api.get(answer.links["next"]["url"])
    assert names == [f"label-{number}" for number in range(7)]
    assert httpx.URL(last).params["page"] == "3"
    assert {"prev", "first"} <= answer.links.keys()
    assert api.get("/labels", params={"per_page": 3, "page": 9}).json() == []
    assert "link" not in api.get("/labels", params={"per_page": 100}).headers


def test_issues_are_listed_as_asked(devforge: RunningForge, api: httpx.Client) -> None:
    for title, labels in (("two", ["a"]), ("three", ["a", "b"])):
        api.post("/issues", json={"title": title, "labels": labels})
    devforge.control.ask("POST", "/clock", {"advance_seconds": 10})
    api.patch("/issues/2", json={"state": "closed"})

    def numbers(**query: str) -> list[int]:
        return [issue["number"] for issue in api.get("/issues", params=query).json()]

    assert numbers() == [3, 1]
    assert numbers(state="all") == [3, 2, 1]
    assert numbers(state="closed") == [2]
    assert numbers(labels="A,b", state="all") == [3]
    assert numbers(state="all", sort="created", direction="asc") == [1, 2, 3]
    moment = devforge.control.ask("POST", "/clock", {"advance_seconds": 10})["now"]
    api.post("/issues/1/comments", json={"body": "news"})
    assert numbers(state="all", since=moment) == [1]
    assert numbers(state="all", sort="updated") == [1, 2, 3]
    assert api.get("/issues", params={"since": "yesterday"}).status_code == 422
    assert api.get("/issues", params={"state": "ajar"}).status_code == 422


def test_label_events_tell_who_and_when(devforge: RunningForge, api: httpx.Client, planted: Planted) -> None:
    moment = devforge.control.ask("POST", "/clock", {"advance_seconds": 100})["now"]
    api.post("/issues/1/labels", json={"labels": ["run:dev"]})
    api.post("/issues/1/labels", json={"labels": ["RUN:DEV"]})
    [event] = api.get("/issues/1/events").json()
    assert (event["event"], event["label"]["name"], event["actor"]["login"]) == ("labeled", "run:dev", planted.bot)
    assert event["created_at"] >= moment[:19] + "Z"
    assert api.get("/issues/1").json()["updated_at"] == event["created_at"]
    assert event in api.get("/issues/1/timeline").json()


def test_removing_a_label_that_is_not_there_is_a_404(api: httpx.Client) -> None:
    answer = api.delete("/issues/1/labels/absent")
    assert (answer.status_code, answer.json()["message"]) == (404, "Label does not exist")


def test_a_label_with_a_slash_has_an_address(api: httpx.Client) -> None:
    api.post("/labels", json={"name": "area/api x"})
    assert api.get("/labels/area%2Fapi%20x").json()["name"] == "area/api x"
    api.post("/issues/1/labels", json={"labels": ["area/api x"]})
    assert api.delete("/issues/1/labels/area%2Fapi%20x").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "told"),
    [
        ("POST", "/issues", {"title": 7}, 422, "is not a string"),
        ("POST", "/issues", {"title": "T", "labels": "a"}, 422, "is not an array"),
        ("POST", "/issues", [], 400, "JSON object"),
        ("POST", "/labels", {"name": "x", "color": "red"}, 422, "color"),
        ("POST", "/labels", {"name": "x" * 51}, 422, "too long"),
        ("POST", "/issues/1/comments", {"body": " "}, 422, "missing_field"),
        ("POST", "/issues/1/comments", {"body": "x" * 65_537}, 422, "too long"),
        ("POST", "/issues/1/reactions", {"content": "shrug"}, 422, "content"),
        ("POST", "/pulls", {"title": "T", "head": "none", "base": "main"}, 422, "head"),
        ("POST", "/pulls", {"title": "T", "head": "main", "base": "main"}, 422, "No commits between"),
        ("POST", "/git/refs", {"ref": "main", "sha": "0" * 40}, 422, "Reference name"),
        ("POST", "/git/refs", {"ref": "refs/heads/x", "sha": "0" * 40}, 422, "Object does not exist"),
        ("PUT", "/contents/README.md", {"message": "M", "content": b64("x")}, 422, "sha"),
        ("PUT", "/contents/README.md", {"message": "M", "content": b64("x"), "sha": "0" * 40}, 409, "does not match"),
        ("PUT", "/contents/.git/config", {"message": "M", "content": b64("x")}, 422, "malformed path"),
        ("POST", "/hooks", {"config": {"url": "ftp://x"}}, 422, "http or https"),
        ("POST", "/hooks", {}, 422, "config"),
        ("POST", "/issues", {"title": "a\0b"}, 422, "null bytes"),
        ("GET", "/contents/a%00b", None, 400, "null bytes"),
        ("GET", "/commits?path=a%00b", None, 400, "null bytes"),
        ("GET", "/issues/none", None, 404, "Not Found"),
        ("GET", "/nothing/here", None, 404, "Not Found"),
        ("GET", "/contents/none", None, 404, "Not Found"),
        ("GET", "/commits/none", None, 404, "No commit found"),
        ("GET", "/compare/main", None, 404, "Not Found"),
    ],
)
def test_what_github_refuses_is_refused(
    api: httpx.Client, method: str, path: str, body: object, status: int, told: str
) -> None:
    answer = api.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    assert told in answer.text
    assert {"message", "documentation_url"} <= answer.json().keys()


def test_broken_json_is_a_400(api: httpx.Client) -> None:
    answer = api.post("/issues", content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["message"]) == (400, "Problems parsing JSON")


def test_an_existing_label_is_refused_in_any_case(api: httpx.Client) -> None:
    api.post("/labels", json={"name": "Run"})
    answer = api.post("/labels", json={"name": "run"})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "already_exists")


def test_a_marker_in_a_comment_is_found_by_searching(planted: Planted, api: httpx.Client, connect: Connect) -> None:
    api.post("/issues/1/comments", json={"body": "Status <!-- marker-77 -->"})
    search = connect(planted.api_url, planted.bot_token)

    def found(q: str) -> int:
        total: int = search.get("/search/issues", params={"q": f"repo:{planted.full_name} {q}"}).json()["total_count"]
        return total

    assert found("marker-77") == 1
    assert found('"marker-77 -->" in:comments') == 1
    assert found("marker-77 in:title") == 0
    assert found("is:pr") == 0
    assert found(f"is:issue is:open author:{planted.owner}") == 1
    assert found(f"author:{planted.bot}") == 0


def test_a_private_repository_is_not_found_by_searching(devforge: RunningForge, connect: Connect) -> None:
    private = devforge.plant(private=True, issue_title="hidden-treasure")
    q = {"q": "hidden-treasure"}
    assert connect(devforge.api_url).get("/search/issues", params=q).json()["total_count"] == 0
    owner = connect(devforge.api_url, private.owner_token)
    assert owner.get("/search/issues", params=q).json()["total_count"] == 1
    assert owner.get("/search/issues", params={"q": '"open'}).status_code == 422


def test_files_are_read_at_a_ref_and_raw(api: httpx.Client) -> None:
    main = api.get("/git/ref/heads/main").json()["object"]["sha"]
    api.put("/contents/dir/b.txt", json={"message": "M", "content": b64("later\n")})
    assert [row["path"] for row in api.get("/contents/dir").json()] == ["dir/b.txt"]
    assert {row["type"] for row in api.get("/contents/").json()} == {"file", "dir"}
    assert api.get("/contents/dir/b.txt", params={"ref": main}).status_code == 404
    raw = api.get("/contents/dir/b.txt", headers={"Accept": "application/vnd.github.raw+json"})
    assert raw.text == "later\n"
