"""Which session an attempt goes on with, and whether the work in progress comes with it."""

from datetime import timedelta

import grpc
import pytest
from tests.fakes.git_store import git
from tests.integration.runs.door import Caller, caller_of, open_door
from tests.world import World

from stagewright.contexts.runs.model import Run, RunStatus


async def live(world: World, channel: grpc.aio.Channel, run: Run) -> Caller:
    """Register the newest attempt over the door."""
    caller = caller_of(world, channel, run)
    await caller.assignment()
    return caller


async def parts(caller: Caller, session: str) -> tuple[bytes, bytes]:
    """Return archive and work in progress as the door sends them."""
    chunks = await caller.session(session)
    return b"".join(chunk.archive for chunk in chunks), b"".join(chunk.wip_bundle for chunk in chunks)


async def test_the_next_attempt_restores_the_newest_session_with_work_in_progress(world: World) -> None:
    async with open_door(world) as channel:
        run = await world.launched()
        caller = await live(world, channel, run)
        await caller.save_session(b"old", b"old wip")
        world.clock.advance(timedelta(seconds=1))
        newest = await caller.save_session(b"new", b"new wip")
        await caller.outcome("rate_limited")
        world.workloads.finish(caller.spec.name, 0)
        await world.work()
        await world.tick(120)
        again = caller_of(world, channel, run)
        assignment = await again.assignment()
        assert (again.spec.generation, assignment.session_id) == (2, newest)
        assert assignment.resume_prompt
        assert await parts(again, newest) == (b"new", b"new wip")


async def test_a_run_that_starts_again_after_a_timeout_goes_on_with_the_failed_ones_session(world: World) -> None:
    async with open_door(world) as channel:
        run = await world.launched()
        caller = await live(world, channel, run)
        saved = await caller.save_session(b"archive", b"wip")
        await failed_by_timeout(world, run)
        await world.trigger(1)
        await world.work()
        again = await world.run_of(1)
        assert again.id != run.id
        caller = caller_of(world, channel, again)
        assignment = await caller.assignment()
        assert assignment.session_id == saved
        assert not assignment.resume_prompt, "another run gets the whole prompt"
        assert await parts(caller, saved) == (b"archive", b"wip")


@pytest.mark.parametrize("reason", ["base moved", "a day passed"])
async def test_work_in_progress_needs_its_base_and_the_session_its_day(world: World, reason: str) -> None:
    async with open_door(world) as channel:
        run = await world.launched()
        caller = await live(world, channel, run)
        saved = await caller.save_session(b"archive", b"wip")
        await failed_by_timeout(world, run)
        if reason == "base moved":
            world.person.write("other.py", "x = 1\n")
            world.person.commit("main goes on")
            world.person.push(world.remote, "main")
        else:
            world.clock.advance(timedelta(hours=25))
        await world.trigger(1)
        await world.work()
        caller = caller_of(world, channel, await world.run_of(1))
        assignment = await caller.assignment()
        if reason == "base moved":
            assert assignment.session_id == saved
            assert await parts(caller, saved) == (b"archive", b"")
        else:
            assert assignment.session_id == ""


async def test_a_revise_restores_the_session_of_its_link_with_the_tree_of_the_branch(world: World) -> None:
    async with open_door(world) as channel:
        first = await world.launched()
        caller = await live(world, channel, first)
        saved = await caller.save_session(b"archive", b"wip")
        first = await world.deliver_result(await world.fresh(first))
        assert first.status is RunStatus.SUCCEEDED
        await world.trigger(1, "run:dev:revise")
        await world.work()
        caller = caller_of(world, channel, await world.run_of(1))
        assignment = await caller.assignment()
        assert assignment.session_id == saved
        assert assignment.link_head_sha == world.branch(str(first.branch))
        assert await parts(caller, saved) == (b"archive", b"")


async def test_earlier_open_stages_come_with_the_source(world: World) -> None:
    await world.deliver_result(await world.started("run:intake"), {"docs/intake.md": "# Intake\n"})
    world.forge.person_unlabels(world.repository.forge_repository_id, 1, "state:in-review")
    await world.trigger(1, "run:vision")
    await world.work()
    run = await world.run_of(1)
    async with open_door(world) as channel:
        caller = caller_of(world, channel, run)
        assignment = await caller.assignment()
        bundle = world.folder / "source.bundle"
        bundle.write_bytes(b"".join(chunk.data for chunk in await caller.source()))
    assert list(assignment.prior_stages) == ["intake"]
    heads = git(world.remote, "bundle", "list-heads", str(bundle))
    assert "refs/stagewright/prior/intake" in heads
    assert f"{run.base_sha} refs/stagewright/base" in heads


async def failed_by_timeout(world: World, run: Run) -> None:
    """Let the run reach its active limit."""
    world.clock.advance(timedelta(seconds=run.limit_seconds + 1))
    await world.beat(run)
    await world.turn()
    await world.tick(15)
    assert (await world.fresh(run)).code == "active_time_exceeded"
