"""Pushes and what the forge tells of a binding: decided by their rows, and kept."""

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.integration.intake.test_deliveries import through_app
from tests.integration.intake.test_links import told
from tests.world import World

from stagewright.contexts.intake.model import NewDelivery
from stagewright.contexts.intake.usecases import keep_deliveries
from stagewright.contexts.projects import api as projects

APP = 7


def pushed(world: World, ref: str = "refs/heads/main", **changes: Any) -> dict[str, Any]:
    repository = {"id": world.repository.forge_repository_id, "full_name": world.repository.full_name}
    branch = changes.pop("default_branch", "main")
    return {
        "ref": ref,
        "after": "ab" * 20,
        "deleted": False,
        "repository": repository | {"default_branch": branch},
        "sender": {"login": "ann", "id": 1, "type": "User"},
    } | changes


async def bound(world: World) -> projects.Repository:
    async with world.db.reading() as reader:
        return await projects.get_repository(reader, world.repository.id)


@pytest.mark.parametrize(
    ("ref", "changes", "reason"),
    [
        ("refs/heads/main", {}, "push_no_cluster"),
        ("refs/heads/topic", {}, "push_not_default_branch"),
        ("refs/tags/v1", {}, "push_not_default_branch"),
        ("refs/heads/main", {"deleted": True, "after": "0" * 40}, "push_deleted_ref"),
    ],
)
async def test_a_push_starts_nothing_without_a_cluster(
    world: World, ref: str, changes: dict[str, Any], reason: str
) -> None:
    assert await told(world, pushed(world, ref, **changes), "push") == reason
    assert await world.count_runs() == 0


async def test_the_default_branch_is_read_again_where_a_push_names_another(world: World) -> None:
    forge = world.forge.repositories[world.repository.forge_repository_id]
    forge.info = replace(forge.info, default_branch="trunk")
    renamed = pushed(world, "refs/heads/trunk", default_branch="trunk")

    assert await told(world, renamed, "push") == "push_no_cluster"
    assert (await bound(world)).default_branch == "trunk"
    asked = world.calls("default_branch")
    assert await told(world, renamed, "push", delivery_id="p-2") == "push_no_cluster"
    assert world.calls("default_branch") == asked, "the binding knows it now"


async def test_an_old_delivery_brings_no_old_default_branch_back(world: World) -> None:
    old = pushed(world, "refs/heads/master", default_branch="master")

    assert await told(world, old, "push") == "push_not_default_branch"
    assert (await bound(world)).default_branch == "main"


@pytest.mark.parametrize(
    ("event", "action", "changes", "kept"),
    [
        ("repository", "renamed", {"full_name": "acme/store"}, {"full_name": "acme/store"}),
        ("repository", "edited", {"default_branch": "trunk"}, {"default_branch": "trunk"}),
        ("repository", "archived", {}, {"health": "archived"}),
        ("repository", "deleted", {}, {"health": "deleted"}),
        ("label", "edited", {"full_name": "acme/store"}, {"full_name": "acme/store"}),
    ],
)
async def test_what_the_forge_tells_of_the_repository_is_kept(
    world: World, event: str, action: str, changes: dict[str, Any], kept: dict[str, str]
) -> None:
    payload = pushed(world)
    payload["repository"] |= changes
    del payload["ref"], payload["after"], payload["deleted"]

    assert await told(world, payload | {"action": action}, event) == "binding_recorded"
    found = await bound(world)
    assert {key: getattr(found, key) for key in kept} == kept


async def test_an_unarchived_repository_is_well_again(world: World) -> None:
    payload = pushed(world)
    await told(world, payload | {"action": "archived"}, "repository")
    await told(world, payload | {"action": "unarchived"}, "repository", delivery_id="p-2")

    assert (await bound(world)).health == "ok"
    changes = [body["health"] for kind, body in await world.journal() if kind == "repository.changed"]
    assert changes == ["archived", "ok"]


INSTALLATIONS: list[tuple[str, str, str, str]] = [
    ("installation", "suspend", "repositories", "suspended"),
    ("installation", "deleted", "repositories", "uninstalled"),
    ("installation_repositories", "removed", "repositories_removed", "uninstalled"),
    ("installation", "never_heard_of", "repositories", "ok"),
]


@pytest.mark.parametrize(("event", "action", "field", "health"), INSTALLATIONS)
async def test_an_app_tells_of_the_repositories_it_was_given_or_taken_from(
    world: World, event: str, action: str, field: str, health: str
) -> None:
    world = await through_app(world, app_id=APP)
    named = {field: [{"id": world.repository.forge_repository_id, "full_name": world.repository.full_name}]}
    await heard(world, event, {"action": action, **named})

    assert (await bound(world)).health == health
    await heard(world, "installation", {"action": "unsuspend", "repositories": named[field]})
    assert (await bound(world)).health == "ok"


async def test_another_app_says_nothing_of_the_binding(world: World) -> None:
    world = await through_app(world, app_id=APP)
    named = [{"id": world.repository.forge_repository_id, "full_name": world.repository.full_name}]
    await heard(world, "installation", {"action": "deleted", "repositories": named}, app_id=APP + 1)

    assert (await bound(world)).health == "ok"


async def heard(world: World, event: str, payload: dict[str, Any], *, app_id: int = APP) -> None:
    """Let a delivery of an App be decided."""
    name, raw = f"{event}-{payload['action']}".replace("_", "-"), json.dumps(payload).encode()
    async with world.db.transaction() as tx:
        new = NewDelivery(name, None, "github_app", event, raw, app_id)
        await keep_deliveries(tx, [new], now=world.clock.now())
    await world.decide()
    async with world.db.reading() as reader:
        reason = "select reason from webhook_deliveries where delivery_id = %(d)s"
        assert await reader.value(reason, d=name) == "binding_recorded"
