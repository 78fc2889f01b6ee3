"""The discussion of an Issue, from label and comments to replies, by deliveries and by the scan alone."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from tests.integration.intake.test_links import told
from tests.world import POLICY, World

from stagewright.contexts.runs.errors import OutcomeUnknown
from stagewright.contexts.runs.model import Run, RunStatus, WaitKind
from stagewright.contexts.runs.ports import ForgeComment
from stagewright.contexts.runs.rules.budget import Choice
from stagewright.contexts.runs.usecases.granting import resolve_budget
from stagewright.wire.v1 import assignment_pb2

MODE = "mode:discussion"
PAUSE = timedelta(seconds=11)


def a_reply(text: str = "It **depends**.", **changes: Any) -> dict[str, Any]:
    return {
        "status": "completed",
        "summary": "Answered.",
        "question": None,
        "tool_gaps": [],
        "escalation": None,
        "reply_markdown": text,
    } | changes


async def discussed(world: World, *, by: str = "ann") -> tuple[int, Run]:
    """Return an Issue that is discussed and its talk run, whose first attempt was launched."""
    issue = world.issue()
    world.put_label(issue, MODE, by=by)
    await world.scan()
    await world.work()
    return issue, await world.run_of(issue, "talk")


async def reply(world: World, run: Run, text: str = "It **depends**.") -> assignment_pb2.Assignment:
    """Let the agent answer the batch it was given; return what it was told."""
    asked = await world.register(await world.fresh(run))
    await world.hand_over(await world.fresh(run), report=a_reply(text))
    await world.turn()
    await world.report(await world.fresh(run))
    await world.work()
    return asked


def replies(world: World, issue: int) -> list[str]:
    return [body.split("\n\n<!--")[0] for body in world.comments(issue, "stagewright:reply")]


def reactions(world: World, issue: int, comment: int) -> list[str]:
    return world.thread(issue).reactions_on(comment, world.forge.bot_account.login)


async def off(world: World, issue: int, label: str, *, by: str = "ann") -> None:
    """Take a label off as a person, and tell of it."""
    world.clock.advance(timedelta(seconds=5))
    world.forge.person_unlabels(world.repository.forge_repository_id, issue, label, by=by)
    payload: Mapping[str, Any] = world.labeled(issue, label, by=by, action="unlabeled")
    await told(world, dict(payload), "issues")


def remark_payload(world: World, issue: int, remark: ForgeComment) -> dict[str, Any]:
    made = world.labeled(issue, MODE, action="created")
    del made["label"]
    return made | {
        "comment": {"id": remark.id, "body": remark.body, "created_at": remark.created_at.isoformat()},
    }


async def test_the_label_starts_a_talk_run_whose_reply_is_posted_and_which_then_waits(world: World) -> None:
    issue, run = await discussed(world)
    assert (run.lane, run.kind, run.role, run.mode, run.trigger_label) == (
        "talk",
        "discussion",
        "dev",
        "code-only",
        MODE,
    )
    await reply(world, run, "Hello @ann, Closes #1.")

    waiting = await world.fresh(run)
    (wait,) = await world.waits_of(run)
    assert waiting.status is RunStatus.WAITING
    assert (wait.kind, wait.target_kind, wait.who_can_act) == (WaitKind.QUESTION, "discussion", "run.start")
    assert wait.deadline_at == wait.opened_at + timedelta(days=7)
    (posted,) = replies(world, issue)
    assert "@ann" not in posted
    assert world.labels(issue) == {MODE}, "a discussion changes no label"
    assert world.pull_requests() == []
    assert await world.workloads.list_names() == []


async def test_a_discussion_is_its_labels_whichever_is_told_first_and_begins_with_it(world: World) -> None:
    issue = world.issue()
    await world.say(issue, "Said before.", told=False)
    before = world.thread(issue).comments[-1]
    world.put_label(issue, MODE)
    opened_at = world.thread(issue).acts[-1].at
    late = world.labeled(issue, MODE)
    await told(world, remark_payload(world, issue, before), "issue_comment", delivery_id="c-1")
    assert (await world.run_of(issue, "talk")).occurred_at == opened_at
    reasons = [body["reason"] for kind, body in await world.journal() if kind == "webhook.ignored"]
    assert reasons == ["discussion_not_enabled"]
    await world.say(issue, "Said in it.")
    await told(world, late, "issues", delivery_id="l-1")

    assert await world.count_runs() == 1
    async with world.db.reading() as reader:
        heard = await reader.all(lambda row: str(row["body"]), "select body from run_inbox")
    assert heard == ["Said in it."]


@pytest.mark.parametrize("by_webhook", [True, False], ids=["delivered", "found by the scan"])
async def test_each_batch_of_comments_is_one_attempt_with_the_session_restored(world: World, by_webhook: bool) -> None:
    issue, run = await discussed(world)
    await reply(world, run)
    world.clock.advance(timedelta(hours=1))
    first = await world.say(issue, "Why not SQLite?", told=by_webhook)
    second = await world.say(issue, "And what does it cost?", told=by_webhook)
    if not by_webhook:
        await world.scan()
    await world.work()
    assert (await world.fresh(run)).status is RunStatus.WAITING, "people may still be writing"
    world.clock.advance(PAUSE)
    await world.work()
    assert reactions(world, issue, first) == reactions(world, issue, second) == ["eyes"]

    asked = await reply(world, run, "SQLite has one writer.")

    assert "Why not SQLite?" in asked.prompt
    assert "And what does it cost?" in asked.prompt
    assert len(replies(world, issue)) == 2
    assert reactions(world, issue, first) == reactions(world, issue, second) == ["eyes", "+1"]
    tries = await world.attempts_of(run)
    assert [attempt.reason for attempt in tries] == ["first", "comments"]
    assert (await world.fresh(run)).status is RunStatus.WAITING
    assert await world.count_runs() == 1


async def test_ten_comments_in_a_minute_are_answered_once_in_few_attempts_and_a_stranger_starts_nothing(
    world: World,
) -> None:
    issue, run = await discussed(world)
    await reply(world, run)
    world.forge.set_role(world.repository.forge_repository_id, "eve", "write")
    said = []
    for number in range(10):
        by = "eve" if number == 4 else "ann"
        said.append(await world.say(issue, f"Remark {number}", by=by))
        world.clock.advance(timedelta(seconds=6))
        await world.turn()
        if (await world.fresh(run)).status is RunStatus.PREPARING:
            await reply(world, run, f"Answer after {number}")
    while (await world.fresh(run)).status is not RunStatus.WAITING or await unread(world):
        world.clock.advance(PAUSE)
        await world.work()
        if (await world.fresh(run)).status is RunStatus.PREPARING:
            await reply(world, run, "Answer to the rest")

    tries = await world.attempts_of(run)
    assert len(tries) <= 4, "the first one, and a few batches"
    assert len(replies(world, issue)) == len(tries)
    strange = said.pop(4)
    assert reactions(world, issue, strange) == []
    assert all(reactions(world, issue, one) == ["eyes", "+1"] for one in said)
    assert await world.count_runs() == 1
    ignored = [body["reason"] for kind, body in await world.journal() if kind == "webhook.ignored"]
    assert ignored == ["comment_sender_not_permitted"]


async def unread(world: World) -> int:
    async with world.db.reading() as reader:
        return int(await reader.value("select count(*) from run_inbox where consumed_by is null"))


async def test_work_on_the_issue_ends_the_discussion_first_and_its_reply_is_not_posted(world: World) -> None:
    issue, run = await discussed(world)
    await world.register(run)
    await world.hand_over(await world.fresh(run), report=a_reply("Too late."))
    world.put_label(issue, "run:dev")
    await told(world, world.labeled(issue, "run:dev"), "issues")
    await world.turn()

    work = await world.run_of(issue)
    assert (work.status, work.admission_reason) == (RunStatus.QUEUED, "talk_run_ending")
    assert (await world.fresh(run)).status is RunStatus.RUNNING, "its attempt is being stopped"
    await world.work()

    talk = await world.fresh(run)
    assert (talk.status, talk.code) == (RunStatus.SUCCEEDED, "run_label_detected")
    assert (await world.fresh(work)).status is RunStatus.PREPARING
    assert replies(world, issue) == []
    assert (await world.attempt_of(run)).outcome == "interrupted"


@pytest.mark.parametrize("working", [False, True], ids=["between batches", "while an attempt works"])
@pytest.mark.parametrize("by_webhook", [True, False], ids=["delivered", "found by the scan"])
async def test_the_label_taken_off_ends_the_discussion(world: World, by_webhook: bool, working: bool) -> None:
    issue, run = await discussed(world)
    if working:
        await world.register(run)
    else:
        await reply(world, run)
    world.clock.advance(timedelta(seconds=5))
    if by_webhook:
        await off(world, issue, MODE)
    else:
        world.forge.person_unlabels(world.repository.forge_repository_id, issue, MODE, by="ann")
        await world.scan()
    await world.work()

    ended = await world.fresh(run)
    assert (ended.status, ended.code) == (RunStatus.SUCCEEDED, "discussion_label_removed")
    assert len(replies(world, issue)) == (0 if working else 1)
    assert [wait.status for wait in await world.waits_of(run)] == ([] if working else ["cancelled"])


async def test_a_discussion_that_never_started_is_cancelled(world: World) -> None:
    issue = world.issue()
    world.put_label(issue, MODE)
    await world.scan()
    await off(world, issue, MODE)
    await world.work()

    assert (await world.run_of(issue, "talk")).status is RunStatus.CANCELLED
    (asked,) = [body for kind, body in await world.journal() if kind == "run.cancel.requested"]
    assert asked["cause"] == "talk_ended_early"


async def test_a_closed_issue_and_a_week_of_silence_end_the_discussion(world: World) -> None:
    issue, closed = await discussed(world)
    await reply(world, closed)
    quiet_issue, quiet = await discussed(world)
    await reply(world, quiet)
    world.clock.advance(timedelta(seconds=5))
    world.forge.close(world.repository.forge_repository_id, issue, by="ann")
    await world.scan()
    world.clock.advance(timedelta(days=7))
    await world.work()

    assert (await world.fresh(closed)).code == "issue_closed"
    assert (await world.fresh(quiet)).code == "discussion_idle"
    assert (await world.fresh(quiet)).status is RunStatus.SUCCEEDED
    assert len(replies(world, quiet_issue)) == 1


async def test_a_comment_begins_a_new_discussion_after_the_last_one_ended(world: World) -> None:
    issue, run = await discussed(world)
    await reply(world, run)
    world.clock.advance(timedelta(days=8))
    await world.work()
    said = await world.say(issue, "Still there?")
    await world.work()

    newer = await world.run_of(issue, "talk")
    assert newer.id != run.id
    assert (newer.status, reactions(world, issue, said)) == (RunStatus.PREPARING, ["eyes"])


async def test_a_discussion_changes_no_file(world: World) -> None:
    issue, run = await discussed(world)
    for number in (1, 2):
        await world.register(await world.fresh(run))
        await world.hand_over(await world.fresh(run), {"notes.md": "mine"}, number=number, report=a_reply())
        await world.turn()
    await world.report(await world.fresh(run))
    await world.work()

    failed = await world.fresh(run)
    assert (failed.status, failed.failure_class, failed.code) == (RunStatus.FAILED, "policy", "scope_violation")
    assert replies(world, issue) == []


async def test_comments_whose_attempt_failed_are_marked(world: World) -> None:
    issue, run = await discussed(world)
    await reply(world, run)
    said = await world.say(issue, "Why?")
    world.clock.advance(PAUSE)
    await world.work()
    await world.register(await world.fresh(run))
    await world.report(await world.fresh(run), "agent_failed", code="engine_error")
    await world.work()

    assert (await world.fresh(run)).status is RunStatus.FAILED
    assert reactions(world, issue, said) == ["eyes", "confused"]
    assert len(replies(world, issue)) == 1


async def test_a_lost_attempt_leaves_its_comments_to_the_next_one(world: World) -> None:
    issue, run = await discussed(world)
    await reply(world, run)
    said = await world.say(issue, "Why?")
    world.clock.advance(PAUSE)
    await world.work()
    await world.register(await world.fresh(run))
    world.workloads.lose((await world.attempt_of(run)).workload_name)
    await world.tick(60)
    asked = await reply(world, run, "Because.")

    assert "Why?" in asked.prompt
    assert reactions(world, issue, said) == ["eyes", "+1"]
    assert len(replies(world, issue)) == 2


async def test_a_lost_answer_of_the_forge_posts_no_reply_twice(world: World) -> None:
    issue, run = await discussed(world)
    world.forge.fail("create_comment", OutcomeUnknown("connection lost"), after=True, times=2)
    await reply(world, run)
    await world.tick(30)

    assert len(replies(world, issue)) == 1
    assert (await world.fresh(run)).status is RunStatus.WAITING


async def used_up(world: World) -> tuple[int, Run]:
    """Return an Issue whose discussion may have one attempt, and its talk run, which waits for more of them."""
    world.person.write(".stagewright/policy.yaml", f"{POLICY}special: {{discussion: {{max_attempts: 1}}}}\n")
    world.person.commit("one attempt")
    world.person.push(world.remote, "main")
    world.show_branches()
    issue, run = await discussed(world)
    await reply(world, run)
    await ask(world, issue, "And now?")
    return issue, run


async def ask(world: World, issue: int, text: str) -> None:
    await world.say(issue, text)
    world.clock.advance(PAUSE)
    await world.work()


async def choose(world: World, run: Run, choice: Choice) -> None:
    """Choose as a person at the run's wait for budget, and let the worker go on."""
    (wait,) = [wait for wait in await world.waits_of(run) if wait.status == "open"]
    async with world.db.transaction() as tx:
        await resolve_budget(tx, wait, choice, by="ann", now=world.clock.now())
    await world.work()


