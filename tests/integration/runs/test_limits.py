"""RN13: limits of providers are shared and durable; comments are delayed, runs wait and go on by themselves."""

from datetime import timedelta

from tests.world import World

from stagewright.contexts.runs.model import EffectStatus, RunStatus, WaitKind
from stagewright.contexts.runs.reconcile import effects
from stagewright.contexts.runs.store import effects as effect_rows
from stagewright.contexts.runs.store import limits as limit_rows
from stagewright.contexts.runs.usecases import limits
from stagewright.kit.errors import LimitReached, Unauthenticated

MINUTES = timedelta(minutes=2)


def limited(*, bucket: str = "content") -> LimitReached:
    return LimitReached("slow down", retry_after=MINUTES, code="forge.secondary_limit", bucket=bucket)


def bot_of(world: World) -> str:
    """Return whose limits the bot draws on."""
    return world.forge.installation_of(world.repository.forge_repository_id, "bot")


async def close(world: World, bucket: str) -> None:
    """Close a bucket of the bot for two minutes, after the worker has learned whose limits it draws on."""
    await effects.perform_reserved(world.outside)
    async with world.db.transaction() as tx:
        await limits.close_bucket(tx, bot_of(world), bucket, retry_after=MINUTES, cause="test", now=world.clock.now())


async def test_rn13_a_limit_during_a_comment_only_delays_it(world: World) -> None:
    world.forge.fail("create_comment", limited())
    run = await world.started()
    assert world.status_comments(1) == []
    assert run.status is RunStatus.RUNNING
    calls = world.calls("create_comment")
    await world.tick(60)
    assert world.calls("create_comment") == calls, "the bucket is closed for everybody"
    await world.tick(61)
    assert len(world.status_comments(1)) == 1
    kinds = [kind for kind, _ in await world.journal(f"limits:{bot_of(world)}")]
    assert kinds == ["provider.limit.blocked", "provider.limit.cleared"]


async def test_rn13_a_limit_while_publishing_lets_the_run_wait_and_go_on(world: World) -> None:
    world.forge.fail("open_pull_request", limited())
    run = await world.started()
    await world.hand_over(run, {"hello.py": "print()\n"})
    await world.turn()
    await world.report(run)
    await world.work()
    run = await world.fresh(run)
    assert run.status is RunStatus.WAITING
    (wait,) = await world.waits_of(run)
    assert (wait.kind, wait.target_id, wait.who_can_act) == (WaitKind.RATE_LIMIT, "content", "nobody")
    active = run.active_seconds
    await world.tick(130)
    run = await world.fresh(run)
    assert run.status is RunStatus.SUCCEEDED
    assert run.active_seconds == active, "waiting costs no active time"
    assert len(world.pull_requests()) == 1


async def test_rn13_a_limit_at_the_launch_lets_the_run_wait_without_a_workload(world: World) -> None:
    issue = world.issue()
    await world.trigger(issue)
    world.forge.fail("comments", limited(bucket="core"))
    await world.work()
    run = await world.run_of(issue)
    assert run.status is RunStatus.WAITING
    assert world.workloads.launches == []
    await world.tick(130)
    assert (await world.fresh(run)).status is RunStatus.PREPARING
    assert len(world.workloads.launches) == 1
    await world.register(run)
    attempt = await world.attempt_of(run)
    assert attempt.reason == "limit_cleared"


async def test_a_closed_bucket_is_not_even_asked_at_the_launch(world: World) -> None:
    issue = world.issue()
    await world.trigger(issue)
    await close(world, "core")
    before = len(world.forge.calls)
    await world.work()
    assert (await world.run_of(issue)).status is RunStatus.WAITING
    assert len(world.forge.calls) == before


