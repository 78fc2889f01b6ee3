"""Rate limits, conditional requests, and faults that are injected on purpose."""

import time

import httpx
import pytest
from tests.fakes.devforge import RunningForge, git, with_token
from tests.integration.devforge.checked import b64
from tests.integration.devforge.conftest import Connect

from stagewright.processes.devforge.seed import Planted


@pytest.fixture
def planted(devforge: RunningForge) -> Planted:
    return devforge.plant()


@pytest.fixture
def api(planted: Planted, connect: Connect) -> httpx.Client:
    return connect(f"{planted.api_url}/repos/{planted.full_name}", planted.bot_token)


def left(answer: httpx.Response) -> int:
    return int(answer.headers["X-RateLimit-Remaining"])


def test_every_answer_tells_the_limit_and_a_request_id(api: httpx.Client) -> None:
    first, second, wrong = api.get("/issues"), api.get("/issues"), api.get("/issues/99")
    assert (left(first) - left(second), left(second) - left(wrong)) == (1, 1)
    assert first.headers["X-RateLimit-Resource"] == "core"
    assert first.headers["X-GitHub-Request-Id"] != second.headers["X-GitHub-Request-Id"]


def test_an_unchanged_thing_costs_nothing(api: httpx.Client, planted: Planted) -> None:
    first = api.get("/issues")
    same = api.get("/issues", headers={"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.content, left(same)) == (304, b"", left(first))
    assert same.headers["ETag"] == first.headers["ETag"]
    api.post(f"/issues/{planted.issue_number}/comments", json={"body": "News"})
    other = api.get("/issues", headers={"If-None-Match": first.headers["ETag"]})
    assert (other.status_code, left(other)) == (200, left(first) - 2)


def test_a_used_up_limit_refuses_until_it_resets(
    devforge: RunningForge, planted: Planted, api: httpx.Client, connect: Connect
) -> None:
    devforge.control.ask("POST", "/rate_limit", {"user": planted.bot, "remaining": 1})
    assert left(api.get("/issues")) == 0
    refused = api.get("/issues")
    assert refused.status_code == 403
    assert refused.json()["message"].startswith("API rate limit exceeded")
    assert left(refused) == 0
    assert connect(planted.api_url, planted.bot_token).get("/rate_limit").status_code == 403
    assert connect(planted.api_url, planted.owner_token).get("/user").status_code == 200
    devforge.control.advance(3601)
    assert api.get("/issues").status_code == 200


def test_searching_has_a_limit_of_its_own(planted: Planted, connect: Connect) -> None:
    api = connect(planted.api_url, planted.bot_token)
    found = api.get("/search/issues", params={"q": f"repo:{planted.full_name} hello"})
    assert (found.headers["X-RateLimit-Resource"], found.headers["X-RateLimit-Limit"]) == ("search", "30")
    resources = api.get("/rate_limit").json()["resources"]
    assert resources["search"]["used"] == 1


def test_a_secondary_limit_says_when_to_come_back(devforge: RunningForge, planted: Planted, api: httpx.Client) -> None:
    path = f"/repos/{planted.full_name}/issues$"
    devforge.control.fault(method="POST", path=path, rate_limit={"kind": "secondary", "retry_after": 7})
    refused = api.post("/issues", json={"title": "T"})
    assert (refused.status_code, refused.headers["Retry-After"]) == (403, "7")
    assert "secondary rate limit" in refused.json()["message"]
    assert left(refused) > 0
    devforge.control.fault(method="POST", path=path, rate_limit={"kind": "secondary", "status": 429})
    assert api.post("/issues", json={"title": "T"}).status_code == 429
    assert api.post("/issues", json={"title": "T"}).status_code == 201


def test_a_primary_limit_can_be_ordered_for_one_request(
    devforge: RunningForge, planted: Planted, api: httpx.Client
) -> None:
    reset = int(time.time()) + 10_000
    devforge.control.fault(path=f"{planted.full_name}/labels$", rate_limit={"kind": "primary", "reset": reset})
    refused = api.get("/labels")
    assert (refused.status_code, left(refused)) == (403, 0)
    assert refused.headers["X-RateLimit-Reset"] == str(reset)
    devforge.control.ask("POST", "/rate_limit", {"user": planted.bot, "remaining": 100})
    assert api.get("/labels").status_code == 200


def test_a_fault_meets_so_many_requests_of_its_method_and_path(
    devforge: RunningForge, planted: Planted, api: httpx.Client
) -> None:
    path = f"/repos/{planted.full_name}/issues/1/comments"
    devforge.control.fault(method="POST", path=path, times=2, status=502)
    statuses = [api.post("/issues/1/comments", json={"body": "B"}).status_code for _ in range(3)]
    assert statuses == [502, 502, 201]
    assert api.get("/issues/1/comments").json()[0]["body"] == "B"
    assert len(api.get("/issues/1/comments").json()) == 1


def test_a_dropped_request_was_not_processed(devforge: RunningForge, planted: Planted, api: httpx.Client) -> None:
    devforge.control.fault(method="POST", path=f"{planted.full_name}/issues$", drop_before=True)
    with pytest.raises(httpx.RemoteProtocolError):
        api.post("/issues", json={"title": "Lost"})
    assert len(api.get("/issues").json()) == 1


def test_a_pull_request_can_be_opened_and_its_answer_lost(
    devforge: RunningForge, planted: Planted, api: httpx.Client
) -> None:
    main = api.get("/git/ref/heads/main").json()["object"]["sha"]
    api.post("/git/refs", json={"ref": "refs/heads/topic", "sha": main})
    api.put("/contents/a.txt", json={"message": "M", "content": b64("a"), "branch": "topic"})
    devforge.control.fault(method="POST", path=f"{planted.full_name}/pulls$", drop_after=True)
    wish = {"title": "T", "head": "topic", "base": "main"}
    with pytest.raises(httpx.RemoteProtocolError):
        api.post("/pulls", json=wish)
    [pull] = api.get("/pulls", params={"head": f"{planted.owner}:topic", "state": "all"}).json()
    assert pull["title"] == "T"
    again = api.post("/pulls", json=wish)
    assert again.status_code == 422
    assert "A pull request already exists" in again.json()["errors"][0]["message"]


def test_an_error_can_come_after_the_work_was_done(devforge: RunningForge, planted: Planted, api: httpx.Client) -> None:
    devforge.control.fault(method="POST", path=f"{planted.full_name}/issues/1/comments$", status=502, after=True)
    assert api.post("/issues/1/comments", json={"body": "Done"}).status_code == 502
    assert [one["body"] for one in api.get("/issues/1/comments").json()] == ["Done"]


def test_a_slow_answer_meets_the_clients_deadline(devforge: RunningForge, planted: Planted, api: httpx.Client) -> None:
    devforge.control.fault(method="GET", path=f"{planted.full_name}/issues$", delay_ms=400)
    with pytest.raises(httpx.ReadTimeout):
        api.get("/issues", timeout=0.05)
    assert api.get("/issues").status_code == 200


def test_faults_meet_git_too(
    devforge: RunningForge, planted: Planted, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("git")
    git(folder, "clone", "--quiet", with_token(planted.clone_url, planted.bot_token), "work")
    work = folder / "work"
    git(work, "checkout", "--quiet", "-b", "topic")
    git(work, "commit", "--quiet", "--allow-empty", "-m", "Empty")
    devforge.control.fault(method="POST", path=f"{planted.full_name}.git/git-receive-pack", drop_after=True)
    assert git(work, "push", "origin", "topic", check=False).returncode != 0
    assert "refs/heads/topic" in git(work, "ls-remote", "origin").stdout
    devforge.control.fault(path=f"{planted.full_name}.git/info/refs", status=503)
    assert git(work, "ls-remote", "origin", check=False).returncode != 0


def test_the_journal_keeps_requests_without_their_credentials(
    devforge: RunningForge, planted: Planted, api: httpx.Client
) -> None:
    api.post("/issues/1/comments", json={"body": "Noted"})
    [entry] = devforge.control.requests("POST", f"{planted.full_name}/issues/1/comments")
    assert (entry["body"], entry["status"], entry["login"]) == ({"body": "Noted"}, 201, planted.bot)
    assert entry["authorized_by"] == "bearer"
    assert planted.bot_token not in str(devforge.control.requests())
    [effect] = [one for one in devforge.control.effects() if one["repository"] == planted.full_name][-1:]
    assert (effect["event"], effect["actor"], effect["number"]) == ("issue_comment.created", planted.bot, 1)


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({}, "exactly one of"),
        ({"status": 500, "drop_after": True}, "exactly one of"),
        ({"status": 500, "path": "("}, "path is no regular expression"),
        ({"status": "500"}, "status must be a whole number"),
        ({"status": 500, "often": 2}, "unknown field 'often'"),
        ({"rate_limit": {"kind": "tertiary"}}, "rate_limit takes"),
    ],
)
def test_a_wrong_fault_is_refused_by_name(devforge: RunningForge, wish: dict[str, object], told: str) -> None:
    answer = httpx.post(f"{devforge.url}/_control/faults", json=wish, trust_env=False)
    assert answer.status_code == 422
    assert told in answer.json()["message"]
