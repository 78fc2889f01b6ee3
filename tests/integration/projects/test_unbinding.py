"""Unbinding a repository: previewed, typed by name, fresh, never while something runs; bound again afterwards."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, Person
from tests.world import World

from stagewright.contexts.projects import api as projects
from stagewright.contexts.projects.events import repository_frame
from stagewright.contexts.runs.usecases.binding import define_labels, disconnect_repository
from stagewright.contexts.vault import api as vault
from stagewright.kit.db import scalar

TOKEN = {"full_name": "acme/shop", "token": "bot-token", "api_url": "https://forge.test/api"}


def path_of(repository: projects.Repository) -> str:
    return f"/projects/{repository.project_id}/repositories/{repository.id}"


async def previewed(gateway: Gateway, repository: projects.Repository, who: Person) -> dict[str, Any]:
    answer = await gateway.call("DELETE", f"{path_of(repository)}?preview=1", who)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def unbind(
    gateway: Gateway, repository: projects.Repository, who: Person | str, token: str | None, **changes: Any
) -> httpx.Response:
    headers = {"If-Match": f'"{changes.pop("version", repository.version)}"'}
    body = {"confirm_token": token, "confirm_name": repository.full_name} | changes
    return await gateway.call("DELETE", path_of(repository), who, headers=headers, json=body)


async def kinds(gateway: Gateway) -> list[str]:
    async with gateway.db.reading() as reader:
        return await reader.all(lambda row: str(row["kind"]), "select kind from journal order by seq")


async def test_unbinding_needs_preview_name_version_and_a_fresh_sign_in(gateway: Gateway, clock: FakeClock) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    repository = await gateway.repository(project)
    shown = await previewed(gateway, repository, owner)
    token = shown["confirm_token"]
    assert shown["confirm_name"] == "acme/shop"

    bare = await gateway.call("DELETE", path_of(repository), owner)
    assert (bare.status_code, bare.json()["code"]) == (428, "version.required")
    for refused, status, code in (
        (await unbind(gateway, repository, owner, None), 428, "confirm.required"),
        (await unbind(gateway, repository, owner, token, confirm_name="acme/sho"), 428, "confirm.name"),
        (await unbind(gateway, repository, owner, token, version=7), 412, "version.mismatch"),
    ):
        assert (refused.status_code, refused.json()["code"]) == (status, code)
    clock.advance(timedelta(minutes=61))
    later = (await previewed(gateway, repository, owner))["confirm_token"]
    stale = await unbind(gateway, repository, owner, later)
    assert (stale.status_code, stale.json()["code"]) == (403, "identity.fresh_login_required")
    fresh = await gateway.token(owner, "read", "manage")
    assert (await unbind(gateway, repository, fresh, later, reason="moved")).status_code == 200


async def test_an_unbound_repository_is_gone_with_its_secrets_and_may_come_back(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    gateway.forge.add_repository("acme/shop")
    made = await gateway.post(f"/projects/{project.id}/repositories", owner, TOKEN)
    async with gateway.db.reading() as reader:
        repository = await projects.get_repository(reader, made.json()["id"])
    shown = await previewed(gateway, repository, owner)
    assert [item["params"] for item in shown["lost"][:2]] == [{"purpose": "bot"}, {"purpose": "management"}]
    assert shown["lost"][-1] == {"code": "repository.writes_lost", "params": {}}

    done = await unbind(gateway, repository, owner, shown["confirm_token"], reason="moved")
    assert (done.status_code, done.json()["full_name"], done.json()["version"]) == (200, "acme/shop", 2)
    assert (await gateway.get(path_of(repository), owner)).status_code == 404
    assert (await gateway.get(f"/projects/{project.id}/repositories", owner)).json()["items"] == []
    assert (await unbind(gateway, repository, owner, shown["confirm_token"])).status_code == 404
    async with gateway.db.reading() as reader:
        assert await reader.value("select count(*) from credentials") == 0
        assert await reader.all(scalar, "select distinct status from effects") == ["superseded"]
        assert bytes(await reader.value("select webhook_secrets from repositories")) == b""
        body = await reader.value("select body from journal where kind = 'repository.unbound'")
        unbound = await projects.get_repository(reader, repository.id)
    assert body == {"v": 1, "reason": "moved", **repository_frame(unbound)}
    assert (await kinds(gateway)).count("credential.cleared") == 2

    again = await gateway.post(f"/projects/{project.id}/repositories", owner, TOKEN)
    assert again.status_code == 201, again.text
    assert again.json()["id"] != str(repository.id)


async def test_active_runs_end_before_a_repository_is_unbound_and_stay_readable(gateway: Gateway) -> None:
    _, repository, run = await gateway.scene()
    owner = await gateway.person(role="owner")
    busy = await gateway.call("DELETE", f"{path_of(repository)}?preview=1", owner)
    assert (busy.status_code, busy.json()["code"]) == (409, "repository.busy")
    assert busy.json()["params"]["runs"] == [str(run.id)]
    token = (await gateway.post(f"/runs/{run.id}:cancel?preview=1", owner)).json()["confirm_token"]
    assert (await gateway.post(f"/runs/{run.id}:cancel", owner, {"confirm_token": token})).status_code == 202

    shown = await previewed(gateway, repository, owner)
    assert {"code": "repository.runs_stay", "params": {"count": 1}} in shown["survives"]
    assert (await unbind(gateway, repository, owner, shown["confirm_token"])).status_code == 200
    assert (await gateway.get(f"/runs/{run.id}", owner)).json()["repository"] == repository.full_name


async def test_what_was_shown_is_what_is_done(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    repository = await gateway.repository(project)
    token = (await previewed(gateway, repository, owner))["confirm_token"]
    async with gateway.db.transaction() as tx:
        await define_labels(tx, repository, now=gateway.clock.now())
    changed = await unbind(gateway, repository, owner, token)
    assert (changed.status_code, changed.json()["code"]) == (409, "confirm.outdated")


async def test_of_two_who_unbind_at_once_one_does(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    repository = await gateway.repository(project)
    token = (await previewed(gateway, repository, owner))["confirm_token"]
    answers = await asyncio.gather(*(unbind(gateway, repository, owner, token) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404]
    assert (await kinds(gateway)).count("repository.unbound") == 1


async def test_of_two_who_bind_at_once_one_does(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    gateway.forge.add_repository("acme/shop")
    place = f"/projects/{project.id}/repositories"
    answers = await asyncio.gather(*(gateway.post(place, owner, TOKEN) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


async def test_a_project_key_taken_at_once_is_a_conflict(gateway: Gateway) -> None:
    owner = await gateway.person(role="owner")
    answers = await asyncio.gather(*(gateway.post("/projects", owner, {"key": "k", "name": "K"}) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


async def test_who_may_not_manage_repositories_unbinds_none(gateway: Gateway) -> None:
    project = await gateway.project()
    repository = await gateway.repository(project)
    writer = await gateway.person("bob", member_of=project, member_as="read_write")
    answer = await gateway.call("DELETE", f"{path_of(repository)}?preview=1", writer)
    assert (answer.status_code, answer.json()["params"]["permission"]) == (403, "repository.manage")
    shown = (await gateway.get(path_of(repository), writer)).json()
    assert {item["verb"]: item["mode"] for item in shown["allowed_actions"]} == {
        "sync_labels": "deny",
        "change": "deny",
        "rotate_webhook_secret": "deny",
        "unbind": "deny",
    }


async def test_a_delivery_of_an_unbound_repository_starts_nothing(world: World) -> None:
    issue = world.issue()
    world.put_label(issue, "run:dev")
    await world.deliver("issues", world.labeled(issue, "run:dev"))
    async with world.db.transaction() as tx:
        done = await disconnect_repository(
            tx, world.repository.id, now=world.clock.now(), agreed=lambda *_: None, reason=None
        )
    assert done is not None
    await world.decide()
    await world.scan()
    await world.work()
    assert await world.count_runs() == 0
    assert await world.incidents() == set()
    async with world.db.reading() as reader:
        assert await vault.purposes_of(reader, world.repository.id) == []
