"""RN8: a stage that examines a candidate is refused where there is none; the person is told how to make one."""

from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock
from tests.world import POLICY, World

from stagewright.kit.db import Database

RENAMED = POLICY + 'labels: {names: {"run:dev": "ai: implement", "need:input": "question"}}\n'


@pytest.mark.parametrize("label", ["run:qa", "run:release"])
async def test_rn8_a_late_stage_without_a_candidate_is_refused_with_a_hint(world: World, label: str) -> None:
    issue = world.issue()
    await world.trigger(issue, label)
    await world.work()
    (told,) = world.diagnostics(issue)

    assert "`run:dev`" in told
    assert "`run:dev:revise`" in told
    assert world.labels(issue) == {"need:input"}, "the trigger is taken off, the question is put on"
    assert await world.count_runs() == 0


async def test_rn8_the_hint_is_said_in_the_projects_own_words(db: Database, clock: FakeClock, tmp_path: Path) -> None:
    world = await World.make(db, clock, tmp_path, policy=RENAMED, locale="ru")
    issue = world.issue()
    await world.trigger(issue, "run:qa")
    await world.work()
    (told,) = world.diagnostics(issue)

    assert "`ai: implement`" in told
    assert "`run:dev`" not in told
    assert world.labels(issue) == {"question"}


async def test_rn8_with_a_candidate_the_stage_starts_and_the_question_goes(world: World) -> None:
    run = await world.deliver_result(await world.started("run:dev"))
    assert run.issue_number is not None
    await world.trigger(run.issue_number, "run:qa")
    await world.work()

    assert (await world.run_of(run.issue_number)).kind == "qa"
    assert world.diagnostics(run.issue_number) == []