async def test_after_the_last_attempt_the_discussion_waits_for_more(world: World) -> None:
    issue, run = await used_up(world)

    assert (await world.fresh(run)).status is RunStatus.WAITING
    waits = await world.waits_of(run)
    assert [(wait.kind, wait.status) for wait in waits] == [
        (WaitKind.QUESTION, "resolved"),
        (WaitKind.BUDGET, "open"),
    ]
    await off(world, issue, MODE)
    assert (await world.fresh(run)).code == "discussion_label_removed"


async def test_a_granted_attempt_answers_what_was_said_and_the_next_one_is_asked_for_again(world: World) -> None:
    issue, run = await used_up(world)
    await choose(world, run, Choice.EXTEND_25)
    asked = await reply(world, run, "Now, yes.")
    assert "And now?" in asked.prompt
    assert replies(world, issue)[-1] == "Now, yes."
    await ask(world, issue, "And then?")
    assert [wait.kind for wait in await world.waits_of(run) if wait.status == "open"] == [WaitKind.BUDGET]
    await choose(world, run, Choice.EXTEND_100)
    await reply(world, run, "Then, too.")
    assert [attempt.reason for attempt in await world.attempts_of(run)] == ["first", "comments", "comments"]


@pytest.mark.parametrize(
    ("choice", "status", "code"),
    [(Choice.FINISH, RunStatus.SUCCEEDED, "discussion_finished"), (Choice.STOP, RunStatus.FAILED, "budget_denied")],
)
async def test_a_discussion_that_is_granted_nothing_ends_as_chosen(
    world: World, choice: Choice, status: RunStatus, code: str
) -> None:
    _, run = await used_up(world)
    await choose(world, run, choice)
    ended = await world.fresh(run)
    assert (ended.status, ended.code) == (status, code)
    assert [wait.resolution for wait in await world.waits_of(run)] == ["comments", choice.value]
    assert len(await world.attempts_of(run)) == 1


async def test_a_stranger_neither_starts_nor_ends_a_discussion(world: World) -> None:
    world.forge.set_role(world.repository.forge_repository_id, "eve", "write")
    strange = world.issue()
    world.put_label(strange, MODE, by="eve")
    await world.scan()
    await world.work()
    assert await world.count_runs() == 0
    assert MODE not in world.labels(strange)
    (comment,) = world.diagnostics(strange)
    assert "sender_not_allowed" in comment

    issue, run = await discussed(world)
    await off(world, issue, MODE, by="eve")
    assert not (await world.fresh(run)).status.terminal
