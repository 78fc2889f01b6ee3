"""What the status comment says while nothing moves: between attempts, and while a credential is awaited."""

from dataclasses import replace
from datetime import timedelta

from tests import factories
from tests.world import World

from stagewright.contexts.runs.model import RunStatus, WaitKind
from stagewright.contexts.runs.reconcile import comments
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store import waits as wait_rows


async def phases(world: World) -> list[str]:
    return [body["phase"] for kind, body in await world.journal() if kind == "run.status.comment.upserted"]


async def test_a_rejected_credential_is_shown_until_an_attempt_uses_the_new_one(world: World) -> None:
    run = await world.started()
    await world.report(run, "parked", code="credential_rejected")
    await world.tick(15)
    assert (await world.fresh(run)).status is RunStatus.WAITING
    (comment,) = world.status_comments(1)
    assert f"The credential of the engine `{run.engine}` was rejected; an admin of the project can store" in comment
    assert (await phases(world))[-1] == "auth_required"
    (wait,) = await world.waits_of(run)
    world.clock.advance(timedelta(minutes=1))
    async with world.db.transaction() as tx:
        now = world.clock.now()
        await wait_rows.close(
            tx, wait.id, status="resolved", resolution="credential_replaced", text=None, by="system", now=now
        )
    await world.work()
    assert (await phases(world))[-2:] == ["auth_resolved", "started"]


async def test_a_question_says_who_answers_it_and_how(world: World) -> None:
    run = await world.started()
    report = factories.a_report(status="needs_input", question="Which one?")
    await world.hand_over(run, {"a.py": "x\n"}, report=report)
    await world.tick(15)
    await world.report(run)
    await world.tick(15)
    assert [wait.kind for wait in await world.waits_of(run)] == [WaitKind.QUESTION]
    (comment,) = world.status_comments(1)
    assert "take the label `need:input` off" in comment
    assert "everybody who may start runs in this project can give it" in comment
    assert "run.start" not in comment


async def test_a_run_without_a_workload_yet_is_being_prepared(world: World) -> None:
    issue = world.issue()
    await world.trigger(issue)
    run = await world.run_of(issue)
    async with world.db.transaction() as tx:
        locked = await run_rows.lock(tx, run.id)
        await run_rows.save(tx, replace(locked, status=RunStatus.PREPARING))
    await comments.publish_status(world.outside)
    (effect,) = await world.effects_of(run, "comment.status")
    assert "a workload is being prepared" in effect.payload["body"]
