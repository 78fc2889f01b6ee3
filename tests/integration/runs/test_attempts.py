"""RN22, RN34: generations fence, clocks end what takes too long, lost attempts are tried again."""

import asyncio
from datetime import timedelta

import pytest
from tests import factories
from tests.fakes.mortal import Life, MortalPort
from tests.world import World

from stagewright.contexts.runs.errors import AttemptEnded, GenerationStale, SourceUnavailable
from stagewright.contexts.runs.model import AttemptStatus, FailureClass, Run, RunStatus
from stagewright.contexts.runs.ports import WorkloadSpec
from stagewright.contexts.runs.reconcile import claims, launch
from stagewright.contexts.runs.reconcile.outside import CLAIM
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import attempts, messages
from stagewright.kit.errors import Invalid


async def retried(world: World) -> Run:
    """Return a run whose first attempt was lost and whose second one is live."""
    run = await world.started()
    world.workloads.lose((await world.attempt_of(run)).workload_name)
    for seconds in (1, 15, 35):  # seen absent, seen absent again, the pause before the retry
        await world.tick(seconds)
    await world.register(run)
    run = await world.fresh(run)
    assert (run.status, run.generation) == (RunStatus.RUNNING, 2)
    return run


class TestGenerations:
    """RN22: only the newest attempt may change anything."""

    async def test_rn22_messages_of_an_old_generation_are_refused_and_change_nothing(self, world: World) -> None:
        run = await world.started()
        old = await world.attempt_of(run)
        async with world.db.transaction() as tx:
            current = await run_rows.lock(tx, run.id)
            await attempts.retry(
                tx, current, reason="infrastructure_retry", code="test", delay=timedelta(0), now=world.clock.now()
            )
        said = attempts.Outcome("completed", None, None, 1, 0, 1)
        for act in (
            lambda tx: messages.take_messages(tx, old.id, [], now=world.clock.now()),
            lambda tx: messages.keep_proposal(
                tx, old.id, proposal_no=1, report={}, bundle=None, bundle_sha256=None, now=world.clock.now()
            ),
            lambda tx: attempts.report_outcome(tx, old.id, said, now=world.clock.now()),
            lambda tx: attempts.register(tx, old, runner_version="x", now=world.clock.now()),
        ):
            with pytest.raises(GenerationStale) as refused:
                async with world.db.transaction() as tx:
                    await act(tx)
            assert refused.value.stable_code == "generation_stale"
        await world.work()
        run = await world.fresh(run)
        assert (run.status, run.tokens_in) == (RunStatus.PREPARING, 0)
        assert old.workload_name in world.workloads.deleted

    async def test_rn22_a_late_completion_of_a_suspect_attempt_is_accepted(self, world: World) -> None:
        run = await world.started()
        await world.tick(95)
        assert (await world.attempt_of(run)).suspect_since is not None
        run = await world.deliver_result(run)
        assert run.status is RunStatus.SUCCEEDED
        (attempt,) = await world.attempts_of(run)
        assert (attempt.suspect_since, attempt.outcome) == (None, "completed")

    async def test_a_completion_that_comes_while_cancelling_is_recorded_not_published(self, world: World) -> None:
        run = await world.started()
        await world.hand_over(run, {"hello.py": "print()\n"})
        await world.cancel(run)
        await world.report(run)
        await world.work()
        run = await world.fresh(run)
        assert run.status is RunStatus.CANCELLED
        assert (await world.attempt_of(run)).outcome == "completed"
        assert world.pull_requests() == []

    async def test_an_equal_outcome_is_acknowledged_again_and_another_one_refused(self, world: World) -> None:
        run = await world.started()
        attempt = await world.attempt_of(run)
        await world.report(run, "agent_failed", code="engine_error", leave=False)
        await world.report(run, "agent_failed", code="engine_error", leave=False)
        with pytest.raises(AttemptEnded):
            await world.report(run, "completed", leave=False)
        assert (await world.attempt_of(run)).outcome == "agent_failed"
        assert (await world.fresh(run)).tokens_in == 10, "counted once"
        assert attempt.id == (await world.attempt_of(run)).id

    async def test_the_assignment_is_the_same_at_every_call(self, world: World) -> None:
        run = await world.launched()
        first, second = await world.register(run), await world.register(run)
        assert first == second
        assert first.prompt_sha256
        assert (first.branch, first.base_sha) == ("stagewright/issue-1/dev", run.base_sha)

    async def test_the_assignment_holds_no_credential(self, world: World) -> None:
        run = await world.launched()
        assignment = await world.register(run)
        (spec,) = world.workloads.launches
        raw = assignment.SerializeToString()
        assert all(token.encode() not in raw for token in spec.tokens.values())
        assert b"bot-token" not in raw


