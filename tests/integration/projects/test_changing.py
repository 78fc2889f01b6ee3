"""Changing a bound repository: disabled and enabled again, a new webhook secret, an address out of reach."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, Person

from stagewright.contexts.projects import api as projects
from stagewright.contexts.projects.events import repository_frame
from stagewright.contexts.runs.errors import NotSent
from stagewright.kit.crypto import hmac_sha256_header

TOKEN = {"full_name": "acme/shop", "token": "bot-token", "api_url": "https://forge.test/api"}
APP = {"app_id": 7, "installation_id": 42, "private_key": "a private key"}


def path_of(repository: dict[str, Any]) -> str:
    return f"/projects/{repository['project_id']}/repositories/{repository['id']}"


async def bound(gateway: Gateway, project: projects.Project, owner: Person, **changes: Any) -> dict[str, Any]:
    body = TOKEN | changes
    gateway.forge.add_repository(body["full_name"])
    answer = await gateway.post(f"/projects/{project.id}/repositories", owner, body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def signed(gateway: Gateway, place: str, secret: str, **headers: str) -> int:
    raw = json.dumps({"action": "labeled"}).encode()
    sent = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": str(uuid4()),
        "X-Hub-Signature-256": hmac_sha256_header(secret.encode(), raw),
    }
    answer = await gateway.client.post(place, content=raw, headers=sent | headers)
    return answer.status_code


async def rotate(gateway: Gateway, repository: dict[str, Any], who: Person, **options: Any) -> httpx.Response:
    headers = {"If-Match": f'"{options.pop("version", repository["version"])}"', **options}
    return await gateway.post(f"{path_of(repository)}:rotate-webhook-secret", who, headers=headers)


async def test_a_rotated_secret_counts_beside_the_one_before_until_the_next_rotation(
    gateway: Gateway, clock: FakeClock
) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    repository = await bound(gateway, project, owner)
    place = repository["webhook_url"].removeprefix("https://stagewright.test")
    secrets = [repository["webhook_secret"]]
    for version in (1, 2):
        answer = await rotate(gateway, repository, owner, version=version)
        assert (answer.status_code, answer.json()["version"]) == (200, version + 1)
        assert answer.json()["webhook_url"] == repository["webhook_url"]
        secrets.append(answer.json()["webhook_secret"])
        clock.advance(timedelta(seconds=11))
        live = [await signed(gateway, place, secret) for secret in secrets]
        assert live == [401] * (len(secrets) - 2) + [202, 202]
    assert len(set(secrets)) == 3


async def test_a_rotation_needs_the_version_and_is_journalled_without_the_secret(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    repository = await bound(gateway, project, owner)
    missing = await gateway.post(f"{path_of(repository)}:rotate-webhook-secret", owner)
    assert (missing.status_code, missing.json()["code"]) == (428, "version.required")
    stale = await rotate(gateway, repository, owner, version=9)
    assert (stale.status_code, stale.json()["code"]) == (412, "version.mismatch")
    reader = await gateway.person("bob", member_of=project, member_as="read_write")
    assert (await rotate(gateway, repository, reader)).status_code == 403
    key = {"Idempotency-Key": str(uuid4())}
    first = await rotate(gateway, repository, owner, **key)
    again = await rotate(gateway, repository, owner, **key)
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    secret = first.json()["webhook_secret"]
    async with gateway.db.reading() as rows:
        kinds = await rows.all(
            lambda row: (str(row["kind"]), json.dumps(row["body"])), "select kind, body from journal"
        )
    assert [kind for kind, _ in kinds].count("repository.changed") == 1
    assert not any(secret in body for _, body in kinds)


async def test_repositories_of_one_app_get_their_new_secret_together(gateway: Gateway, clock: FakeClock) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    one = await bound(gateway, project, owner, token=None, app=APP)
    two = await bound(gateway, project, owner, token=None, app=APP, full_name="acme/two")
    assert one["webhook_secret"] == two["webhook_secret"]
    other = await gateway.project("other")
    three = await bound(gateway, other, owner, token=None, app=APP, full_name="acme/three")
    admin = await gateway.person("bob", member_of=project, member_as="admin")
    assert (await rotate(gateway, two, admin)).status_code == 403
    secret = (await rotate(gateway, two, owner)).json()["webhook_secret"]
    clock.advance(timedelta(seconds=11))
    app = {"X-GitHub-Hook-Installation-Target-ID": "7"}
    for live in (one["webhook_secret"], secret):
        assert await signed(gateway, "/api/v1/webhooks/github", live, **app) == 202
    for repository in (one, two, three):
        shown = await gateway.get(path_of(repository), owner)
        assert shown.json()["version"] == 2
    four = await bound(gateway, project, owner, token=None, app=APP, full_name="acme/four")
    assert four["webhook_secret"] == secret


async def turn(gateway: Gateway, repository: dict[str, Any], who: Person, state: str, **changes: Any) -> httpx.Response:
    shown = await gateway.call("PATCH", f"{path_of(repository)}?preview=1", who, json={"state": state})
    assert shown.status_code == 200, shown.text
    body = {"state": state, "confirm_token": shown.json()["confirm_token"]} | changes
    version = (await gateway.get(path_of(repository), who)).headers["etag"]
    return await gateway.call("PATCH", path_of(repository), who, headers={"If-Match": version}, json=body)


async def test_a_repository_is_disabled_and_enabled_again_after_a_preview(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    repository = await bound(gateway, project, owner)
    off = await turn(gateway, repository, owner, "disabled", reason="a move")
    assert (off.status_code, off.json()["state"], off.headers["etag"]) == (200, "disabled", '"2"')
    async with gateway.db.reading() as reader:
        last = await reader.value(
            "select body from journal where kind = 'repository.changed' order by seq desc limit 1"
        )
        row = await projects.get_repository(reader, repository["id"])
    assert last == {"v": 1, **repository_frame(row), "changed": ["state"], "reason": "a move"}
    assert (await turn(gateway, repository, owner, "enabled")).json()["state"] == "enabled"


async def test_a_change_without_preview_version_or_content_is_refused(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    repository = await bound(gateway, project, owner)
    path, version = path_of(repository), {"If-Match": '"1"'}
    empty = await gateway.call("PATCH", path, owner, headers=version, json={})
    assert (empty.status_code, empty.json()["errors"][0]["pointer"]) == (400, "/state")
    bare = await gateway.call("PATCH", path, owner, headers=version, json={"state": "disabled"})
    assert (bare.status_code, bare.json()["code"]) == (428, "confirm.required")
    unversioned = await gateway.call("PATCH", path, owner, json={"state": "disabled"})
    assert (unversioned.status_code, unversioned.json()["code"]) == (428, "version.required")
    stale = await gateway.call("PATCH", path, owner, headers={"If-Match": '"4"'}, json={"state": "disabled"})
    assert (stale.status_code, stale.json()["code"]) == (412, "version.mismatch")
    swapped = (await gateway.call("PATCH", f"{path}?preview=1", owner, json={"state": "enabled"})).json()
    body = {"state": "disabled", "confirm_token": swapped["confirm_token"]}
    assert (await gateway.call("PATCH", path, owner, headers=version, json=body)).status_code == 428


@pytest.mark.parametrize("act", ["account", "repository"])
async def test_a_forge_without_a_public_address_is_a_wrong_address(gateway: Gateway, act: str) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    gateway.forge.fail(act, NotSent("the host leads elsewhere", code="forge.address_refused"))
    answer = await gateway.post(f"/projects/{project.id}/repositories", owner, TOKEN)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/api_url")
    assert "STAGEWRIGHT_FORGE_HOSTS" in answer.text
