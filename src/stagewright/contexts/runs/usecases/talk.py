"""The talk run of an Issue: what is said joins its inbox, each batch is one attempt, its reply is posted, and it ends
with its label, its Issue, a work run or a week of silence (specification: workflow, section 13)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.runs import events
from stagewright.contexts.runs.model import Attempt, Effect, EffectStatus, Run, RunStatus, Wait, WaitKind
from stagewright.contexts.runs.rules import replies
from stagewright.contexts.runs.rules.budget import attempts_allowed
from stagewright.contexts.runs.rules.talking import ATTEMPTS, DISCUSSION, LANE
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import effects as effect_rows
from stagewright.contexts.runs.store import inbox
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store import waits as wait_rows
from stagewright.contexts.runs.usecases import cancel, closing, effects, moves
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.clock import Clock
from stagewright.kit.db import Reader, Tx

REPLY = "comment.reply"
QUIET, LONGEST = timedelta(seconds=10), timedelta(seconds=30)
BODY_LIMIT = 32 * 1024
EARLY, ENDED = "talk_ended_early", "talk_ended"
FINISHED = "discussion_finished"


async def join_talk(tx: Tx, run: Run, *, comment_id: int, author: str, body: str, received_at: datetime) -> bool:
    """Add a permitted person's comment to the run's inbox; say whether it was new there."""
    return await inbox.add(
        tx,
        run.id,
        kind="comment",
        source_ref=f"comment:{comment_id}",
        author=author,
        body=body.encode()[:BODY_LIMIT].decode(errors="ignore"),
        received_at=received_at,
    )


async def take_batch(tx: Tx, run: Run, attempt: Attempt, *, now: datetime) -> Sequence[inbox.Item]:
    """Give the attempt what was said since the last one, and show the authors that it is being read."""
    taken = await inbox.take(tx, run.id, attempt.id)
    await _react(tx, run, taken, "eyes", now=now)
    return taken


async def resume_batches(tx: Tx, *, now: datetime, limit: int = 50) -> int:
    """Let waiting talk runs go on with what was said, once people paused; at the limit of attempts they wait for it."""
    due = await inbox.claim_due(tx, quiet=now - QUIET, longest=now - LONGEST, limit=limit)
    for run_id in due:
        run = await run_rows.lock(tx, run_id)
        policy = await workflow.policy_in_force(tx, run.repository_id)
        (idle,) = [wait for wait in await wait_rows.list_open(tx, run_id) if wait.target_kind == DISCUSSION]
        await wait_rows.close(tx, idle.id, status="resolved", resolution="comments", text=None, by="system", now=now)
        allowed = attempts_allowed(policy.special[DISCUSSION].max_attempts, await wait_rows.list_of(tx, run_id))
        if len(await attempt_rows.list_of(tx, run_id)) >= allowed:
            await _wait_for_more(tx, run, now=now)
    return len(due)


async def _wait_for_more(tx: Tx, run: Run, *, now: datetime) -> None:
    await moves.open_wait(
        tx,
        run,
        WaitKind.BUDGET,
        target_kind=ATTEMPTS,
        target_id=str(run.id),
        who_can_act="budget.manage",
        now=now,
    )
    opened = await wait_rows.list_open(tx, run.id)
    await moves.tell(tx, events.RunWaitPaused, run, waits=opened)


async def next_limit(reader: Reader, run: Run) -> int:
    """Return the limit of active seconds for one more attempt: each batch has the kind's whole time."""
    policy = await workflow.policy_in_force(reader, run.repository_id)
    return run.active_seconds + workflow.kind_of(policy, run.kind).limit_minutes * 60


async def accept_reply(tx: Tx, run: Run, attempt: Attempt, reply: str, *, now: datetime) -> None:
    """The attempt's reply passed the checks: publishing posts it."""
    if run.world.talk_end is not None:
        return  # the discussion is over: the attempt is being stopped, its reply is not posted
    finishing = await moves.move(tx, run, RunStatus.FINISHING, events.RunFinishing, now=now, finish_step=replies.STEP)
    await effects.reserve(
        tx,
        REPLY,
        dedupe_key=str(attempt.id),
        repository_id=run.repository_id,
        target=effects.thread_target(run.issue_number or 0),
        payload={"body": replies.body(reply, str(attempt.id)), "attempt_id": str(attempt.id)},
        now=now,
        run_id=finishing.id,
    )


async def settle_reply(tx: Tx, run_id: UUID, *, now: datetime) -> None:
    """The reply is posted: its comments are marked as answered, and the run waits for the next ones."""
    run = await run_rows.lock(tx, run_id)
    if run.status is not RunStatus.FINISHING:
        return
    posted = _posted(await effect_rows.list_of(tx, run.id))
    if posted is not None:
        answered = await inbox.list_taken(tx, UUID(str(posted.payload["attempt_id"])))
        await _react(tx, run, answered, "+1", now=now)
    if run.world.talk_end is not None:
        await _end(tx, run, run.world.talk_end, now=now)
        return
    await _wait_for_comments(tx, run, now=now)