class TestClocks:
    """RN34: what takes too long ends, once it was given its chance."""

    async def test_rn34_a_stalled_agent_is_tried_once_more_then_fails(self, world: World) -> None:
        run = await world.started()
        for generation in (1, 2):
            for _ in range(31):
                await world.beat(run, engine=False)
                world.clock.advance(timedelta(seconds=30))
                await world.turn()
            await world.work()
            run = await world.fresh(run)
            if generation == 1:
                assert (run.status, run.generation) == (RunStatus.PREPARING, 2)
                await world.register(run)
        assert (run.status, run.failure_class, run.code) == (
            RunStatus.FAILED,
            FailureClass.TIMEOUT,
            "agent_stalled",
        )

    async def test_rn34_an_engine_that_works_is_not_stalled(self, world: World) -> None:
        run = await world.started()
        for _ in range(40):
            await world.beat(run)
            world.clock.advance(timedelta(seconds=30))
            await world.turn()
        assert (await world.fresh(run)).status is RunStatus.RUNNING

    async def test_rn34_the_active_limit_stops_the_run_after_a_warning(self, world: World) -> None:
        run = await world.started()
        step = run.limit_seconds / 20
        for part in range(1, 23):
            await world.beat(run)
            world.clock.advance(timedelta(seconds=step))
            await world.beat(run)
            await world.turn()
            run = await world.fresh(run)
            assert (run.warned_at is not None) == (part >= 18 or run.status is not RunStatus.RUNNING)
        await world.tick(15)
        run = await world.fresh(run)
        assert (run.status, run.code) == (RunStatus.FAILED, "active_time_exceeded")
        assert run.active_seconds >= run.limit_seconds
        (attempt,) = await world.attempts_of(run)
        assert attempt.stop_reason == "active_time_exceeded"

    async def test_rn34_a_source_that_never_arrives_ends_the_preparation(self, world: World) -> None:
        issue = world.issue()
        await world.trigger(issue)
        broken = BrokenGit(world)
        for _ in range(32):
            await world.turn(broken.outside)
            world.clock.advance(timedelta(seconds=60))
        await world.work()
        run = await world.run_of(issue)
        assert (run.status, run.failure_class, run.code) == (
            RunStatus.FAILED,
            FailureClass.TIMEOUT,
            "prepare_timeout",
        )
        assert world.workloads.launches == []

    async def test_a_runner_that_cannot_get_its_source_is_retried_then_the_run_fails(self, world: World) -> None:
        run = await world.started()
        for generation in (1, 2, 3):
            await world.report(run, "agent_failed", code="source_unavailable")
            await world.work()
            await world.tick(125)
            run = await world.fresh(run)
            if generation < 3:
                assert (run.status, run.generation) == (RunStatus.PREPARING, generation + 1)
                await world.register(run)
        assert (run.status, run.code) == (RunStatus.FAILED, "source_unavailable")

    async def test_waiting_and_queueing_cost_no_active_time(self, world: World) -> None:
        run = await world.started()
        world.clock.advance(timedelta(seconds=100))
        await world.report(run, "rate_limited", resume_at=world.clock.now() + timedelta(hours=6))
        await world.work()
        await world.tick(6 * 3600 + 10)
        run = await world.fresh(run)
        assert (run.status, run.active_seconds) == (RunStatus.PREPARING, 100)


class BrokenGit:
    """A worker whose remote never answers."""

    def __init__(self, world: World) -> None:
        self.outside = world.worker("w1")
        object.__setattr__(self.outside, "git", self)

    async def heads(self, *_: object) -> dict[str, str]:
        raise SourceUnavailable("the remote does not answer")

    def __getattr__(self, name: str) -> object:
        raise AttributeError(name)


