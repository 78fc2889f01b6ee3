"""The one status comment of a run, and the comments that say why nothing was started."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock
from tests.world import World

from stagewright.contexts.runs import events
from stagewright.contexts.runs.errors import OutcomeUnknown
from stagewright.contexts.runs.model import EffectStatus, Run, RunStatus
from stagewright.contexts.runs.reconcile import comments
from stagewright.contexts.runs.store import comments as comment_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import messages, moves
from stagewright.kit.db import Database
from stagewright.kit.errors import Denied


def delete_status(world: World, number: int) -> None:
    """Let a person delete the status comment of a thread."""
    thread = world.thread(number)
    thread.comments[:] = [item for item in thread.comments if "stagewright:run-status" not in item.body]


async def test_rn18_a_deleted_status_comment_is_recreated_once_then_suppressed(world: World) -> None:
    run = await world.started()
    assert len(world.status_comments(1)) == 1
    delete_status(world, 1)
    await world.hand_over(run, {"hello.py": "print()\n"})
    await world.tick(11)
    assert len(world.status_comments(1)) == 1, "recreated once"
    delete_status(world, 1)
    await world.report(run)
    await world.tick(11)
    assert (await world.fresh(run)).status is RunStatus.SUCCEEDED
    assert world.status_comments(1) == []
    async with world.db.reading() as reader:
        row = await comment_rows.find_status(reader, run.id)
    assert row is not None
    assert (row.suppressed, row.recreations) == (True, 2)
    written = world.calls("create_comment")
    await world.tick(60)
    assert world.calls("create_comment") == written


async def test_a_comment_whose_answer_was_lost_is_found_by_its_marker(world: World) -> None:
    world.forge.fail("create_comment", OutcomeUnknown("the connection broke"), after=True)
    await world.started()
    await world.tick(61)
    assert world.calls("create_comment") == 1
    assert len(world.status_comments(1)) == 1


async def test_of_two_comments_for_one_run_the_older_stays(world: World) -> None:
    run = await world.started()
    (first,) = world.thread(1).comments
    await world.forge.create_comment(world.repository, 1, first.body)
    async with world.db.transaction() as tx:
        await tx.execute("update status_comments set comment_id = null, body_sha256 = null")
    await world.tick(11)
    assert [item.id for item in world.thread(1).comments] == [first.id]
    (effect,) = await world.effects_of(run, "comment.delete")
    assert effect.status is EffectStatus.DONE


async def test_the_comment_changes_at_most_every_ten_seconds_but_phases_at_once(world: World) -> None:
    run = await world.started()
    await world.work()
    async with world.db.transaction() as tx:
        current = await run_rows.lock(tx, run.id)
        noted = await run_rows.save(tx, replace(current, notes=("no_cluster",)))
        await moves.tell(tx, events.RunPreparing, noted)
    before = world.status_comments(1)
    await world.turn()
    assert world.status_comments(1) == before, "not yet"
    await world.tick(11)
    (comment,) = world.status_comments(1)
    assert "No cluster is configured" in comment
    await world.beat(run)
    await tell_ready(world, run)
    world.clock.advance(timedelta(seconds=1.1))
    await comments.publish_status(world.outside)
    await world.turn()
    (comment,) = world.status_comments(1)
    assert "the agent is working" in comment


async def tell_ready(world: World, run: Run) -> None:
    """Speak as the runner: the agent starts its turn."""
    attempt = await world.attempt_of(run)
    message = messages.Message(1, messages.RunnerFact("run.agent.ready", "{}"))
    async with world.db.transaction() as tx:
        await messages.take_messages(tx, attempt.id, [message], now=world.clock.now())


@pytest.mark.parametrize(("locale", "words"), [("en", "Split the task"), ("ru", "Разделите задачу")])
async def test_the_comment_speaks_the_projects_language(
    db: Database, clock: FakeClock, tmp_path: Path, locale: str, words: str
) -> None:
    world = await World.make(db, clock, tmp_path, locale=locale)
    run = await world.started()
    assert run.locale == locale
    await world.report(run, "agent_failed", code="context_exhausted")
    await world.tick(11)
    (comment,) = world.status_comments(1)
    assert words in comment


async def test_a_refused_comment_raises_an_incident_and_stops_nothing(world: World) -> None:
    world.forge.fail("create_comment", Denied("no permission", code="forge.permission_missing"))
    run = await world.deliver_result(await world.started())
    assert run.status is RunStatus.SUCCEEDED
    assert "effect.forge.permission_missing" in await world.incidents()


async def test_an_act_that_cannot_be_read_does_not_hold_its_thread_back_for_ever(world: World) -> None:
    run = await world.started()
    world.forge.fail("update_comment", OutcomeUnknown("the connection broke"), times=99)
    world.forge.fail("comments", OutcomeUnknown("the connection broke"), times=9999)
    await tell_ready(world, run)
    await world.tick(11)  # the comment's change gets no answer
    await world.report(run, "agent_failed", code="engine_error")
    await world.work()
    assert "run:dev" in world.labels(1), "labels keep their order behind the comment"
    for _ in range(5):
        await world.tick(15 * 60)
    assert "effect.unresolved" in await world.incidents()
    assert "run:dev" not in world.labels(1)


async def test_a_thread_that_is_gone_ends_what_was_meant_for_it(world: World) -> None:
    run = await world.started()
    world.forge.forget_thread(world.repository.forge_repository_id, 1)
    await world.cancel(run)
    await world.tick(11)
    assert (await world.fresh(run)).status is RunStatus.CANCELLED
    left = {effect.status for effect in await world.effects_of(run)}
    assert left <= {EffectStatus.DONE, EffectStatus.FAILED, EffectStatus.SUPERSEDED}
    assert "effect.forge.not_found" in await world.incidents()


async def test_every_live_run_is_looked_at_however_many_there_are(world: World) -> None:
    numbers = [world.issue() for _ in range(3)]
    for number in numbers:
        await world.trigger(number)
    seen = []
    for _ in numbers:
        async with world.db.reading() as reader:
            (run_id,) = await comment_rows.list_due(reader, recent=world.clock.now(), limit=1)
        seen.append(run_id)
        world.clock.advance(timedelta(seconds=1))
        async with world.db.transaction() as tx:
            await comment_rows.set_rendered(tx, run_id, sha256=b"x", phase="created", now=world.clock.now())
    assert len(set(seen)) == 3
    async with world.db.reading() as reader:
        assert await comment_rows.list_due(reader, recent=world.clock.now(), limit=1) == []
