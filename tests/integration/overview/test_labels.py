"""The labels of a repository: what people change on the forge is known, shown, told and restored."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, Person
from tests.world import World

from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs.usecases.binding import define_labels
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Database


@pytest.fixture
async def world(db: Database, clock: FakeClock, tmp_path: Path) -> World:
    """Return a platform whose repository has the policy's labels."""
    made = await World.make(db, clock, tmp_path / "world")
    await sync(made)
    return made


async def sync(world: World) -> None:
    async with world.db.transaction() as tx:
        repository = await projects.get_repository(tx, world.repository.id)
        await define_labels(tx, repository, now=world.clock.now())
    for _ in range(8):
        await world.tick(1, turns=1)


async def told(world: World, action: str, name: str, *, by: str = "ann", was: str | None = None, **label: str) -> None:
    """Deliver what the forge says of a change of a label."""
    account = world.forge.accounts[by]
    known = workflow.builtin_policy().catalogue.get(was or name)
    payload: dict[str, Any] = {
        "action": action,
        "repository": {"id": world.repository.forge_repository_id, "full_name": "acme/shop", "default_branch": "main"},
        "sender": {"login": account.login, "id": account.id, "type": account.type},
        "label": {
            "name": name,
            "color": known.color if known else "ededed",
            "description": known.description if known else None,
            **label,
        },
    }
    if was is not None:
        payload["changes"] = {"name": {"from": was}}
    await world.deliver("label", payload, delivery_id=f"label-{uuid4()}")
    await world.decide()


async def labels(gateway: Gateway, world: World, who: Person) -> dict[str, Any]:
    answer = await gateway.get(f"/projects/{world.project.id}/repositories/{world.repository.id}/labels", who)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def of(shown: dict[str, Any], key: str) -> dict[str, Any]:
    found: dict[str, Any] = next(item for item in shown["items"] if item["key"] == key)
    return found


async def test_c11_2_a_label_that_a_person_changes_is_drift_until_the_next_bootstrap(
    world: World, gateway: Gateway
) -> None:
    reader = await gateway.person("bob", member_of=world.project)
    assert {item["state"] for item in (await labels(gateway, world, reader))["items"]} == {"ok"}
    on_forge = world.forge.repositories[world.repository.forge_repository_id].labels
    on_forge.pop("run:dev")
    await told(world, "deleted", "run:dev")
    await told(world, "edited", "go", was="run:plan")
    await told(world, "edited", "run:qa", color="ff0000", description="x")
    await told(world, "edited", "bug", color="ff0000")
    shown = await labels(gateway, world, reader)

    dev, plan, qa = (of(shown, key) for key in ("run:dev", "run:plan", "run:qa"))
    assert (dev["state"], dev["action"], dev["known_text"], dev["changed_by"]) == ("missing", "create", None, "ann")
    assert (plan["state"], plan["action"], plan["known_text"]) == ("renamed", "rename", "go")
    assert (qa["drift"], qa["action"]) == (["recoloured", "redescribed"], "update")
    assert sum(1 for item in shown["items"] if item["drift"]) == 3
    assert "label_drift" in await world.incidents()
    facts = [body for kind, body in await world.journal() if kind == "repository.label_drifted"]
    assert [(body["label"], body["drift"], body["by"]) for body in facts] == [
        ("run:dev", ["missing"], "ann"),
        ("run:plan", ["renamed"], "ann"),
        ("run:qa", ["recoloured", "redescribed"], "ann"),
    ]
    await sync(world)
    assert "run:dev" in on_forge
    assert {item["state"] for item in (await labels(gateway, world, reader))["items"]} == {"ok"}


