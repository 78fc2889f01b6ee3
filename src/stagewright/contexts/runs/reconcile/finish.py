"""Publish accepted results: commit, push, pull request, labels. Every step reads rows first and can be repeated."""

from datetime import datetime, timedelta
from uuid import UUID

import structlog

from stagewright.contexts.runs.model import EffectStatus, Run, RunStatus
from stagewright.contexts.runs.reconcile import claims
from stagewright.contexts.runs.reconcile.delivery import Delivery, PublishRefused, read_delivery
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.reconcile.pull_requests import reserve_pull_request
from stagewright.contexts.runs.reconcile.push import prepare_push
from stagewright.contexts.runs.reconcile.reviews import reserve_review
from stagewright.contexts.runs.reconcile.together import each
from stagewright.contexts.runs.rules.talking import LANE
from stagewright.contexts.runs.store import limits as limit_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import limits, publishing, talk, waits
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Tx
from stagewright.kit.errors import StagewrightError

log = structlog.get_logger(__name__)
BATCH = 5
MANY = 50
FINISH_LIMIT = timedelta(minutes=15)
POSTPONE = timedelta(seconds=5)


async def finish_accepted(outside: Outside) -> int:
    """Move every finishing run that waits for nothing one step on."""
    await _let_held_back_wait(outside)
    await _end_overdue(outside)
    runs = await claims.claim(outside, "finish", limit=BATCH)
    await each(_finish_one(outside, run) for run in runs)
    return len(runs)


async def _let_held_back_wait(outside: Outside) -> None:
    """Runs whose next act may not be sent wait and go on by themselves; their clock stands still."""
    now = outside.clock.now()
    async with outside.db.reading() as reader:
        found = await limit_rows.list_held_back(reader, now=now, limit=MANY)
    for run_id, bucket, until in found:
        async with outside.db.transaction() as tx:
            await _let_wait(tx, run_id, bucket, until, now=now)


async def _end_overdue(outside: Outside) -> None:
    now = outside.clock.now()
    async with outside.db.reading() as reader:
        overdue = await run_rows.list_finishing_since(reader, before=now - FINISH_LIMIT, limit=MANY)
    for run in overdue:
        async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
            detail = f"publishing took longer than 15 minutes, at step {run.finish_step or '-'}"
            await publishing.fail_publishing(tx, run.id, "finish_timeout", now=now, detail=detail)


async def _finish_one(outside: Outside, run: Run) -> None:
    async with claims.held(outside, run):
        try:
            await _finish(outside, run)
        except PublishRefused as refused:
            log.info("not published", run_id=str(run.id), code=refused.stable_code, reason=refused.message)
            async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
                await publishing.fail_publishing(
                    tx, run.id, refused.stable_code, now=outside.clock.now(), detail=refused.message
                )
        except StagewrightError as error:
            await _not_now(outside, run, error)


async def _finish(outside: Outside, run: Run) -> None:
    if run.lane == LANE:
        async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
            await talk.settle_reply(tx, run.id, now=outside.clock.now())
        return
    delivery = await read_delivery(outside, run)
    if delivery is None:
        return
    reviews = delivery.kind.kind_class is workflow.KindClass.REVIEW
    if not delivery.proposal.changed and not reviews:
        await _succeed(outside, delivery, head_sha=None)
        return
    async with outside.db.reading() as reader:
        closed = await limits.blocked(reader, run.repository_id, now=outside.clock.now())
    if closed is not None:
        await _wait_for_limit(outside, run, *closed)
        return
    if reviews:
        await _finish_review(outside, delivery)
        return
    push = publishing.newest(delivery.effects, publishing.PUSH)
    opened = publishing.newest(delivery.effects, *publishing.PULL_REQUEST)
    if push is None:
        await prepare_push(outside, delivery)
    elif push.status is EffectStatus.DONE and push.payload.get("direct"):
        await _succeed(outside, delivery, head_sha=str(push.payload["commit"]))
    elif push.status is EffectStatus.DONE and opened is None:
        await reserve_pull_request(outside, delivery)
    elif opened is not None and opened.status is EffectStatus.DONE:
        await _succeed(outside, delivery, head_sha=str(push.payload["commit"]))


async def _finish_review(outside: Outside, delivery: Delivery) -> None:
    """A reviewer's run publishes its review and nothing else."""
    posted = publishing.newest(delivery.effects, publishing.REVIEW)
    if posted is None:
        await reserve_review(outside, delivery)
    elif posted.status is EffectStatus.DONE:
        await _succeed(outside, delivery, head_sha=None)


async def _wait_for_limit(outside: Outside, run: Run, bucket: str, until: datetime) -> None:
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        await _let_wait(tx, run.id, bucket, until, now=outside.clock.now())


async def _let_wait(tx: Tx, run_id: UUID, bucket: str, until: datetime, *, now: datetime) -> None:
    run = await run_rows.lock(tx, run_id)
    if run.status is RunStatus.FINISHING:
        await waits.wait_for_limit(tx, run, bucket=bucket, resume_at=until, now=now)


async def _succeed(outside: Outside, delivery: Delivery, *, head_sha: str | None) -> None:
    run = delivery.run
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        await publishing.succeed(
            tx,
            run.id,
            now=outside.clock.now(),
            base_branch=delivery.repository.default_branch,
            branch=run.branch,
            head_sha=head_sha,
        )
    await outside.git.forget(delivery.proposal.attempt_id)


async def _not_now(outside: Outside, run: Run, error: StagewrightError) -> None:
    """A closed limit lets the run wait; anything else is tried again in a moment."""
    now = outside.clock.now()
    log.warning("publishing postponed", run_id=str(run.id), code=error.stable_code, reason=error.message)
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        current = await run_rows.lock(tx, run.id)
        closed = await limits.note_refusal(tx, run.repository_id, "core", error, now=now)
        if current.status is not RunStatus.FINISHING:
            return
        if closed is not None:
            await waits.wait_for_limit(tx, current, bucket=closed[0], resume_at=closed[1], now=now)
        else:
            await run_rows.postpone(tx, run.id, now + POSTPONE)
