"""The assignment names the version of the engine's CLI that the platform was tested with; our own engines have none."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

from tests.fakes.clock import FakeClock
from tests.world import World

from stagewright.kit.db import Database

MODELS = "defaults: {model: gpt-5.4}\nstages: {dev: {model: rehearsal}}\n"
PINNED = {"codex": "0.169.0"}


async def with_codex(project_id: UUID, repository_id: UUID) -> frozenset[str]:
    """Say that the project has the credential of codex."""
    return frozenset({"codex"})


async def test_the_assignment_asks_for_the_pinned_version(db: Database, clock: FakeClock, tmp_path: Path) -> None:
    world = await World.make(db, clock, tmp_path, policy=MODELS)
    world.outside = replace(world.outside, engines_available=with_codex, engine_versions=PINNED)
    world.intake = replace(world.intake, engines_available=with_codex)
    assignment = await world.register(await world.launched("run:prd"))
    assert (assignment.engine, assignment.engine_version) == ("codex", "0.169.0")
    assignment = await world.register(await world.launched("run:dev"))
    assert (assignment.engine, assignment.engine_version) == ("scripted", "")
