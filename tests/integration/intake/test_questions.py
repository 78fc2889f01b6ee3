"""RN12: a run that asks in its report waits without a workload, is answered, and goes on as the same run."""

from datetime import timedelta

import pytest
from tests import factories
from tests.integration.intake.test_discussions import off
from tests.integration.runs.door import caller_of, open_door
from tests.world import World

from stagewright.contexts.runs.errors import QuestionClosed
from stagewright.contexts.runs.model import Run, RunStatus
from stagewright.contexts.runs.usecases.answering import answer_question

ASKED = "need:input"
SIX_HOURS = timedelta(hours=6)
QUESTION = factories.a_report(status="needs_input", question="Which colour?")


async def asking(world: World) -> Run:
    """Return a run that worked for ten seconds, saved its session and asks which colour."""
    async with open_door(world) as channel:
        run = await world.launched()
        caller = caller_of(world, channel, run)
        await caller.assignment()
        await caller.save_session(b"session", b"wip")
    world.clock.advance(timedelta(seconds=10))
    await world.hand_over(await world.fresh(run), report=QUESTION)
    await world.turn()
    await world.report(await world.fresh(run))
    await world.work()
    return await world.fresh(run)


async def answered(world: World, run: Run, text: str = "Blue, of course.", *, by: str = "ann") -> None:
    (wait,) = [wait for wait in await world.waits_of(run) if wait.status == "open"]
    async with world.db.transaction() as tx:
        await answer_question(tx, wait.id, text=text, by=by, now=world.clock.now())


async def test_a_question_costs_nothing_for_six_hours_and_its_answer_opens_the_next_attempt(world: World) -> None:
    run = await asking(world)
    assert run.status is RunStatus.WAITING
    assert ASKED in world.labels(run.issue_number or 0)
    assert await world.workloads.list_names() == []
    world.clock.advance(SIX_HOURS)
    await world.work()
    waiting = await world.fresh(run)
    assert (waiting.status, waiting.active_seconds) == (RunStatus.WAITING, run.active_seconds)
    assert await world.workloads.list_names() == []

    await answered(world, run)
    await world.work()
    assignment = await world.register(await world.fresh(run))
    await world.work()

    again = await world.fresh(run)
    assert (again.id, again.status, again.active_seconds) == (run.id, RunStatus.RUNNING, run.active_seconds)
    assert [item.reason for item in await world.attempts_of(run)] == ["first", "answer"]
    assert assignment.session_id
    assert "Blue, of course." in assignment.resume_prompt
    assert [(item.resolution, item.text, item.author) for item in assignment.answers] == [
        ("answered", "Blue, of course.", "ann")
    ]
    assert ASKED not in world.labels(run.issue_number or 0)
    assert await world.count_runs() == 1


@pytest.mark.parametrize("by_webhook", [True, False], ids=["delivered", "found by the scan"])
async def test_taking_need_input_off_answers_with_what_permitted_people_wrote_since(
    world: World, by_webhook: bool
) -> None:
    run = await asking(world)
    issue = run.issue_number or 0
    world.forge.set_role(world.repository.forge_repository_id, "eve", "write")
    world.clock.advance(SIX_HOURS)
    await world.say(issue, "Blue, of course.", told=by_webhook)
    await world.say(issue, "Make it pink!", by="eve", told=by_webhook)
    if by_webhook:
        await off(world, issue, ASKED)
    else:
        world.clock.advance(timedelta(seconds=5))
        world.forge.person_unlabels(world.repository.forge_repository_id, issue, ASKED, by="ann")
        await world.scan()
    await world.work()
    assignment = await world.register(await world.fresh(run))

    (told,) = assignment.answers
    assert (told.resolution, told.text, told.author) == ("answered", "@ann:\nBlue, of course.", "ann")
    assert [item.reason for item in await world.attempts_of(run)] == ["first", "answer"]
    assert await world.count_runs() == 1
    async with world.db.reading() as reader:
        rows = await reader.all(
            lambda row: (row["label"], row["decision"]),
            "select label, decision from trigger_ledger order by decided_at",
        )
    assert rows[-1] == ("need:input:removed", "start")


async def test_a_stranger_answers_nothing_and_is_told_once(world: World) -> None:
    run = await asking(world)
    issue = run.issue_number or 0
    world.forge.set_role(world.repository.forge_repository_id, "eve", "write")
    await off(world, issue, ASKED, by="eve")
    await world.work()
    await world.scan()
    await world.work()

    assert (await world.fresh(run)).status is RunStatus.WAITING
    (said,) = world.diagnostics(issue)
    assert "sender_not_allowed" in said
    assert "×2" not in said


async def test_a_question_put_down_without_a_word_lets_the_run_go_on(world: World) -> None:
    run = await asking(world)
    world.clock.advance(SIX_HOURS)
    await off(world, run.issue_number or 0, ASKED)
    await world.work()
    assignment = await world.register(await world.fresh(run))

    assert [(item.resolution, item.text) for item in assignment.answers] == [("put_down", "")]


async def test_a_question_that_nobody_answers_for_a_week_expires_and_the_run_goes_on(world: World) -> None:
    run = await asking(world)
    world.clock.advance(timedelta(days=7))
    await world.work()
    assignment = await world.register(await world.fresh(run))

    assert [(item.resolution, item.text) for item in assignment.answers] == [("expired", "")]
    assert [item.reason for item in await world.attempts_of(run)] == ["first", "answer"]


async def test_a_question_is_answered_once(world: World) -> None:
    run = await asking(world)
    (wait,) = await world.waits_of(run)
    await answered(world, run)
    async with world.db.transaction() as tx:
        with pytest.raises(QuestionClosed, match="does not wait for an answer"):
            await answer_question(tx, wait.id, text="Red.", by="bob", now=world.clock.now())


async def test_old_news_of_the_label_answer_no_newer_question(world: World) -> None:
    run = await asking(world)
    issue = run.issue_number or 0
    world.clock.advance(SIX_HOURS)
    world.forge.person_unlabels(world.repository.forge_repository_id, issue, ASKED, by="ann")
    late = world.labeled(issue, ASKED, action="unlabeled")
    await answered(world, run)
    await world.work()
    await world.register(await world.fresh(run))
    world.clock.advance(timedelta(seconds=10))
    await world.hand_over(await world.fresh(run), report=QUESTION)
    await world.turn()
    await world.report(await world.fresh(run))
    await world.work()
    await world.deliver("issues", late, delivery_id="late")
    await world.decide()

    assert (await world.fresh(run)).status is RunStatus.WAITING
