"""The control door: it says what is wrong by name, and does what REST cannot."""

import httpx
import pytest
from tests.fakes.devforge import RunningForge, webhook_receiver
from tests.integration.devforge.conftest import Connect
from tools.github_contract import contract

from stagewright.kit.errors import Invalid, Unavailable
from stagewright.processes.devforge.seed import ForgeControl


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        ("/users", {"login": "a b"}, 422, "login: 'a b' is no login"),
        ("/users", {"login": "api"}, 422, "no login"),
        ("/users", {"login": "x", "type": "Robot"}, 422, "type: 'Robot' is none of"),
        ("/users", {"login": "x", "age": 7}, 422, "users.age: is no field here"),
        ("/tokens", {"user": "nobody"}, 404, "user: there is no user 'nobody'"),
        ("/tokens", {"user": "known", "permissions": {"issues": "wild"}}, 422, "permissions.issues: 'wild'"),
        ("/tokens", {"user": "known", "permissions": {}, "scopes": []}, 422, "not both"),
        ("/tokens", {"user": "known", "repositories": ["shop"]}, 422, "must be written owner/name"),
        ("/tokens", {"user": "known", "repositories": ["known/none"]}, 404, "there is no 'known/none'"),
        ("/tokens", {"user": "known", "token": "taken"}, 409, "exists already"),
        ("/tokens/revoke", {"token": "never was"}, 404, "no such token"),
        ("/repositories", {"owner": "known", "name": ".."}, 422, "no repository name"),
        ("/repositories", {"owner": "known", "name": "x.git"}, 422, "no repository name"),
        ("/apps/77/installations", {"account": "known"}, 404, "there is no App 77"),
        ("/apps", {"owner": "known", "slug": "s", "permissions": {"issues": "all"}}, 422, "permissions.issues"),
        ("/rate_limit", {"user": "known"}, 422, "needs remaining"),
        ("/rate_limit", {"remaining": 1}, 422, "either user or installation"),
        ("/rate_limit", {"user": "known", "remaining": 1, "resource": "disk"}, 422, "resource"),
        ("/clock", {"advance_seconds": -1}, 422, "advance_seconds"),
        ("/webhooks", {"drop": "all"}, 422, "webhooks.drop: must be a whole number"),
        ("/faults", [], 422, "JSON object"),
        ("/seed", [], 422, "seed: must be a JSON object"),
    ],
)
def test_a_wrong_wish_is_refused_by_name(
    devforge: RunningForge, path: str, body: object, status: int, told: str
) -> None:
    # the second time both exist already, which is as good
    httpx.post(f"{devforge.url}/_control/users", json={"login": "known"}, trust_env=False)
    httpx.post(f"{devforge.url}/_control/tokens", json={"user": "known", "token": "taken"}, trust_env=False)
    answer = httpx.post(f"{devforge.url}/_control{path}", json=body, trust_env=False)
    assert answer.status_code == status, answer.text
    assert told in answer.json()["message"]


def test_a_body_that_is_no_json_is_refused(devforge: RunningForge) -> None:
    answer = httpx.post(f"{devforge.url}/_control/users", content=b"{", trust_env=False)
    assert (answer.status_code, "no JSON" in answer.text) == (422, True)


@pytest.mark.parametrize("path", ["/webhooks/idle?timeout=soon", "/requests?path=("])
def test_a_wrong_query_is_refused(devforge: RunningForge, path: str) -> None:
    assert httpx.get(f"{devforge.url}/_control{path}", trust_env=False).status_code == 422


def test_the_client_raises_refusals_and_absence_in_words(devforge: RunningForge) -> None:
    with pytest.raises(Invalid, match="there is no user"):
        devforge.control.token("nobody")
    with ForgeControl("http://127.0.0.1:9") as away, pytest.raises(Unavailable, match="does not answer"):
        away.effects()


def test_a_role_is_given_and_taken(devforge: RunningForge, connect: Connect) -> None:
    planted = devforge.plant(private=True)
    path = f"/repositories/{planted.full_name}/collaborators/{planted.bot}"
    api = connect(f"{planted.api_url}/repos/{planted.full_name}", planted.bot_token)
    owner = connect(f"{planted.api_url}/repos/{planted.full_name}", planted.owner_token)
    for role, permission in (("triage", "read"), ("maintain", "write"), ("write", "write")):
        devforge.control.ask("PUT", path, {"role": role})
        told = owner.get(f"/collaborators/{planted.bot}/permission").json()
        assert (told["role_name"], told["permission"]) == (role, permission)
    devforge.control.ask("PUT", path, {"role": "none"})
    assert api.get("/issues/1").status_code == 404
    with pytest.raises(Invalid, match="role: 'boss' is none of"):
        devforge.control.ask("PUT", path, {"role": "boss"})


def test_a_deleted_issue_is_gone_for_good(devforge: RunningForge, connect: Connect) -> None:
    planted = devforge.plant()
    api = connect(f"{planted.api_url}/repos/{planted.full_name}", planted.bot_token)
    with webhook_receiver() as receiver:
        api.post("/hooks", json={"config": {"url": receiver.url, "content_type": "json"}, "events": ["issues"]})
        receiver.take()
        devforge.control.ask("DELETE", f"/repositories/{planted.full_name}/issues/1")
        deleted = receiver.take()
    assert deleted.payload["action"] == "deleted"
    assert contract().webhook_problems("issues", deleted.payload) == []
    answer = api.get("/issues/1")
    assert (answer.status_code, answer.json()["message"]) == (410, "This issue was deleted")
    assert api.post("/issues", json={"title": "Next"}).json()["number"] == 2


def test_faults_requests_and_effects_are_listed_and_forgotten(devforge: RunningForge) -> None:
    planted = devforge.plant()
    devforge.control.fault(path="never", status=500)
    [fault] = devforge.control.ask("GET", "/faults")
    assert (fault["kind"], fault["times_left"]) == ("status", 1)
    devforge.control.ask("DELETE", "/faults")
    assert devforge.control.ask("GET", "/faults") == []
    assert planted.full_name in str(devforge.control.effects())
    devforge.control.ask("DELETE", "/effects")
    devforge.control.ask("DELETE", "/requests")
    assert devforge.control.effects() == devforge.control.requests() == []


def test_the_journal_does_not_keep_the_secret_of_a_hook(devforge: RunningForge, connect: Connect) -> None:
    planted = devforge.plant()
    api = connect(f"{planted.api_url}/repos/{planted.full_name}", planted.bot_token)
    api.post("/hooks", json={"config": {"url": "http://127.0.0.1:9/", "secret": "canary"}})
    [entry] = devforge.control.requests("POST", f"{planted.full_name}/hooks")
    assert entry["body"]["config"]["secret"] == "***"
    assert "canary" not in str(devforge.control.requests())
