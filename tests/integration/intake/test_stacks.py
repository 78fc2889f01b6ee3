"""What a project declares in `services.yaml` decides mode and environment; where nothing is declared, that is said."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.stacks import FakeStacks
from tests.world import POLICY, World

from stagewright.contexts.workflow.api import DeclaredRuntime, Mode
from stagewright.kit.db import Database

SLOT = DeclaredRuntime(environments=frozenset({"candidate"}))
CODE_ONLY = DeclaredRuntime(default_mode=Mode.CODE_ONLY)
REQUIRED = POLICY.replace("dev: {model: rehearsal}", "dev: {model: rehearsal, environment_required: true}")


@pytest.mark.parametrize(
    ("declared", "source", "said"),
    [
        (None, "no_services_yaml", "No `services.yaml`: the run worked on code only"),
        (SLOT, "no_cluster", "No cluster is configured: the run worked on code only"),
        (CODE_ONLY, "services_yaml", None),
    ],
)
async def test_a_stage_of_a_full_environment_works_on_code_where_it_has_none_and_says_so(
    world: World, declared: DeclaredRuntime | None, source: str, said: str | None
) -> None:
    world.intake = replace(world.intake, stacks=FakeStacks(declared))
    issue = world.issue()
    await world.trigger(issue, "run:dev")
    await world.work()
    run = await world.run_of(issue)
    (comment,) = world.status_comments(issue)
    assert (run.mode, run.runtime_source) == ("code-only", source)
    assert said in comment if said else "worked on code only" not in comment


async def test_a_stage_that_requires_an_environment_is_refused_where_none_is_declared(
    db: Database, clock: FakeClock, tmp_path: Path
) -> None:
    world = await World.make(db, clock, tmp_path, policy=REQUIRED)
    issue = world.issue()
    await world.trigger(issue, "run:dev")
    await world.work()
    assert await world.count_runs() == 0
    (told,) = world.diagnostics(issue)
    assert "`environment_not_declared`" in told
