"""The `services.yaml` of the default branch: read by the worker, it decides modes and is told to agents."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock
from tests.world import World

from stagewright.contexts.runs.model import FailureClass, RunStatus
from stagewright.contexts.workflow.api import DeclaredDeploy
from stagewright.kit.db import Database
from stagewright.processes.stacks import KeptStacks

STACK = """\
apiVersion: stagewright.dev/v1alpha1
kind: ServiceStack
metadata: {name: shop}
spec:
  environments:
    live: {kind: production, deployOnPush: auto, domainTemplate: shop.example.org}
    preview: {kind: candidate}
  webhookRuntime:
    triggerModes: {dev: code-only}
  services:
    - name: api
      manifests: [{path: deploy/api.yaml}]
      expose: [{service: api, port: 80}]
  projectDocs:
    - {path: docs/rules.md, description: house rules, roles: [dev]}
    - {path: docs/tests.md, description: how we test, roles: [qa]}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: api}
spec: {selector: {app: api}, ports: [{port: 80}]}
"""
FILES = {
    "services.yaml": STACK,
    "deploy/api.yaml": SERVICE,
    "docs/rules.md": "Write little.",
    "docs/tests.md": "Test much.",
}


@pytest.fixture
async def world(db: Database, clock: FakeClock, tmp_path: Path) -> World:
    """Return a platform whose decisions read what the worker kept."""
    made = await World.make(db, clock, tmp_path)
    made.intake = replace(made.intake, stacks=KeptStacks(db))
    return made


def push(world: World, **changes: str) -> str:
    """Put the stack on the default branch, with changes (``__`` stands for ``/``); return the commit."""
    for name, text in (
        FILES | {key.replace("__", "/").replace("_dot_", "."): text for key, text in changes.items()}
    ).items():
        world.person.write(name, text)
    world.person.commit("describe the stack")
    world.person.push(world.remote, "main")
    world.show_branches()
    return world.person.head()


async def told(world: World) -> list[tuple[str, dict[str, object]]]:
    """Return what the journal says of the stack."""
    rows = await world.journal(f"repository:{world.repository.id}")
    return [(kind, body) for kind, body in rows if kind.startswith("stack.")]


async def test_the_mode_of_a_run_is_what_the_stack_says(world: World) -> None:
    push(world)
    issue = world.issue()
    await world.trigger(issue, "run:dev")
    await world.work()
    run = await world.run_of(issue)
    assert (run.mode, run.runtime_source) == ("code-only", "services_yaml")


async def test_a_declared_environment_without_a_cluster_is_said(world: World) -> None:
    push(world)
    issue = world.issue()
    await world.trigger(issue, "run:plan")
    await world.work()
    run = await world.run_of(issue)
    assert (run.mode, run.runtime_source) == ("code-only", "no_cluster")


async def test_the_prompt_tells_the_documents_of_the_role_and_the_units(world: World) -> None:
    push(world)
    run = await world.launched()
    prompt = (await world.register(run)).prompt
    assert "Write little." in prompt
    assert "Test much." not in prompt
    assert "- api: group default, rebuild; manifests deploy/api.yaml\n" in prompt


async def test_a_document_without_room_is_named_and_not_told(world: World) -> None:
    push(world, docs__rules_dot_md="x" * 300_000)
    run = await world.launched()
    prompt = (await world.register(run)).prompt
    assert 'docs/rules.md" left-out="no room"/>' in prompt
    assert "xxxx" not in prompt


async def test_an_invalid_stack_fails_the_run_and_names_its_line(world: World) -> None:
    push(world, services_dot_yaml=STACK.replace("kind: candidate", "knd: candidate"))
    issue = world.issue()
    await world.trigger(issue, "run:dev")
    await world.work()
    run = await world.run_of(issue)
    assert (run.status, run.failure_class, run.code) == (
        RunStatus.FAILED,
        FailureClass.PRECONDITION,
        "stack_invalid",
    )
    (comment,) = world.status_comments(issue)
    assert "'services.yaml' of the default branch is not valid ('services.yaml:7: " in comment
    assert "stagewright stack validate" in comment


async def test_reading_a_stack_is_told_once_for_each_commit(world: World) -> None:
    first = push(world)
    await world.scan()
    await world.scan()
    assert [(kind, body["commit_sha"]) for kind, body in await told(world)] == [("stack.resolved", first)]
    second = push(world, services_dot_yaml=STACK.replace("metadata", "metdata"))
    await world.tick(60)
    await world.scan()
    kinds = [(kind, body["commit_sha"]) for kind, body in await told(world)]
    assert kinds == [("stack.resolved", first), ("stack.resolve_failed", second)]


async def test_without_a_file_nothing_is_declared(world: World) -> None:
    await world.scan()
    stacks = KeptStacks(world.db)
    assert await stacks.runtime(world.repository) is None
    assert await stacks.deploy(world.repository) is None
    assert await told(world) == []


async def test_a_push_finds_what_is_declared_of_deploys(world: World) -> None:
    push(world)
    await world.scan()
    assert await KeptStacks(world.db).deploy(world.repository) == DeclaredDeploy(production=True, on_push=True)
