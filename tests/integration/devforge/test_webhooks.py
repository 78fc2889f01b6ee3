"""Webhooks: signed, in order, in GitHub's shapes, never retried; lost and doubled on request."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from tests.fakes.devforge import Received, Receiver, RunningForge, git, webhook_receiver, with_token
from tests.integration.devforge.checked import b64
from tests.integration.devforge.conftest import Connect
from tools.github_contract import contract

from stagewright.processes.devforge.seed import Planted

SECRET = "a webhook secret"


@pytest.fixture
def planted(devforge: RunningForge) -> Planted:
    return devforge.plant()


@pytest.fixture
def api(planted: Planted, connect: Connect) -> httpx.Client:
    return connect(f"{planted.api_url}/repos/{planted.full_name}", planted.bot_token)


@contextmanager
def hooked(api: httpx.Client) -> Iterator[Receiver]:
    with webhook_receiver() as receiver:
        config = {"url": receiver.url, "content_type": "json", "secret": SECRET}
        made = api.post("/hooks", json={"config": config, "events": ["*"]})
        assert made.status_code == 201, made.text
        assert receiver.take().event == "ping"
        yield receiver
        api.delete(f"/hooks/{made.json()['id']}")


def arrived(forge: RunningForge, receiver: Receiver) -> list[Received]:
    assert forge.control.idle()
    return receiver.take_all()


def names(received: list[Received]) -> list[str]:
    return [f"{one.event}.{one.payload['action']}" if "action" in one.payload else one.event for one in received]


def test_a_webhook_is_signed_over_its_raw_bytes(devforge: RunningForge, planted: Planted, api: httpx.Client) -> None:
    with hooked(api) as receiver:
        api.post(f"/issues/{planted.issue_number}/labels", json={"labels": ["run:dev"]})
        created, labeled = arrived(devforge, receiver)
    assert created.event == "label"
    assert labeled.event == "issues"
    assert labeled.signed_with(SECRET)
    assert not labeled.signed_with("another secret")
    assert UUID(labeled.delivery).version == 4
    assert labeled.payload["label"]["name"] == "run:dev"
    assert labeled.payload["sender"]["login"] == planted.bot
    assert labeled.headers["user-agent"].startswith("GitHub-Hookshot/")
    assert labeled.headers["x-github-hook-installation-target-type"] == "repository"


def test_issue_webhooks_come_in_order_and_in_githubs_shape(
    devforge: RunningForge, planted: Planted, api: httpx.Client
) -> None:
    with hooked(api) as receiver:
        issue = f"/issues/{api.post('/issues', json={'title': 'T', 'labels': ['a']}).json()['number']}"
        api.put(f"{issue}/labels", json={"labels": ["b"]})
        comment = api.post(f"{issue}/comments", json={"body": "one"}).json()["id"]
        api.patch(f"/issues/comments/{comment}", json={"body": "two"})
        api.delete(f"/issues/comments/{comment}")
        api.patch(issue, json={"title": "U", "state": "closed"})
        api.patch(issue, json={"state": "open", "assignees": [planted.bot]})
        api.patch("/labels/b", json={"color": "ff0000"})
        api.delete("/labels/b")
        found = arrived(devforge, receiver)
    assert names(found) == [
        *("label.created", "issues.opened", "issues.labeled"),
        *("issues.unlabeled", "label.created", "issues.labeled"),
        *("issue_comment.created", "issue_comment.edited", "issue_comment.deleted"),
        *("issues.edited", "issues.closed", "issues.assigned", "issues.reopened"),
        *("label.edited", "label.deleted"),
    ]
    for one in found:
        assert contract().webhook_problems(one.event, one.payload) == []


def test_pull_request_webhooks_come_in_githubs_shape(
    devforge: RunningForge, planted: Planted, api: httpx.Client, connect: Connect, tmp_path: Path
) -> None:
    owner = connect(str(api.base_url), planted.owner_token)
    with hooked(api) as receiver:
        work = clone(planted, tmp_path)
        commit(work, "topic.txt", "one\n", branch="topic")
        git(work, "push", "origin", "topic")
        wish = {"title": "T", "head": "topic", "base": "main", "body": f"Closes #{planted.issue_number}"}
        pull = f"/pulls/{api.post('/pulls', json=wish).json()['number']}"
        api.post(f"{pull}/requested_reviewers", json={"reviewers": [planted.owner]})
        line = {"path": "topic.txt", "line": 1, "body": "Why?"}
        owner.post(f"{pull}/reviews", json={"event": "REQUEST_CHANGES", "body": "No", "comments": [line]})
        commit(work, "topic.txt", "two\n")
        git(work, "push", "origin", "topic")
        api.post(f"{pull.replace('pulls', 'issues')}/labels", json={"labels": ["need:reviewer"]})
        api.put(f"{pull}/merge", json={})
        found = arrived(devforge, receiver)
    assert names(found) == [
        *("push", "pull_request.opened", "pull_request.review_requested"),
        *("pull_request_review.submitted", "pull_request_review_comment.created"),
        *("push", "pull_request.synchronize", "label.created", "pull_request.labeled"),
        *("pull_request.closed", "push", "issues.closed"),
    ]
    for one in found:
        assert contract().webhook_problems(one.event, one.payload) == []
    broken = {name: value for name, value in found[1].payload.items() if name != "pull_request"}
    assert contract().webhook_problems("pull_request", broken)
    synchronize = found[6].payload
    assert synchronize["after"] == synchronize["pull_request"]["head"]["sha"] != synchronize["before"]
    assert found[9].payload["pull_request"]["merged"] is True
    assert found[3].payload["review"]["state"] == "changes_requested"


def test_a_push_webhook_tells_commits_and_files(
    devforge: RunningForge, planted: Planted, api: httpx.Client, tmp_path: Path
) -> None:
    work = clone(planted, tmp_path)
    commit(work, "a.txt", "a\n", branch="topic")
    git(work, "mv", "a.txt", "b.txt")
    commit(work, "c.txt", "c\n")
    with hooked(api) as receiver:
        git(work, "push", "origin", "topic")
        api.put("/contents/d.txt", json={"message": "Add d", "content": b64("d"), "branch": "topic"})
        git(work, "push", "origin", "--delete", "topic")
        pushed, written, deleted = arrived(devforge, receiver)
    first, second = pushed.payload["commits"]
    assert (first["added"], second["added"], second["removed"]) == (["a.txt"], ["b.txt", "c.txt"], ["a.txt"])
    assert (pushed.payload["created"], pushed.payload["ref"]) == (True, "refs/heads/topic")
    assert written.payload["head_commit"]["message"] == "Add d"
    assert (deleted.payload["deleted"], deleted.payload["head_commit"]) == (True, None)


def test_a_refused_webhook_is_not_retried_but_can_be_redelivered(
    devforge: RunningForge, planted: Planted, api: httpx.Client
) -> None:
    with hooked(api) as receiver:
        hook = api.get("/hooks").json()[0]["id"]
        receiver.answers = [500]
        api.post(f"/issues/{planted.issue_number}/comments", json={"body": "Hello"})
        [refused] = arrived(devforge, receiver)
        listed = api.get(f"/hooks/{hook}/deliveries").json()[0]
        assert (listed["status_code"], listed["guid"], listed["redelivery"]) == (500, refused.delivery, False)
        assert api.post(f"/hooks/{hook}/deliveries/{listed['id']}/attempts").status_code == 202
        [again] = arrived(devforge, receiver)
        listed = api.get(f"/hooks/{hook}/deliveries").json()[0]
    assert (again.delivery, again.raw, again.signature) == (refused.delivery, refused.raw, refused.signature)
    assert (listed["status_code"], listed["status"], listed["redelivery"]) == (202, "OK", True)


def test_webhooks_are_lost_and_doubled_on_request(devforge: RunningForge, planted: Planted, api: httpx.Client) -> None:
    issue = f"/issues/{planted.issue_number}/comments"
    with hooked(api) as receiver:
        devforge.control.webhooks(drop=1)
        api.post(issue, json={"body": "lost"})
        devforge.control.webhooks(duplicate=1)
        api.post(issue, json={"body": "twice"})
        api.post(issue, json={"body": "once"})
        found = arrived(devforge, receiver)
        hook = api.get("/hooks").json()[0]["id"]
        lost = api.get(f"/hooks/{hook}/deliveries").json()[-2]
    assert [one.payload["comment"]["body"] for one in found] == ["twice", "twice", "once"]
    assert found[0].delivery == found[1].delivery != found[2].delivery
    assert lost["status"] == "dropped"


def test_a_hook_gets_only_its_events_and_nothing_when_inactive(
    devforge: RunningForge, planted: Planted, api: httpx.Client
) -> None:
    with webhook_receiver() as receiver:
        config = {"url": receiver.url, "content_type": "form"}
        hook = f"/hooks/{api.post('/hooks', json={'config': config, 'events': ['issues']}).json()['id']}"
        receiver.take()
        api.post(f"/issues/{planted.issue_number}/comments", json={"body": "not wanted"})
        api.patch(f"/issues/{planted.issue_number}", json={"title": "Wanted"})
        [edited] = arrived(devforge, receiver)
        api.patch(hook, json={"active": False})
        api.patch(f"/issues/{planted.issue_number}", json={"title": "Unheard"})
        assert arrived(devforge, receiver) == []
    assert edited.raw.startswith(b"payload=%7B")
    assert edited.signature == ""


def test_a_receiver_that_is_away_shows_in_the_delivery(
    devforge: RunningForge, planted: Planted, api: httpx.Client
) -> None:
    made = api.post("/hooks", json={"config": {"url": "http://127.0.0.1:9/hook", "content_type": "json"}}).json()
    assert devforge.control.idle()
    [ping] = api.get(f"/hooks/{made['id']}/deliveries").json()
    assert (ping["status"], ping["status_code"]) == ("failed to connect to host", 0)


def test_an_apps_webhook_names_the_installation(devforge: RunningForge, planted: Planted, api: httpx.Client) -> None:
    with webhook_receiver() as receiver:
        wish = {
            "owner": planted.owner,
            "slug": "hooked-app",
            "events": ["issues"],
            "permissions": {"issues": "write"},
            "hook_url": receiver.url,
            "hook_secret": SECRET,
        }
        app = devforge.control.ask("POST", "/apps", wish)
        chosen = {"account": planted.owner, "repositories": [planted.full_name]}
        installation = devforge.control.ask("POST", f"/apps/{app['id']}/installations", chosen)
        created = receiver.take()
        api.patch(f"/issues/{planted.issue_number}", json={"title": "Told to the App"})
        edited = receiver.take()
    assert contract().webhook_problems("installation", created.payload) == []
    assert [repo["full_name"] for repo in created.payload["repositories"]] == [planted.full_name]
    assert edited.payload["installation"]["id"] == installation["id"]
    assert edited.signed_with(SECRET)
    assert edited.headers["x-github-hook-installation-target-type"] == "integration"


def clone(planted: Planted, folder: Path) -> Path:
    git(folder, "clone", "--quiet", with_token(planted.clone_url, planted.bot_token), "work")
    return folder / "work"


def commit(work: Path, name: str, text: str, *, branch: str | None = None) -> None:
    if branch is not None:
        git(work, "checkout", "--quiet", "-b", branch)
    (work / name).write_text(text)
    git(work, "add", "-A")
    git(work, "commit", "--quiet", "-m", f"Write {name}")
