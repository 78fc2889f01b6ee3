"""RN11: a run is cancelled in every status, never after its push was submitted, and nothing is launched again."""

import asyncio

import pytest
from tests.world import World

from stagewright.contexts.runs.errors import RunPublishing
from stagewright.contexts.runs.model import EffectStatus, Run, RunStatus
from stagewright.contexts.runs.reconcile import admission, checks, effects, finish, launch, watch
from stagewright.contexts.runs.usecases import publishing


async def settled(world: World, run: Run) -> Run:
    """Let the platform make the cancellation true, and go on for a while: nothing may start again."""
    await world.work()
    await world.tick(60)
    await world.tick(600)
    return await world.fresh(run)


async def check_cancelled(world: World, run: Run, *, launches: int) -> None:
    assert run.status is RunStatus.CANCELLED
    assert run.issue_number is not None
    kinds = await world.events(run)
    assert kinds.count("run.cancel.requested") == kinds.count("run.canceled") == 1
    assert len(world.workloads.launches) == launches
    assert world.workloads.held == {}
    assert world.labels(run.issue_number) == set(), "the trigger label is off"
    (comment,) = world.status_comments(run.issue_number)
    assert "cancelled" in comment
    assert world.pull_requests() == []
    assert {wait.status for wait in await world.waits_of(run)} <= {"cancelled"}


async def test_rn11_a_queued_run_is_cancelled_at_once(world: World) -> None:
    issue = world.issue()
    await world.trigger(issue)
    run, was_over = await world.cancel(await world.run_of(issue))
    assert (run.status, was_over) == (RunStatus.CANCELLED, False)
    await check_cancelled(world, await settled(world, run), launches=0)


async def test_rn11_a_run_that_is_admitted_is_cancelled_before_its_launch(world: World) -> None:
    issue = world.issue()
    await world.trigger(issue)
    await admission.admit_queued(world.outside)
    run, _ = await world.cancel(await world.run_of(issue))
    assert run.status is RunStatus.CANCELLED
    await launch.launch_preparing(world.outside)
    await check_cancelled(world, await settled(world, run), launches=0)


async def test_rn11_a_preparing_run_loses_its_workload(world: World) -> None:
    run = await world.launched()
    assert (await world.cancel(run))[0].status is RunStatus.CANCELLING
    await check_cancelled(world, await settled(world, run), launches=1)


async def test_rn11_a_running_run_is_stopped_with_grace(world: World) -> None:
    run = await world.started()
    world.workloads.stops_end_it = False
    await world.cancel(run)
    await world.turn()
    held = world.workloads.held[(await world.attempt_of(run)).workload_name]
    assert held.stop_grace is not None
    assert held.stop_grace.total_seconds() == 30
    assert (await world.fresh(run)).status is RunStatus.CANCELLING
    await check_cancelled(world, await settled(world, run), launches=1)
    (attempt,) = await world.attempts_of(run)
    assert attempt.outcome == "interrupted"


async def test_rn11_a_waiting_run_is_cancelled_at_once_with_its_waits(world: World) -> None:
    run = await world.started()
    await world.report(run, "rate_limited")
    await world.work()
    assert (await world.fresh(run)).status is RunStatus.WAITING
    run, _ = await world.cancel(run)
    assert run.status is RunStatus.CANCELLED
    await check_cancelled(world, await settled(world, run), launches=1)


async def test_rn11_a_finishing_run_is_cancelled_before_its_push_is_submitted(world: World) -> None:
    run = await world.started()
    await world.hand_over(run, {"hello.py": "print()\n"})
    await world.report(run)
    await checks.check_proposals(world.outside)
    await finish.finish_accepted(world.outside)  # the push is reserved, not submitted
    (push,) = await world.effects_of(run, publishing.PUSH)
    assert push.status is EffectStatus.RESERVED
    await world.cancel(run)
    await check_cancelled(world, await settled(world, run), launches=1)
    (push,) = await world.effects_of(run, publishing.PUSH)
    assert push.status is EffectStatus.SUPERSEDED
    assert world.branch("stagewright/issue-1/dev") is None


async def test_rn11_after_the_push_the_result_stays(world: World) -> None:
    run = await world.started()
    await world.hand_over(run, {"hello.py": "print()\n"})
    await world.report(run)
    await checks.check_proposals(world.outside)
    await finish.finish_accepted(world.outside)
    await effects.perform_reserved(world.outside)
    world.show_branches()
    with pytest.raises(RunPublishing) as refused:
        await world.cancel(run)
    assert refused.value.stable_code == "run_publishing"
    await world.work()
    assert (await world.fresh(run)).status is RunStatus.SUCCEEDED


async def test_rn11_a_push_that_a_worker_submits_at_the_same_moment_wins(world: World) -> None:
    run = await world.started()
    await world.hand_over(run, {"hello.py": "print()\n"})
    await world.report(run)
    await checks.check_proposals(world.outside)
    await finish.finish_accepted(world.outside)
    async with world.db.transaction() as claiming:
        await claiming.execute("update effects set status = 'submitted' where kind = 'git.push'")
        cancelling = asyncio.ensure_future(world.cancel(run))
        await wait_until_blocked(world)
    with pytest.raises(RunPublishing):
        await cancelling


async def wait_until_blocked(world: World) -> None:
    """Return when a session waits for a row lock; fail after five seconds."""
    async with asyncio.timeout(5):
        while True:
            async with world.db.reading() as reader:
                if await reader.value("select count(*) from pg_locks where not granted and locktype = 'transactionid'"):
                    return
            await asyncio.sleep(0)


async def test_cancelling_twice_and_after_the_end_changes_nothing(world: World) -> None:
    run = await world.started()
    await world.cancel(run)
    assert await world.cancel(run) == (await world.fresh(run), False)
    run = await settled(world, run)
    assert await world.cancel(run) == (run, True)


async def test_a_workload_that_never_goes_is_left_to_the_sweeper_after_five_minutes(world: World) -> None:
    run = await world.started()
    world.workloads.stops_end_it = False
    name = (await world.attempt_of(run)).workload_name
    held = world.workloads.held[name]
    await world.cancel(run)
    for _ in range(12):
        world.workloads.held[name] = held  # deleting has no effect
        await world.tick(30, turns=1)
    run = await world.fresh(run)
    assert run.status is RunStatus.CANCELLED
    assert (await world.attempt_of(run)).code == "workload_orphaned"
    assert name in world.workloads.held
    await watch.sweep_workloads(world.outside)
    assert name not in world.workloads.held
