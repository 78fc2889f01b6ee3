"""A worker dies between any two steps, another goes on: one workload, one push, one pull request, one comment."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from tests.fakes.git_store import git
from tests.fakes.mortal import Killed, Life, mortal
from tests.world import STEP, World

from stagewright.contexts.runs.errors import OutcomeUnknown
from stagewright.contexts.runs.model import AttemptStatus, EffectStatus, Run, RunStatus
from stagewright.contexts.runs.reconcile import admission, checks, comments, effects, finish, launch, watch
from stagewright.contexts.runs.reconcile.outside import CLAIM, Outside
from stagewright.contexts.runs.reconcile.situation import HEADS_FRESH
from stagewright.contexts.runs.usecases.cancel import cancel_run
from stagewright.contexts.runs.usecases.outbox import ABSENT_GAP

Duty = Callable[[Outside], Awaitable[int]]
PUBLISHING: tuple[Duty, ...] = (
    checks.check_proposals,
    finish.finish_accepted,
    effects.perform_reserved,
    comments.publish_status,
)
TURNS = 6
PARTS = 4  # of the moments, one test each
ACTS = ("git.inspect", "git.commit", "git.push", "forge.open_pull_request", "forge.add_label", "forge.create_comment")


async def live(world: World, duties: tuple[Duty, ...], life: Life, *, turns: int = 1) -> None:
    """Let a worker pass over ``duties`` until its end."""
    outside = mortal(world.outside, life)
    with suppress(Killed):
        for _ in range(turns):
            for duty in duties:
                await duty(outside)
                world.show_branches()
            world.clock.advance(STEP)
    world.show_branches()  # the forge sees what was pushed, whoever dies


async def admitted(world: World) -> Run:
    """Return an admitted run on a fresh issue, without its workload; its launch will ask the remote anew."""
    issue = world.issue()
    await world.trigger(issue)
    await admission.admit_queued(world.outside)
    world.clock.advance(HEADS_FRESH + STEP)
    return await world.run_of(issue)


async def handed_over(world: World) -> Run:
    """Return a run whose runner handed its result over and still waits for the verdict."""
    run = await admitted(world)
    await launch.launch_preparing(world.outside)
    await world.register(run)
    run = await world.fresh(run)
    await world.hand_over(run, {f"hello{run.number}.py": f"print({run.number})\n"})
    return run


async def taken_over(world: World, run: Run) -> Run:
    """Let the dead worker's leases run out and a second one do the rest; then look that nothing is done again."""
    second = world.worker("w2")
    world.clock.advance(CLAIM + STEP)
    await world.work(outside=second)
    if any(effect.status is EffectStatus.UNKNOWN for effect in await world.effects_of(run)):
        world.clock.advance(ABSENT_GAP)  # an act nobody knows of is looked for twice
        await world.work(outside=second)
    await world.turn(second)
    return await world.fresh(run)


async def test_rn10_a_worker_killed_at_any_moment_of_a_launch_leaves_one_workload(world: World) -> None:
    rehearsal = Life()
    await admitted(world)
    await live(world, (launch.launch_preparing,), rehearsal)
    assert {"git.heads", "workloads.launch"} <= set(rehearsal.moments)
    for moment in range(len(rehearsal.moments)):
        run = await admitted(world)
        life = Life(moment)
        await live(world, (launch.launch_preparing,), life)
        assert not life.alive, moment
        run = await taken_over(world, run)
        ours = [spec for spec in world.workloads.launches if spec.run_id == run.id]
        assert len(ours) == 1, rehearsal.moments[moment]
        assert len(await world.attempts_of(run)) == 1
        assert (run.status, run.generation, run.claimed_by) == (RunStatus.PREPARING, 1, None)
        await end(world, run)


async def end(world: World, run: Run) -> None:
    """Cancel a run, so that the next one finds its place free."""
    async with world.db.transaction() as tx:
        await cancel_run(tx, run.id, cause="person", clock=world.clock)
    await world.work()
    assert (await world.fresh(run)).status is RunStatus.CANCELLED


def moments_of_publishing(moments: list[str]) -> list[int]:
    """Return every moment until the run's end is written, and those around the label and the comment after it."""
    until = moments.index("git.forget") + 1
    later = [index for index, name in enumerate(moments) if name in ("forge.create_comment", "forge.add_label")]
    chosen = [*range(until), *(index + step for index in later[:2] for step in (0, 1))]
    return [index for index in dict.fromkeys(chosen) if moments[index] != "forge.rate"]