async def test_c11_2_our_own_changes_and_those_that_agree_are_no_drift(world: World, gateway: Gateway) -> None:
    reader = await gateway.person("bob", member_of=world.project)
    await told(world, "deleted", "run:dev")
    before = await world.journal()
    await told(world, "created", "run:dev")
    await told(world, "edited", "run:dev", by=world.forge.bot_account.login, color="ffffff")

    assert [kind for kind, _ in (await world.journal())[len(before) :] if "drift" in kind] == []
    dev = of(await labels(gateway, world, reader), "run:dev")
    assert (dev["changed_by"], dev["drift"]) == (None, ["recoloured"]), "kept, but nobody is blamed for it"


async def test_c11_1_a_dry_run_says_what_a_sync_would_do_and_does_nothing(world: World, gateway: Gateway) -> None:
    admin = await gateway.person("own", role="admin")
    await told(world, "deleted", "run:dev")
    place = f"/projects/{world.project.id}/repositories/{world.repository.id}:sync-labels"
    acts = "select count(*) from effects where kind = 'label.define'"
    async with world.db.reading() as reader:
        before = await reader.value(acts)
    planned = await gateway.post(f"{place}?dry_run=1", admin)
    async with world.db.reading() as reader:
        assert await reader.value(acts) == before

    actions = {item["key"]: item["action"] for item in planned.json()["labels"]}
    assert actions.pop("run:dev") == "create"
    assert set(actions.values()) == {"none"}
    done = await gateway.post(place, admin)
    assert (planned.status_code, done.status_code) == (200, 202)


async def test_c11_3_a_renaming_onto_an_existing_label_keeps_the_old_one_as_an_alias(
    world: World, gateway: Gateway
) -> None:
    reader = await gateway.person("bob", member_of=world.project)
    on_forge = world.forge.repositories[world.repository.forge_repository_id].labels
    label = on_forge["run:dev"]
    on_forge["implement"] = type(label)("implement", label.color, label.description)
    await told(world, "edited", "implement", was="run:dev")
    await sync(world)

    assert {"implement", "run:dev"} <= set(on_forge), "nothing is deleted"
    assert of(await labels(gateway, world, reader), "run:dev")["aliases"] == ["implement"]
    assert "label_alias_kept" in await world.incidents()
    issue = world.issue()
    await world.trigger(issue, "implement")
    run = await world.run_of(issue)
    assert run.trigger_label == "run:dev", "the alias starts what the label starts"


async def test_c11_4_the_catalogue_says_when_a_label_was_used_last(world: World, gateway: Gateway) -> None:
    reader = await gateway.person("bob", member_of=world.project)
    run = await world.launched("run:dev")
    dev = of(await labels(gateway, world, reader), "run:dev")
    assert (dev["uses"], dev["last_thread"], dev["last_used_at"]) == (1, run.issue_number, run.occurred_at.isoformat())
    assert of(await labels(gateway, world, reader), "run:qa")["last_used_at"] is None


async def test_c11_5_threads_that_differ_from_our_rows_are_shown_with_what_the_next_scan_does(
    world: World, gateway: Gateway
) -> None:
    reader = await gateway.person("bob", member_of=world.project)
    run = await world.launched("run:dev")
    assert run.issue_number is not None
    world.forge.person_unlabels(world.repository.forge_repository_id, run.issue_number, "run:dev", by="ann")
    async with world.db.transaction() as tx:
        await tx.execute(
            "insert into threads (repository_id, number, is_pull_request, state, labels, seen_at)"
            " values (%(r)s, %(n)s, false, 'open', '{}', %(now)s)",
            r=world.repository.id,
            n=run.issue_number,
            now=world.clock.now(),
        )
    (item,) = (await labels(gateway, world, reader))["repair"]
    assert (item["code"], item["thread"], item["run_id"]) == ("run_without_trigger", run.issue_number, str(run.id))
    assert (item["next_scan"], item["label"]) == ("cancels_run", "run:dev")

    await world.scan()
    await world.work()
    assert (await world.fresh(run)).status == "cancelled", "the scan does what was said"
    assert (await labels(gateway, world, reader))["repair"] == []
