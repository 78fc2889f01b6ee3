"""What keeps the platform healthy: invariants, retention, partitions, held results, calls that are not made."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests import factories
from tests.fakes.mortal import Life, mortal
from tests.world import STEP, World

from stagewright.contexts.runs import events
from stagewright.contexts.runs.model import AttemptStatus, Run, RunStatus, WaitKind
from stagewright.contexts.runs.reconcile import admission, checks, claims, finish, launch, retention, watch
from stagewright.contexts.runs.reconcile.situation import HEADS_FRESH
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store import wedged
from stagewright.contexts.runs.usecases import moves
from stagewright.contexts.runs.usecases.request import request_run
from stagewright.kit import journal
from stagewright.kit.journal import SYSTEM

HOUR = timedelta(hours=1)


async def broken(world: World, sql: str, run: Run) -> None:
    """Break a row behind the program's back."""
    async with world.db.transaction() as tx:
        await tx.execute(sql, id=run.id)


async def wedged_now(world: World) -> list[str]:
    async with world.db.reading() as reader:
        return [what for _, what in await wedged.list_wedged(reader, now=world.clock.now(), limit=10)]


class TestWatchdog:
    """Every broken invariant is reported and driven again."""

    async def test_a_run_that_waits_for_nothing_goes_on(self, world: World) -> None:
        run = await world.started()
        await world.report(run, "rate_limited")
        await world.work()
        await broken(world, "update waits set status = 'resolved', resolved_at = opened_at where run_id = %(id)s", run)
        world.clock.advance(HOUR)
        assert await wedged_now(world) == [wedged.WAITING_FOR_NOTHING]
        await world.watchdog()
        assert (await world.fresh(run)).status is RunStatus.QUEUED
        assert "run_wedged" in await world.incidents()

    async def test_a_run_that_runs_without_an_attempt_fails(self, world: World) -> None:
        run = await world.started()
        await broken(world, "update attempts set status = 'ended', ended_at = reserved_at where run_id = %(id)s", run)
        world.clock.advance(HOUR)
        assert await wedged_now(world) == [wedged.RUNNING_WITHOUT_ATTEMPT]
        await world.watchdog()
        assert (await world.fresh(run)).code == "workload_lost"

    async def test_a_run_that_finishes_for_too_long_fails(self, world: World) -> None:
        run = await world.started()
        await world.hand_over(run, {"hello.py": "print()\n"})
        await world.turn()
        await broken(
            world, "update runs set status_since = status_since - interval '20 minutes' where id = %(id)s", run
        )
        await finish.finish_accepted(world.outside)
        assert (await world.fresh(run)).code == "finish_timeout"

    async def test_a_cancellation_whose_attempt_is_gone_is_completed(self, world: World) -> None:
        run = await world.started()
        await world.cancel(run)
        await broken(world, "update attempts set status = 'ended', ended_at = reserved_at where run_id = %(id)s", run)
        world.clock.advance(HOUR)
        await world.watchdog()
        assert (await world.fresh(run)).status is RunStatus.CANCELLED

    async def test_an_ended_run_keeps_neither_waits_nor_attempts(self, world: World) -> None:
        run = await world.started()
        async with world.db.transaction() as tx:
            current = await run_rows.lock(tx, run.id)
            await moves.fail(tx, current, "engine_error", now=world.clock.now())
            await moves.open_wait(
                tx,
                current,
                WaitKind.BUDGET,
                target_kind="x",
                target_id="x",
                who_can_act="nobody",
                now=world.clock.now(),
            )
            await tx.execute("update attempts set stop_requested_at = null, stop_reason = null")
        world.clock.advance(HOUR)
        assert set(await wedged_now(world)) == {wedged.TERMINAL_WITH_WAITS, wedged.TERMINAL_WITH_ATTEMPT}
        await world.watchdog()
        await world.work()
        assert await wedged_now(world) == []
        assert (await world.attempt_of(run)).status is AttemptStatus.ENDED
        assert {wait.status for wait in await world.waits_of(run)} == {"cancelled"}

    async def test_a_run_abandoned_for_a_month_is_cancelled(self, world: World) -> None:
        run = await world.started()
        await world.report(run, "rate_limited")
        await world.work()
        await broken(world, "update waits set resume_at = null, deadline_at = null where run_id = %(id)s", run)
        world.clock.advance(timedelta(days=31))
        await world.watchdog()
        run = await world.fresh(run)
        assert run.status is RunStatus.CANCELLED
        told = [body for kind, body in await world.journal(f"run:{run.id}") if kind == "run.cancel.requested"]
        assert told[0]["cause"] == "wait_abandoned"

    async def test_a_queue_that_stands_for_an_hour_and_a_silent_worker_are_reported(self, world: World) -> None:
        issue = world.issue()
        await world.trigger(issue)
        await world.watchdog()
        world.clock.advance(HOUR + timedelta(minutes=1))
        await launch.launch_preparing(world.worker("w2"))
        async with world.db.transaction() as tx:
            await tx.execute("update worker_instances set worker_id = 'w9'")
        await world.watchdog()
        assert "run_queue_stalled" in await world.incidents()
        kinds = [kind for kind, _ in await world.journal("worker:w9")]
        assert kinds == ["worker.instance.heartbeat.missed"]

    async def test_an_act_without_an_answer_for_long_is_reported(self, world: World) -> None:
        run = await world.started()
        await broken(
            world, "update effects set status = 'submitted', submitted_at = created_at where run_id = %(id)s", run
        )
        world.clock.advance(timedelta(minutes=3))
        await world.watchdog()
        assert "effect_stuck" in await world.incidents()

    async def test_workloads_without_an_attempt_are_swept(self, world: World) -> None:
        run = await world.launched()
        (spec,) = world.workloads.launches
        await world.workloads.launch(replace(spec, name="sw-000000000000-g1", run_dir_key="other"))
        assert await watch.sweep_workloads(world.outside) == 1
        assert list(world.workloads.held) == [(await world.attempt_of(run)).workload_name]


