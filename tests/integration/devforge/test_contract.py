"""Every route the forge serves, walked once, with requests and answers checked against GitHub's description."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.fakes.devforge import RunningForge, devforge, webhook_receiver
from tests.integration.devforge.checked import CheckedClient, b64
from tools.github_contract import contract

from stagewright.processes.devforge.rest.api import ROUTES
from stagewright.processes.devforge.seed import Planted

__all__ = ["devforge"]

Walk = Callable[[CheckedClient, Planted, RunningForge], None]


def test_every_route_keeps_githubs_contract(devforge: RunningForge) -> None:
    planted = devforge.plant()
    client = CheckedClient(devforge.api_url, planted.bot_token)
    walks: list[Walk] = [walk_account, walk_labels, walk_issue, walk_git, walk_pull, walk_reviews, walk_hooks]
    for walk in walks:
        walk(client, planted, devforge)
    called = client.called | walk_app(planted, devforge)
    client.close()
    served = {(route.method, route.template) for route in ROUTES}
    assert served - called == set(), "routes the walk leaves out"


def walk_account(client: CheckedClient, planted: Planted, _: RunningForge) -> None:
    assert client("GET", "/user")["login"] == planted.bot
    assert client("GET", f"/users/{planted.owner}")["type"] == "User"
    client("GET", f"/users/{planted.owner}/repos")
    client("GET", "/rate_limit")
    client("GET", "/meta")
    repo = f"/repos/{planted.full_name}"
    assert client("GET", repo)["default_branch"] == "main"
    assert client("GET", f"{repo}/collaborators/{planted.bot}/permission")["role_name"] == "admin"


def walk_labels(client: CheckedClient, planted: Planted, _: RunningForge) -> None:
    repo, issue = f"/repos/{planted.full_name}", f"/repos/{planted.full_name}/issues/{planted.issue_number}"
    client("POST", f"{repo}/labels", {"name": "run:dev", "color": "1f6feb", "description": "Start dev"}, status=201)
    client("POST", f"{repo}/labels", {"name": "old"}, status=201)
    client("PATCH", f"{repo}/labels/old", {"new_name": "new", "color": "00ff00"})
    assert client("GET", f"{repo}/labels/new")["color"] == "00ff00"
    client("GET", f"{repo}/labels", query={"per_page": "1", "page": "2"})
    client("POST", f"{issue}/labels", {"labels": ["run:dev"]})
    client("POST", f"{issue}/labels", ["new"], well_formed=False)  # the older form, still taken
    client("PUT", f"{issue}/labels", {"labels": ["run:dev", "third"]})
    client("DELETE", f"{issue}/labels/third")
    assert [label["name"] for label in client("GET", f"{issue}/labels")] == ["run:dev"]
    client("DELETE", f"{issue}/labels", status=204)
    client("DELETE", f"{repo}/labels/new", status=204)
    client("DELETE", f"{issue}/labels/absent", status=404)


def walk_issue(client: CheckedClient, planted: Planted, _: RunningForge) -> None:
    repo = f"/repos/{planted.full_name}"
    wish = {"title": "Second", "body": "Text", "labels": ["bug"], "assignees": [planted.bot]}
    number = client("POST", f"{repo}/issues", wish, status=201)["number"]
    issue = f"{repo}/issues/{number}"
    client("PATCH", issue, {"title": "Renamed", "state": "closed", "state_reason": "not_planned"})
    client("PATCH", issue, {"state": "open", "labels": ["bug", "late"], "assignees": []})
    client("GET", issue)
    query = {"state": "all", "labels": "bug", "since": "2020-01-01T00:00:00Z", "sort": "updated", "direction": "asc"}
    assert len(client("GET", f"{repo}/issues", query=query)) == 1
    comment = client("POST", f"{issue}/comments", {"body": "Hello <!-- marker -->"}, status=201)["id"]
    client("PATCH", f"{repo}/issues/comments/{comment}", {"body": "Hello again"})
    client("GET", f"{repo}/issues/comments/{comment}")
    client("GET", f"{repo}/issues/comments", query={"since": "2020-01-01T00:00:00Z", "sort": "updated"})
    client("GET", f"{issue}/comments", query={"per_page": "100"})
    for thing in (issue, f"{repo}/issues/comments/{comment}"):
        reaction = client("POST", f"{thing}/reactions", {"content": "eyes"}, status=201)["id"]
        assert client("POST", f"{thing}/reactions", {"content": "eyes"}, status=200)["id"] == reaction
        client("GET", f"{thing}/reactions", query={"content": "eyes"})
        client("DELETE", f"{thing}/reactions/{reaction}", status=204)
    events = [event["event"] for event in client("GET", f"{issue}/events")]
    assert events == ["labeled", "renamed", "closed", "labeled", "reopened"]
    client("GET", f"{repo}/issues/events")
    assert "commented" in [row["event"] for row in client("GET", f"{issue}/timeline")]
    client("DELETE", f"{repo}/issues/comments/{comment}", status=204)
    found = client("GET", "/search/issues", query={"q": f"repo:{planted.full_name} is:issue Renamed in:title"})
    assert found["total_count"] == 1


def walk_git(client: CheckedClient, planted: Planted, _: RunningForge) -> None:
    repo = f"/repos/{planted.full_name}"
    main = client("GET", f"{repo}/git/ref/heads/main")["object"]["sha"]
    client("POST", f"{repo}/git/refs", {"ref": "refs/heads/feature/a", "sha": main}, status=201)
    wish = {"message": "Add", "content": b64("hello\n"), "branch": "feature/a"}
    made = client("PUT", f"{repo}/contents/docs/hello.txt", wish, status=201)
    again = wish | {"content": b64("bye\n"), "sha": made["content"]["sha"]}
    head = client("PUT", f"{repo}/contents/docs/hello.txt", again, status=200)["commit"]["sha"]
    assert client("GET", f"{repo}/contents/docs/hello.txt", query={"ref": "feature/a"})["encoding"] == "base64"
    client("GET", f"{repo}/contents/docs", query={"ref": "feature/a"})
    client("GET", f"{repo}/branches")
    assert client("GET", f"{repo}/branches/feature/a")["commit"]["sha"] == head
    client("GET", f"{repo}/git/matching-refs/heads/fea")
    tree = client("GET", f"{repo}/git/commits/{head}")["tree"]["sha"]
    rows = client("GET", f"{repo}/git/trees/{tree}", query={"recursive": "1"})["tree"]
    [blob] = [row["sha"] for row in rows if row["path"] == "docs/hello.txt"]
    client("GET", f"{repo}/git/blobs/{blob}")
    client("GET", f"{repo}/commits", query={"sha": "feature/a", "path": "docs/hello.txt"})
    client("GET", f"{repo}/commits/feature/a")
    assert client("GET", f"{repo}/compare/main...feature/a")["ahead_by"] == 2
    client("DELETE", f"{repo}/contents/docs/hello.txt", {"message": "Go", "sha": blob, "branch": "feature/a"})
    client("POST", f"{repo}/git/refs", {"ref": "refs/tags/v1", "sha": main}, status=201)
    client("PATCH", f"{repo}/git/refs/tags/v1", {"sha": head})
    client("DELETE", f"{repo}/git/refs/tags/v1", status=204)


def walk_pull(client: CheckedClient, planted: Planted, _: RunningForge) -> None:
    repo = f"/repos/{planted.full_name}"
    number = open_pull(client, repo, "topic", f"Closes #{planted.issue_number}")
    pull = f"{repo}/pulls/{number}"
    head = f"{planted.owner}:topic"
    assert [one["number"] for one in client("GET", f"{repo}/pulls", query={"head": head, "state": "open"})] == [number]
    assert client("GET", pull)["mergeable"] is True
    client("PATCH", pull, {"title": "Renamed", "body": "Text", "base": "main"})
    client("PATCH", pull, {"state": "closed"})
    client("PATCH", pull, {"state": "open"})
    assert "+topic" in client("GET", pull, headers={"Accept": "application/vnd.github.diff"})
    assert client("GET", f"{pull}/files")[0]["status"] == "added"
    client("GET", f"{pull}/commits")
    client("GET", f"{repo}/issues/{number}")
    client("GET", f"{repo}/issues/{number}/timeline")
    client("POST", f"{pull}/requested_reviewers", {"reviewers": [planted.owner]}, status=201)
    client("GET", f"{pull}/requested_reviewers")
    client("DELETE", f"{pull}/requested_reviewers", {"reviewers": [planted.owner]})
    client("GET", f"{pull}/merge", status=404)
    client("PATCH", pull, {"body": f"Closes #{planted.issue_number}"})
    client("PUT", f"{pull}/merge", {"merge_method": "merge"})
    client("GET", f"{pull}/merge", status=204)
    assert client("GET", f"{repo}/issues/{planted.issue_number}")["state"] == "closed"
    client("GET", f"{repo}/issues/{number}/events")
    client("DELETE", f"{repo}/git/refs/heads/topic", status=204)


def walk_reviews(client: CheckedClient, planted: Planted, forge: RunningForge) -> None:
    repo = f"/repos/{planted.full_name}"
    pull = f"{repo}/pulls/{open_pull(client, repo, 'reviewed', 'Text')}"
    owner = CheckedClient(forge.api_url, planted.owner_token)
    line = {"path": "reviewed.txt", "line": 1, "side": "RIGHT", "body": "Why?"}
    asked = owner("POST", f"{pull}/reviews", {"event": "REQUEST_CHANGES", "body": "No", "comments": [line]})["id"]
    owner("GET", f"{pull}/reviews/{asked}")
    [comment] = owner("GET", f"{pull}/reviews/{asked}/comments")
    client("POST", f"{pull}/comments/{comment['id']}/replies", {"body": "Because."}, status=201)
    client("POST", f"{pull}/comments", line | {"commit_id": comment["commit_id"]}, status=201)
    client("GET", f"{pull}/comments")
    client("GET", f"{repo}/pulls/comments/{comment['id']}")
    client("PUT", f"{pull}/reviews/{asked}/dismissals", {"message": "Settled"})
    pending = owner("POST", f"{pull}/reviews", {"body": "Later"})["id"]
    owner("POST", f"{pull}/reviews/{pending}/events", {"event": "APPROVE"})
    states = [review["state"] for review in client("GET", f"{pull}/reviews")]
    assert states == ["DISMISSED", "COMMENTED", "COMMENTED", "APPROVED"]
    client("GET", f"{repo}/issues/{pull.rpartition('/')[2]}/timeline")
    client("POST", f"{pull}/reviews", {"event": "APPROVE"}, status=422)
    client.called |= owner.called
    owner.close()


def walk_hooks(client: CheckedClient, planted: Planted, forge: RunningForge) -> None:
    hooks = f"/repos/{planted.full_name}/hooks"
    with webhook_receiver() as receiver:
        config = {"url": receiver.url, "content_type": "json", "secret": "s3cret"}
        hook = f"{hooks}/{client('POST', hooks, {'config': config, 'events': ['issues']}, status=201)['id']}"
        assert receiver.take().event == "ping"
        client("GET", hooks)
        client("PATCH", hook, {"add_events": ["push"], "active": True})
        client("POST", f"{hook}/pings", status=204)
        receiver.take()
        assert forge.control.idle()
        assert client("GET", hook)["last_response"]["code"] == 202
        [*_, first] = client("GET", f"{hook}/deliveries")
        client("GET", f"{hook}/deliveries/{first['id']}")
        client("POST", f"{hook}/deliveries/{first['id']}/attempts", status=202)
        assert receiver.take().delivery == first["guid"]
        assert forge.control.idle()
        client("DELETE", hook, status=204)


def walk_app(planted: Planted, forge: RunningForge) -> set[tuple[str, str]]:
    with webhook_receiver() as receiver:
        wish = {
            "owner": planted.owner,
            "slug": "stage-app",
            "permissions": {"issues": "write", "contents": "write", "pull_requests": "write"},
            "events": ["issues"],
            "hook_url": receiver.url,
            "hook_secret": "app-secret",
        }
        app = forge.control.ask("POST", "/apps", wish)
        forge.control.ask("POST", f"/apps/{app['id']}/installations", {"account": planted.owner})
        assert receiver.take().signed_with("app-secret")
        client = CheckedClient(forge.api_url, app_jwt(app))
        assert client("GET", "/app")["slug"] == "stage-app"
        client("GET", "/app/installations")
        installation = client("GET", f"/repos/{planted.full_name}/installation")["id"]
        client("GET", f"/app/installations/{installation}")
        wish = {"repositories": [planted.full_name.partition("/")[2]], "permissions": {"issues": "write"}}
        token = client("POST", f"/app/installations/{installation}/access_tokens", wish, status=201)["token"]
        client("GET", "/app/hook/config")
        client("PATCH", "/app/hook/config", {"url": receiver.url, "content_type": "json", "secret": "other"})
        assert forge.control.idle()
        [delivery] = client("GET", "/app/hook/deliveries")
        client("GET", f"/app/hook/deliveries/{delivery['id']}")
        client("POST", f"/app/hook/deliveries/{delivery['id']}/attempts", status=202)
        assert receiver.take().signed_with("other")
        installed = CheckedClient(forge.api_url, token)
        assert installed("GET", "/installation/repositories")["total_count"] == 1
        client.close()
        installed.close()
        return client.called | installed.called


def app_jwt(app: dict[str, Any]) -> str:
    """Sign what a GitHub App proves itself with."""
    now = int(time.time())
    key = RSAKey.import_key(app["private_key"])
    return jwt.encode({"alg": "RS256"}, {"iat": now - 30, "exp": now + 500, "iss": str(app["id"])}, key)


def open_pull(client: CheckedClient, repo: str, branch: str, body: str) -> int:
    """Make a branch with one file and a pull request of it."""
    main = client("GET", f"{repo}/git/ref/heads/main")["object"]["sha"]
    client("POST", f"{repo}/git/refs", {"ref": f"refs/heads/{branch}", "sha": main}, status=201)
    wish = {"message": f"Add {branch}", "content": b64(f"{branch}\n"), "branch": branch}
    client("PUT", f"{repo}/contents/{branch}.txt", wish, status=201)
    wish = {"title": f"Add {branch}", "head": branch, "base": "main", "body": body}
    number: int = client("POST", f"{repo}/pulls", wish, status=201)["number"]
    return number


def test_a_request_without_its_title_is_a_violation_and_refused(devforge: RunningForge) -> None:
    planted = devforge.plant()
    path = f"/repos/{planted.full_name}/issues"
    assert contract().request_problems("POST", path, {}, {"body": "no title"})
    client = CheckedClient(devforge.api_url, planted.bot_token)
    refused = client("POST", path, {"body": "no title"}, status=422, well_formed=False)
    client.close()
    assert refused["errors"] == [{"resource": "Issue", "field": "title", "code": "missing_field"}]


@pytest.mark.parametrize("broken", ["number", "user", "state"])
def test_an_answer_without_a_required_field_is_a_violation(devforge: RunningForge, broken: str) -> None:
    planted = devforge.plant()
    path = f"/repos/{planted.full_name}/issues/{planted.issue_number}"
    answer = httpx.get(f"{devforge.api_url}{path}", trust_env=False).json()
    assert contract().response_problems("GET", path, 200, answer) == []
    del answer[broken]
    assert contract().response_problems("GET", path, 200, answer)


def test_the_contract_knows_paths_methods_queries_and_nullable_fields() -> None:
    check = contract()
    assert check.request_problems("GET", "/repos/o/r/nothing", {}, None)
    assert check.request_problems("PUT", "/repos/o/r/issues", {}, None)
    assert check.request_problems("GET", "/repos/o/r/issues", {"state": "ajar"}, None)
    assert check.request_problems("GET", "/repos/o/r/issues", {"sate": "open"}, None)
    assert check.request_problems("POST", "/repos/o/r/issues", {}, {"title": "t", "milestone": None}) == []
    assert check.request_problems("POST", "/repos/o/r/issues", {}, {"title": ["t"]})