def _posted(known: Sequence[Effect]) -> Effect | None:
    done = [item for item in known if item.kind == REPLY and item.status is EffectStatus.DONE]
    return done[-1] if done else None


async def _wait_for_comments(tx: Tx, run: Run, *, now: datetime) -> None:
    policy = await workflow.policy_in_force(tx, run.repository_id)
    idle = timedelta(days=policy.special[DISCUSSION].idle_days)
    opened = await moves.open_wait(
        tx,
        run,
        WaitKind.QUESTION,
        target_kind=DISCUSSION,
        target_id=str(run.id),
        who_can_act="run.start",
        now=now,
        deadline_at=now + idle,
    )
    await moves.move(tx, run, RunStatus.WAITING, events.RunWaitPaused, now=now, finish_step=None, waits=[opened])


async def end_talk(tx: Tx, run_id: UUID, code: str, *, clock: Clock) -> None:
    """End the talk run with ``code``: an attempt of it is stopped and its reply not posted; one that never started is
    cancelled."""
    now = clock.now()
    run = await run_rows.lock(tx, run_id)
    if run.status.terminal or run.status is RunStatus.CANCELLING or run.world.talk_end is not None:
        return
    if run.started_at is None:
        await cancel.cancel_run(tx, run.id, cause=EARLY, clock=clock)
        return
    await effect_rows.supersede_critical(tx, run.id, now)
    if await _is_busy(tx, run):
        await run_rows.mark_talk_end(tx, run.id, code)
        await moves.request_stop(tx, run, ENDED, now=now)
        return
    await _end(tx, run, code, now=now)


async def _is_busy(tx: Tx, run: Run) -> bool:
    """Say whether an attempt works for the run, or its reply was sent and nobody knows yet whether it arrived."""
    if run.status is RunStatus.FINISHING:
        known = await effect_rows.list_of(tx, run.id)
        return any(item.critical and item.status in (EffectStatus.SUBMITTED, EffectStatus.UNKNOWN) for item in known)
    if run.status not in (RunStatus.PREPARING, RunStatus.RUNNING):
        return False
    return await attempt_rows.lock_open(tx, run.id) is not None


async def settle_stopped(tx: Tx, run: Run, *, now: datetime) -> bool:
    """The attempt of a discussion that was ended is gone: so is the run. Say whether it was such a one."""
    if run.world.talk_end is None or run.status not in (RunStatus.PREPARING, RunStatus.RUNNING):
        return False
    await _end(tx, run, run.world.talk_end, now=now)
    return True


async def end_idle(tx: Tx, wait: Wait, *, now: datetime) -> None:
    """Nobody said anything for long: the discussion is over."""
    run = await run_rows.lock(tx, wait.run_id)
    if run.status is RunStatus.WAITING:
        await _end(tx, run, "discussion_idle", now=now)


async def finish(tx: Tx, run: Run, *, now: datetime) -> None:
    """End the waiting discussion with what was said so far: nobody grants it more attempts."""
    await _end(tx, run, FINISHED, now=now)


async def _end(tx: Tx, run: Run, code: str, *, now: datetime) -> None:
    await moves.close_waits(tx, run, now=now, by="system")
    if run.status is RunStatus.QUEUED:  # the table knows no shorter way
        run = await moves.move(tx, run, RunStatus.WAITING, events.RunWaitPaused, now=now)
    if run.status is not RunStatus.FINISHING:
        told = events.RunWaitResumed if run.status is RunStatus.WAITING else events.RunFinishing
        run = await moves.move(tx, run, RunStatus.FINISHING, told, now=now, finish_step=replies.STEP)
    done = await moves.move(tx, run, RunStatus.SUCCEEDED, events.RunSucceeded, now=now, code=code, finish_step="done")
    await closing.close_run(tx, done, now=now)


async def give_back(tx: Tx, run: Run, attempt: Attempt, *, now: datetime) -> None:
    """An attempt of the talk run ended without a reply: its comments are the next one's; of a failed run they are
    marked."""
    if run.lane != LANE:
        return
    if run.status is RunStatus.FAILED:
        await _react(tx, run, await inbox.list_taken(tx, attempt.id), "confused", now=now)
    elif run.status in (RunStatus.PREPARING, RunStatus.QUEUED) and not await _replied(tx, run, attempt):
        await inbox.give_back(tx, attempt.id)


async def _replied(tx: Tx, run: Run, attempt: Attempt) -> bool:
    known = await effect_rows.list_of(tx, run.id)
    return any(item.kind == REPLY and item.payload.get("attempt_id") == str(attempt.id) for item in known)


async def _react(tx: Tx, run: Run, items: Sequence[inbox.Item], reaction: str, *, now: datetime) -> None:
    for item in items:
        await effects.react_to_comment(
            tx, run, int(item.source_ref.partition(":")[2]), reaction, thread=run.issue_number or 0, now=now
        )
