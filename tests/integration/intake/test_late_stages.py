"""RN8: a stage that examines a candidate is refused where there is none; the person is told how to make one."""

from datetime import timedelta
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

    late = await world.run_of(run.issue_number)
    assert (late.kind, late.status) == ("qa", "preparing")
    assert (late.build_sha, late.world.candidate_pr) == (world.branch(run.branch or ""), run.pr_number)
    assert world.diagnostics(run.issue_number) == []
    (comment,) = [text for text in world.status_comments(run.issue_number) if str(late.id) in text]
    assert f"| Candidate | `{(late.build_sha or '')[:12]}` (#{run.pr_number}) |" in comment


async def test_the_candidate_is_pinned_to_the_head_it_has_at_the_launch(world: World) -> None:
    run = await world.deliver_result(await world.started("run:dev"))
    assert run.issue_number is not None
    before = world.branch(run.branch or "")
    await world.trigger(run.issue_number, "run:qa")
    requested = await world.run_of(run.issue_number)
    assert (requested.status, requested.build_sha) == ("queued", before)
    moved = world.push_as_person("late.py", "x = 1\n", branch=run.branch or "")
    await world.work()

    late = await world.fresh(requested)
    assert (late.status, late.build_sha) == ("preparing", moved)
    assert "run.build_ref.replaced" in await world.events(late)


async def test_a_candidate_that_goes_before_the_launch_ends_the_run_before_a_workload_exists(world: World) -> None:
    run = await world.deliver_result(await world.started("run:dev"))
    assert run.issue_number is not None
    assert run.pr_number is not None
    await world.trigger(run.issue_number, "run:qa")
    world.clock.advance(timedelta(seconds=5))
    world.forge.close(world.repository.forge_repository_id, run.pr_number)
    await world.scan()
    await world.work()

    late = await world.run_of(run.issue_number)
    assert (late.status, late.code) == ("failed", "issue_trigger_candidate_not_found")
    assert await world.attempts_of(late) == []
    (comment,) = [text for text in world.status_comments(run.issue_number) if str(late.id) in text]
    assert "`run:dev`" in comment
