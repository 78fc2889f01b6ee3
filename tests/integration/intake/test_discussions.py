"""The discussion of an Issue, from label and comments to replies, by deliveries and by the scan alone."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from tests.integration.intake.test_links import told
from tests.world import World

from stagewright.contexts.runs.model import Run, RunStatus, WaitKind
from stagewright.contexts.runs.ports import ForgeComment
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