async def test_rn13_a_limit_of_the_model_lets_the_run_wait_and_go_on(world: World) -> None:
    run = await world.started()
    await world.report(run, "rate_limited", resume_at=world.clock.now() + MINUTES)
    await world.work()
    run = await world.fresh(run)
    assert run.status is RunStatus.WAITING
    (wait,) = await world.waits_of(run)
    assert wait.target_id == "model:scripted"
    assert world.workloads.held == {}
    await world.tick(130)
    run = await world.fresh(run)
    assert (run.status, run.generation) == (RunStatus.PREPARING, 2)
    assert (await world.attempt_of(run)).reason == "limit_cleared"


async def test_a_limit_that_stays_closed_for_a_day_fails_the_run(world: World) -> None:
    run = await world.started()
    await world.report(run, "rate_limited", resume_at=world.clock.now() + timedelta(hours=30))
    await world.work()
    await world.tick(24 * 3600 + 10)
    run = await world.fresh(run)
    assert (run.status, run.code) == (RunStatus.FAILED, "rate_limit_exhausted")


async def test_a_rejected_credential_closes_the_bucket_and_tells_people(world: World) -> None:
    world.forge.fail("add_reaction", Unauthenticated("bad credentials", code="forge.unauthenticated"))
    issue = world.issue()
    await world.trigger(issue)
    await effects.perform_reserved(world.outside)
    assert await world.incidents() == {"forge.credential_rejected"}
    async with world.db.reading() as reader:
        closed = await limits.blocked(reader, world.repository.id, now=world.clock.now())
        credentials = await reader.value("select count(*) from credentials")
    assert closed is not None
    assert closed[0] == "core"
    assert credentials == 2, "no credential is deleted"
    await world.work()
    assert world.workloads.launches == []
    await world.tick(400)
    assert world.thread(issue).reactions == [("stagewright-bot", "eyes")]
    assert len(world.workloads.launches) == 1


async def test_what_is_left_below_the_reserve_is_kept_for_people(world: World) -> None:
    world.forge.remaining = 700  # of 5000: below 15 %
    issue = world.issue()
    await world.trigger(issue)
    await effects.perform_reserved(world.outside)
    async with world.db.reading() as reader:
        closed = await limits.blocked(reader, world.repository.id, now=world.clock.now())
    assert closed == ("core", world.clock.now() + timedelta(hours=1, seconds=5))


async def test_pauses_without_a_stated_time_grow_to_fifteen_minutes(world: World) -> None:
    pauses = []
    for _ in range(6):
        async with world.db.transaction() as tx:
            until = await limits.close_bucket(
                tx, bot_of(world), "core", retry_after=None, cause="test", now=world.clock.now()
            )
        pauses.append(int((until - world.clock.now()).total_seconds() // 60))
        world.clock.advance(until - world.clock.now())
    assert pauses == [1, 2, 4, 8, 15, 15]


async def test_content_is_written_at_most_once_a_second(world: World) -> None:
    first, second = world.issue(), world.issue()
    await world.trigger(first)
    await world.trigger(second)
    await world.turn()  # renders both status comments
    written = []
    for _ in range(4):
        before = world.calls("create_comment")
        await effects.perform_reserved(world.outside)
        written.append(world.calls("create_comment") - before)
        world.clock.advance(timedelta(seconds=0.6))
    assert written == [1, 0, 1, 0]


async def test_what_publishing_needs_goes_before_comments(world: World) -> None:
    await close(world, "content")
    run = await world.started()
    await world.hand_over(run, {"hello.py": "print()\n"})
    await world.turn()
    await world.report(run)
    await world.work()
    world.clock.advance(MINUTES)
    async with world.db.transaction() as tx:
        await limit_rows.clear_limits(tx, world.clock.now())
        claimed = await effect_rows.claim(
            tx, worker="w1", now=world.clock.now(), until=world.clock.now() + MINUTES, limit=10
        )
    content = [effect.kind for effect in claimed if effect.bucket == "content"]
    assert content == ["pull_request.open"]
    assert {effect.status for effect in claimed} == {EffectStatus.SUBMITTED}
