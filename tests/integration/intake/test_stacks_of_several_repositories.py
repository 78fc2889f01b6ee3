"""A stack that names another repository of its project: both are read at their commits, and agents are told of both."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests import factories
from tests.fakes.clock import FakeClock
from tests.fakes.git_store import WorkTree, bare_remote
from tests.world import World

from stagewright.contexts.projects import api as projects
from stagewright.kit.db import Database
from stagewright.processes.stacks import KeptStacks

STACK = """\
apiVersion: stagewright.dev/v1alpha1
kind: ServiceStack
metadata: {name: shop}
spec:
  repositories: [{alias: handbook}]
  environments: {preview: {kind: candidate}}
  projectDocs: [{repository: handbook, path: security.md, description: rules of the company}]
"""


@pytest.fixture
async def world(db: Database, clock: FakeClock, tmp_path: Path) -> World:
    """Return a platform whose decisions read what the worker kept."""
    made = await World.make(db, clock, tmp_path)
    made.intake = replace(made.intake, stacks=KeptStacks(db))
    return made


async def bind(world: World, name: str, **files: str) -> Path:
    """Bind another repository to the project; return its remote."""
    remote, person = bare_remote(world.folder / f"{name}.git"), WorkTree(world.folder / name)
    person.commit("first", **files)
    person.push(remote, "main")
    info = world.forge.add_repository(f"acme/{name}")
    found = projects.ForgeRepository(info.id, info.full_name, "main", info.web_url, str(remote), private=False)
    async with world.db.transaction() as tx:
        await factories.a_repository(tx, world.project, found, now=world.clock.now())
    return remote


def push(world: World, text: str) -> None:
    """Put a stack on the default branch."""
    world.person.write("services.yaml", text)
    world.person.commit("describe the stack")
    world.person.push(world.remote, "main")
    world.show_branches()


async def test_documents_of_another_repository_are_told(world: World) -> None:
    await bind(world, "handbook", security_dot_md="Lock the door.")
    push(world, STACK)
    prompt = (await world.register(await world.launched())).prompt
    assert 'path="handbook:security.md"' in prompt
    assert "Lock the door." in prompt


async def test_what_was_read_names_every_repository_and_its_commit(world: World) -> None:
    await bind(world, "handbook", security_dot_md="Lock the door.")
    push(world, STACK)
    await world.scan()
    rows = await world.journal(f"repository:{world.repository.id}")
    (body,) = [body for kind, body in rows if kind == "stack.resolved"]
    assert [item["alias"] for item in body["sources"]] == ["handbook", "shop"]
    assert all(len(item["sha"]) == 40 for item in body["sources"])


async def test_a_repository_that_is_not_bound_makes_the_stack_invalid(world: World) -> None:
    push(world, STACK)
    issue = world.issue()
    await world.trigger(issue, "run:dev")
    await world.work()
    run = await world.run_of(issue)
    (comment,) = world.status_comments(issue)
    assert run.code == "stack_invalid"
    assert "the project has no repository 'handbook'" in comment


async def test_a_repository_that_cannot_be_reached_may_be_optional(world: World) -> None:
    remote = await bind(world, "handbook", security_dot_md="Lock the door.")
    remote.rename(remote.with_suffix(".gone"))
    push(world, STACK.replace("{alias: handbook}", "{alias: handbook, required: false}"))
    run = await world.launched()
    assert "security.md" not in (await world.register(run)).prompt


async def test_the_root_may_stand_in_another_repository(world: World) -> None:
    alone = STACK.replace("  repositories: [{alias: handbook}]\n", "").replace("repository: handbook, ", "")
    await bind(world, "platform", services_dot_yaml=alone, security_dot_md="Lock the door.")
    prompt = (await world.register(await world.launched())).prompt
    assert "Lock the door." in prompt


async def test_stacks_of_several_repositories_are_joined(world: World) -> None:
    part = STACK.replace("ServiceStack\nmetadata: {name: shop}", "ServiceStackFragment")
    part = part.replace("  repositories: [{alias: handbook}]\n", "")
    head = "apiVersion: stagewright.dev/v1alpha1\nkind: ServiceStackFragment\n"
    places = head + "spec: {environments: {preview: {kind: candidate}}}\n"
    await bind(world, "handbook", services_dot_yaml=places, security_dot_md="Lock the door.")
    push(world, part.replace("  environments: {preview: {kind: candidate}}\n", ""))
    prompt = (await world.register(await world.launched())).prompt
    assert "Lock the door." in prompt