class TestLost:
    """Attempts whose workload is gone, never came or never spoke."""

    async def test_a_lost_attempt_is_tried_again_after_thirty_seconds_with_the_next_generation(
        self, world: World
    ) -> None:
        run = await retried(world)
        first, second = await world.attempts_of(run)
        assert (first.outcome, first.status) == ("lost", AttemptStatus.ENDED)
        assert (second.reason, second.workload_name) == ("infrastructure_retry", f"sw-{str(run.id)[-12:]}-g2")
        assert len(world.workloads.launches) == 2

    async def test_after_two_retries_the_run_fails(self, world: World) -> None:
        run = await world.started()
        for generation in (1, 2, 3):
            world.workloads.lose((await world.attempt_of(run)).workload_name)
            for seconds in (1, 15, 125):
                await world.tick(seconds)
            run = await world.fresh(run)
            if generation < 3:
                await world.register(run)
        assert (run.status, run.code) == (RunStatus.FAILED, "workload_lost")
        assert "run.failed.job_not_found" in await world.events(run)

    async def test_a_runner_that_never_asks_for_its_assignment_counts_as_launch_failed(self, world: World) -> None:
        run = await world.launched()
        await world.tick(185)
        attempt = (await world.attempts_of(run))[0]
        assert (attempt.outcome, "no_contact" in str(attempt.detail)) == ("launch_failed", True)
        assert (await world.fresh(run)).generation == 2

    async def test_a_runner_that_ends_without_a_word_leaves_its_last_lines(self, world: World) -> None:
        run = await world.started()
        attempt = await world.attempt_of(run)
        world.redactor.add("hunter2-hunter2")
        world.workloads.say(attempt.workload_name, "Traceback: token hunter2-hunter2 refused")
        world.workloads.finish(attempt.workload_name, 12)
        await world.work()
        attempt = (await world.attempts_of(run))[0]
        assert attempt.outcome == "no_outcome"
        async with world.db.reading() as reader:
            chunks = await reader.all(
                lambda row: bytes(row["chunk"]).decode(),
                "select chunk from run_logs where attempt_id = %(id)s and stream = 'platform'",
                id=attempt.id,
            )
        assert chunks == ["Traceback: token «redacted» refused"]

    async def test_a_launch_that_fails_for_good_is_tried_again_as_another_attempt(self, world: World) -> None:
        issue = world.issue()
        await world.trigger(issue)
        refusing = Refusing(world.worker("w1").workloads)
        outside = world.worker("w1")
        object.__setattr__(outside, "workloads", refusing)
        for seconds in (0, 31, 121, 1):
            world.clock.advance(timedelta(seconds=seconds))
            await world.work(outside=outside)
        run = await world.run_of(issue)
        assert (run.status, run.code) == (RunStatus.FAILED, "launch_failed")
        assert "no such image" in str(run.detail)
        assert len(await world.attempts_of(run)) == 3
        assert "run.failed.launch_error" in await world.events(run)

    async def test_a_silent_attempt_is_reported_after_ten_minutes_and_ended_after_thirty(self, world: World) -> None:
        run = await world.started()
        await world.tick(95)
        await world.tick(601)
        assert "attempt_suspect" in await world.incidents()
        assert (await world.attempt_of(run)).status is AttemptStatus.LIVE
        await world.tick(1300)
        (first, *_) = await world.attempts_of(run)
        assert first.outcome == "lost"


class Refusing:
    """A runtime that cannot create workloads."""

    def __init__(self, port: object) -> None:
        self._port = MortalPort(port, "workloads", Life())

    async def launch(self, spec: WorkloadSpec) -> None:
        raise Invalid("no such image", code="launch_failed")

    def __getattr__(self, name: str) -> object:
        return getattr(self._port, name)


class TestLeases:
    """A worker's lease lives as long as its work, and dies with it."""

    async def test_a_lease_is_renewed_while_the_work_takes_long(self, world: World) -> None:
        issue = world.issue()
        await world.trigger(issue)
        await launch_nothing(world)
        async with world.db.transaction() as tx:
            await tx.execute("update runs set status = 'preparing', generation = 1, version = version + 1")
        (run,) = await claims.claim(world.outside, "launch", limit=1)
        async with claims.held(world.outside, run):
            for _ in range(6):
                await world.clock.wait_for_sleepers()
                world.clock.advance(claims.RENEW_EVERY)
                await lease_prolonged(world, run)
            assert await claims.claim(world.worker("w2"), "launch", limit=1) == []
        (again,) = await claims.claim(world.worker("w2"), "launch", limit=1)
        assert again.id == run.id

    async def test_a_dead_workers_claims_are_free_at_once(self, world: World) -> None:
        issue = world.issue()
        await world.trigger(issue)
        async with world.db.transaction() as tx:
            await tx.execute("update runs set status = 'preparing', generation = 1, version = version + 1")
        await world.watchdog()
        await claims.claim(world.outside, "launch", limit=1)
        async with world.db.transaction() as tx:
            await tx.execute("update worker_instances set missed_at = %(now)s", now=world.clock.now())
        (run,) = await claims.claim(world.worker("w2"), "launch", limit=1)
        kinds = await world.events(run)
        assert kinds[-3:] == [
            "run.lease.detected_stale",
            "run.lease.released",
            "run.reclaimed_after_stale_lease",
        ]


async def launch_nothing(world: World) -> None:
    """Run the launch pass over an empty queue."""
    assert await launch.launch_preparing(world.outside) == 0


async def lease_prolonged(world: World, run: Run) -> None:
    """Return when the lease reaches a minute ahead again; fail after five seconds."""
    async with asyncio.timeout(5):
        while True:
            current = await world.fresh(run)
            assert current.claimed_until is not None
            if current.claimed_until - world.clock.now() == CLAIM:
                return


async def test_the_reports_words_reach_the_run(world: World) -> None:
    run = await world.started()
    await world.report(run, "agent_failed", code="context_exhausted", detail="too long")
    await world.work()
    run = await world.fresh(run)
    assert (run.code, run.detail) == ("context_exhausted", "too long")
    assert factories.a_report()["status"] == "completed"
