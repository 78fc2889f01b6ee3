"""Whoever closes a wait holds its run first: passes and cancels that meet never wait for each other in a circle."""

import asyncio
from datetime import timedelta

from tests.world import World

from stagewright.contexts.runs.model import Run, RunStatus
from stagewright.contexts.runs.reconcile.waits import settle_waits
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases.cancel import cancel_run

DEADLINE = 30.0
BLOCKED = """
select count(*) from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock' and state = 'active'
"""


async def due(world: World) -> Run:
    """Return a run whose wait for a limit has passed its deadline."""
    run = await world.started()
    await world.report(run, "rate_limited", resume_at=world.clock.now() + timedelta(hours=30))
    await world.work()
    world.clock.advance(timedelta(hours=24, seconds=1))
    assert (await world.fresh(run)).status is RunStatus.WAITING
    return run


async def ended_or_blocked(world: World, task: "asyncio.Task[int]") -> None:
    """Wait until the pass is over, or waits for a lock."""
    async with asyncio.timeout(DEADLINE):
        while not task.done():
            async with world.db.reading() as reader:
                if await reader.value(BLOCKED):
                    return
            await asyncio.wait({task}, timeout=0.02)


async def test_a_pass_over_due_waits_and_a_cancel_that_came_first_do_not_lock_each_other_out(world: World) -> None:
    run = await due(world)
    async with world.db.transaction() as tx:
        await run_rows.lock(tx, run.id)
        settling = asyncio.create_task(settle_waits(world.outside))
        await ended_or_blocked(world, settling)
        cancelled, _ = await cancel_run(tx, run.id, cause="person", clock=world.clock)
    async with asyncio.timeout(DEADLINE):
        await settling
    assert cancelled.status is RunStatus.CANCELLED
    await settle_waits(world.outside)
    assert (await world.fresh(run)).status is RunStatus.CANCELLED
    assert [wait.status for wait in await world.waits_of(run)] == ["cancelled"]


async def test_a_cancel_that_comes_during_the_pass_finds_the_run_failed(world: World) -> None:
    run = await due(world)
    settled, cancelled = await asyncio.gather(settle_waits(world.outside), world.cancel(run))
    fresh = await world.fresh(run)
    assert fresh.status in (RunStatus.FAILED, RunStatus.CANCELLED)
    assert (settled, cancelled[1]) in ((1, True), (0, False))
    kinds = await world.events(run)
    assert sum(kind in ("run.failed", "run.canceled") for kind in kinds) == 1


async def test_two_workers_over_the_same_due_waits_end_each_once(world: World) -> None:
    run = await due(world)
    await asyncio.gather(*(settle_waits(world.worker(name)) for name in ("w1", "w2", "w3")))
    assert (await world.events(run)).count("run.failed") == 1