class TestRetention:
    """What is forgotten, and what stays for ever."""

    async def test_a_month_after_the_end_logs_prompts_results_and_assignments_are_gone(self, world: World) -> None:
        run = await world.started()
        attempt = await world.attempt_of(run)
        world.workloads.say(attempt.workload_name, "last words")
        await world.hand_over(run, {"hello.py": "print()\n"})
        world.workloads.finish(attempt.workload_name, 12)
        await world.work()
        assert (await world.fresh(run)).status is RunStatus.SUCCEEDED
        world.clock.advance(timedelta(days=29))
        assert await retention.sweep_ended(world.outside) == 0
        world.clock.advance(timedelta(days=2))
        assert await retention.sweep_ended(world.outside) == 1
        assert await retention.sweep_ended(world.outside) == 0
        async with world.db.reading() as reader:
            for table in ("prompts", "run_results", "run_logs", "agent_sessions"):
                assert await reader.value(f"select count(*) from {table}") == 0, table
            assert await reader.value("select count(*) from attempts where assignment is not null") == 0
            assert await reader.value("select count(*) from run_log_ends") == 3
            assert await reader.value("select count(*) from pull_request_links") == 1

    async def test_quarantines_of_ended_runs_are_removed(self, world: World) -> None:
        run = await world.started()
        await world.hand_over(run, {"hello.py": "print()\n"})
        await checks.check_proposals(world.outside)
        await world.cancel(run)
        await world.work()
        folder = world.folder / "data" / "quarantine"
        assert list(folder.iterdir())
        world.clock.advance(HOUR)
        await retention.sweep_quarantines(world.outside)
        assert list(folder.iterdir()) == []

    async def test_the_journals_next_days_have_their_partitions(self, world: World) -> None:
        await retention.make_partitions(world.outside)
        await retention.make_partitions(world.outside)
        run = await world.launched()
        world.clock.advance(timedelta(days=1))
        await world.cancel(run)
        async with world.db.reading() as reader:
            names = await reader.all(
                lambda row: str(row["name"]),
                "select inhrelid::regclass::text as name from pg_inherits"
                " where inhparent = 'journal'::regclass order by 1",
            )
            day = await reader.value("select count(*) from journal where tableoid = 'journal_20260106'::regclass")
            assert await journal.verify(reader.connection, f"run:{run.id}") is None
        assert names == ["journal_20260106", "journal_20260107", "journal_20260108", "journal_default"]
        assert day >= 1
        async with world.db.transaction() as tx:
            assert await tx.value("select current_user") == "stagewright_app", "the owner's rights ended with it"
        assert SYSTEM.kind == "system"


class TestFrugality:
    """A launch asks for what it needs, once."""

    @pytest.mark.parametrize("later", [timedelta(0), HEADS_FRESH + STEP], ids=["at_once", "later"])
    async def test_a_launch_reads_the_remote_and_each_thread_once(self, world: World, later: timedelta) -> None:
        issue = world.issue()
        await world.trigger(issue)
        await world.work()
        await world.cancel(await world.run_of(issue))
        await world.work()
        await world.trigger(issue)
        run = await world.run_of(issue)
        world.clock.advance(later)
        life = Life()
        await world.turn(mortal(world.outside, life))
        reads = [moment for moment in life.moments if moment.startswith(("git.", "forge."))]
        launched = reads[: reads.index("git.read_files") + 1]
        remote = ["git.heads"] if later else []  # the decision a moment ago saw its branches
        assert sorted(launched) == ["forge.bot", "forge.comments", "forge.issue", *remote, "git.read_files"]
        assert len(world.workloads.launches) == 2
        assert (await world.fresh(run)).status is RunStatus.PREPARING

    async def test_waiting_for_a_runner_asks_nobody(self, world: World) -> None:
        await world.launched()
        life, calls = Life(), len(world.forge.calls)
        for duty in (launch.launch_preparing, finish.finish_accepted):
            await duty(mortal(world.outside, life))
        assert len(world.forge.calls) == calls
        assert set(life.moments) == {"db.transaction"}

    async def test_runs_that_only_wait_for_their_runners_hide_no_other(self, world: World) -> None:
        for role in ("dev", "qa", "km"):
            request = factories.a_run_request(
                world.repository,
                now=world.clock.now(),
                issue_number=world.issue(),
                role=role,
                correlation_id=role,
            )
            async with world.db.transaction() as tx:
                await request_run(tx, request, clock=world.clock)
        await admission.admit_queued(world.outside)
        async with world.db.transaction() as tx:
            await tx.execute("update runs set not_before = %(later)s where role = 'km'", later=world.clock.now() + HOUR)
        await launch.launch_preparing(world.outside)
        assert len(world.workloads.launches) == 2
        world.clock.advance(HOUR)
        (run,) = await claims.claim(world.outside, "launch", limit=1)
        assert run.role == "km", "the older ones wait for their runners and are passed over"


@pytest.mark.parametrize("kind", sorted(events.RUNNER_EVENTS))
def test_what_a_runner_may_journal_is_registered(kind: str) -> None:
    assert journal.Event.registry[kind] is events.RUNNER_EVENTS[kind]