@pytest.mark.parametrize("part", range(PARTS))
async def test_rn10_a_worker_killed_at_any_moment_of_publishing_leaves_one_push_and_one_pull_request(
    world: World, part: int
) -> None:
    rehearsal = Life()
    await effects.perform_reserved(world.outside)  # what is learned once of a repository shifts no later moment
    await handed_over(world)
    await live(world, PUBLISHING, rehearsal, turns=TURNS)
    assert set(ACTS) <= set(rehearsal.moments)
    for moment in moments_of_publishing(rehearsal.moments)[part::PARTS]:
        run = await handed_over(world)
        life = Life(moment)
        await live(world, PUBLISHING, life, turns=TURNS)
        assert not life.alive, moment
        run = await taken_over(world, run)
        what = f"killed before moment {moment}, {rehearsal.moments[moment]}"
        assert run.status is RunStatus.SUCCEEDED, (what, run.code, run.detail)
        assert run.issue_number is not None
        pulls = [pull for pull in world.pull_requests() if pull.title.startswith(f"#{run.issue_number} ")]
        assert len(pulls) == 1, what
        log = git(world.remote, "log", "--format=%s", f"{run.base_sha}..{world.branch(str(run.branch))}")
        assert log.splitlines() == ["Add a greeting"], what
        assert len(world.status_comments(run.issue_number)) == 1, what
        assert "succeeded" in world.status_comments(run.issue_number)[0]
        assert world.labels(run.issue_number) == {"state:in-review"}, what
        left = [effect for effect in await world.effects_of(run) if effect.status is not EffectStatus.DONE]
        assert {effect.status for effect in left} <= {EffectStatus.SUPERSEDED}, what


async def test_rn23_a_runner_that_dies_after_handing_over_is_published_once(world: World) -> None:
    run = await world.started()
    await world.hand_over(run, {"hello.py": "print('hello')\n"})
    world.workloads.lose((await world.attempt_of(run)).workload_name)
    await world.tick(15)
    await world.tick(60)
    run = await world.fresh(run)
    assert run.status is RunStatus.SUCCEEDED
    assert len(world.pull_requests()) == 1
    (attempt,) = await world.attempts_of(run)
    assert attempt.outcome == "lost"


async def test_rn23_a_lost_attempt_with_an_unchecked_result_waits_for_its_check(world: World) -> None:
    run = await world.started()
    await world.hand_over(run, {"hello.py": "print('hello')\n"})
    world.workloads.lose((await world.attempt_of(run)).workload_name)
    for seconds in (1, 11, 1):  # absent on two looks at least ten seconds apart, before any check
        world.clock.advance(timedelta(seconds=seconds))
        await watch.watch_attempts(world.outside)
    assert (await world.attempt_of(run)).status is AttemptStatus.ENDED
    assert (await world.fresh(run)).status is RunStatus.RUNNING
    await world.work()
    assert (await world.fresh(run)).status is RunStatus.SUCCEEDED


async def test_rn24_a_pull_request_whose_opening_lost_its_answer_is_found_not_opened_twice(world: World) -> None:
    world.forge.fail("open_pull_request", OutcomeUnknown("the connection broke"), after=True)
    run = await world.deliver_result(await world.started())
    assert run.status is RunStatus.SUCCEEDED
    assert len(world.pull_requests()) == 1
    assert world.calls("open_pull_request") == 1
    (effect,) = await world.effects_of(run, "pull_request.open")
    assert effect.status is EffectStatus.DONE
    kinds = await world.events(run)
    assert kinds.index("effect.unknown") < kinds.index("effect.resolved")


async def test_an_unknown_act_is_done_again_only_after_two_reads_ten_seconds_apart(world: World) -> None:
    world.forge.fail("open_pull_request", OutcomeUnknown("the connection broke"))
    run = await world.started()
    await world.hand_over(run, {"hello.py": "print('hello')\n"})
    await world.turn()
    await world.report(run)
    await world.work(turns=8)
    assert world.calls("open_pull_request") == 1
    assert (await world.fresh(run)).status is RunStatus.FINISHING
    await world.tick(11)
    assert (await world.fresh(run)).status is RunStatus.SUCCEEDED
    assert world.calls("open_pull_request") == 2
    assert len(world.pull_requests()) == 1
