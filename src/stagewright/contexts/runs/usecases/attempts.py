"""An attempt's life inside transactions: opened by the launch, made live by its runner, ended by what was seen."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from stagewright.contexts.runs import events
from stagewright.contexts.runs.errors import AttemptEnded, GenerationStale
from stagewright.contexts.runs.model import Attempt, AttemptId, AttemptStatus, Run, RunStatus, WaitKind
from stagewright.contexts.runs.rules import after_attempt, transitions
from stagewright.contexts.runs.rules.relay import Tokens
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import results as result_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store import waits as wait_rows
from stagewright.contexts.runs.usecases import cancel, label_moves, moves, relay, talk
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Tx
from stagewright.kit.errors import Conflict
from stagewright.kit.ids import short_id, uuid7

GRACE = timedelta(minutes=40)
WARN_AT = 0.9


def workload_name(run: Run) -> str:
    """Return the deterministic name of the workload of the run's present generation."""
    return f"sw-{short_id(run.id)}-g{run.generation}"


async def open_attempt(
    tx: Tx, run: Run, *, reason: str, workload_kind: str, restored_session_id: object | None, now: datetime
) -> Attempt:
    """Reserve the attempt of the run's present generation, before anything is created outside."""
    left = timedelta(seconds=max(0, run.limit_seconds - run.active_seconds))
    attempt = await attempt_rows.insert(
        tx,
        {
            "id": AttemptId(uuid7()),
            "run_id": run.id,
            "generation": run.generation,
            "reason": reason,
            "workload_name": workload_name(run),
            "workload_kind": workload_kind,
            "restored_session_id": restored_session_id,
            "deadline": now + left + GRACE,
            "now": now,
        },
    )
    tx.publish(events.AttemptOpened(run=run, attempt=attempt))
    return attempt


async def mark_launching(tx: Tx, run: Run, attempt: Attempt, *, now: datetime) -> Attempt:
    """The workload exists. A runner that was quicker has made the attempt live already."""
    current = await attempt_rows.lock(tx, attempt.id)
    if current.status is not AttemptStatus.RESERVED:
        return current
    launched = await moves.move_attempt(tx, current, AttemptStatus.LAUNCHING, launched_at=now)
    tx.publish(events.WorkloadLaunched(run=run, attempt=launched))
    return launched


async def register(tx: Tx, attempt: Attempt, *, runner_version: str, now: datetime) -> tuple[Run, Attempt]:
    """The runner of the current generation asked for its assignment: the attempt is live, the run is running."""
    run = await run_rows.lock(tx, attempt.run_id)
    current = await attempt_rows.lock(tx, attempt.id)
    fence(run, current)
    if current.status in (AttemptStatus.RESERVED, AttemptStatus.LAUNCHING):
        current = await moves.move_attempt(
            tx,
            current,
            AttemptStatus.LIVE,
            launched_at=current.launched_at or now,
            started_at=now,
            heartbeat_at=now,
            runner_version=runner_version[:100],
        )
    if run.status is RunStatus.PREPARING:
        extra = {"attempt": str(current.id), "workload": current.workload_name}
        run = await moves.move(tx, run, RunStatus.RUNNING, events.RunStarted, now=now, extra=extra)
        await label_moves.move_labels(tx, run, workflow.Moment.RUN_STARTED, now=now)
    return run, current


def fence(run: Run, attempt: Attempt) -> None:
    """Refuse an old generation and an ended attempt; a suspect but current one passes."""
    if attempt.generation != run.generation:
        raise GenerationStale("another attempt has replaced this one; stop")
    if attempt.status is AttemptStatus.ENDED:
        raise AttemptEnded("this attempt has ended; stop")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the runner says its attempt ended."""

    outcome: str
    code: str | None
    detail: str | None
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    resume_at: datetime | None = None


async def report_outcome(tx: Tx, attempt_id: AttemptId, outcome: Outcome, *, now: datetime) -> Attempt:
    """Keep the attempt's outcome. An equal repeat is acknowledged, another one refused (``attempt_ended``)."""
    attempt = await attempt_rows.get(tx, attempt_id)
    run = await run_rows.lock(tx, attempt.run_id)
    attempt = await attempt_rows.lock(tx, attempt_id)
    if attempt.outcome is not None:
        if (attempt.outcome, attempt.code) == (outcome.outcome, outcome.code or None):
            return attempt
        raise AttemptEnded("this attempt reported another outcome before")
    fence(run, attempt)
    if attempt.status is not AttemptStatus.LIVE:
        raise Conflict("the attempt never asked for its assignment", code="attempt.not_live")
    reported = Tokens(outcome.tokens_in, outcome.tokens_cached, outcome.tokens_out)
    used = await relay.settle_reported(tx, run, attempt, reported)
    drained = await moves.move_attempt(
        tx,
        attempt,
        AttemptStatus.DRAINING,
        outcome=outcome.outcome,
        code=outcome.code or None,
        detail=moves.cut_detail(outcome.detail or None),
        suspect_since=None,
        tokens_in=used.sent,
        tokens_cached=used.cached,
        tokens_out=used.answered,
    )
    if outcome.outcome == "rate_limited" and run.status is RunStatus.RUNNING:
        await moves.open_wait(
            tx,
            run,
            WaitKind.RATE_LIMIT,
            target_kind="provider",
            target_id=f"model:{run.engine}",
            who_can_act="nobody",
            now=now,
            attempt=drained,
            resume_at=outcome.resume_at or now + timedelta(minutes=1),
        )
    if (outcome.outcome, outcome.code) == ("parked", "credential_rejected") and run.status is RunStatus.RUNNING:
        await relay.open_credential_wait(tx, run, drained, now=now)
    return drained


async def settle_ended(
    tx: Tx,
    attempt_id: AttemptId,
    *,
    now: datetime,
    outcome: str,
    code: str | None = None,
    detail: str | None = None,
) -> after_attempt.Following:
    """End an attempt whose workload is gone (``outcome`` counts only if its runner reported none); move its run."""
    attempt = await attempt_rows.get(tx, attempt_id)
    run = await run_rows.lock(tx, attempt.run_id)
    attempt = await attempt_rows.lock(tx, attempt_id)
    if attempt.status is AttemptStatus.ENDED:
        return after_attempt.Nothing()
    ended = await moves.end_attempt(tx, run, attempt, now=now, outcome=outcome, code=code, detail=detail)
    if run.status is RunStatus.CANCELLING:
        await cancel.finish_cancel(tx, run, now=now)
        return after_attempt.Nothing()
    if ended.generation != run.generation:
        return after_attempt.Nothing()
    if await talk.settle_stopped(tx, run, now=now):
        return after_attempt.Nothing()
    following = after_attempt.decide_after_attempt(run, ended, await _past(tx, run, ended))
    await follow(tx, run, ended, following, now=now)
    await talk.give_back(tx, await run_rows.get(tx, run.id), ended, now=now)
    return following


async def _past(tx: Tx, run: Run, attempt: Attempt) -> after_attempt.Past:
    newest = await result_rows.find_newest(tx, run.id)
    others = await attempt_rows.list_of(tx, run.id)
    return after_attempt.Past(
        open_waits=len(await wait_rows.list_open(tx, run.id)),
        infrastructure_retries=await attempt_rows.infrastructure_retries(tx, run.id),
        stalls=sum(1 for item in others if item.stop_reason == "agent_stalled" and item.id != attempt.id),
        has_proposal=newest is not None and newest.attempt_id == attempt.id and newest.verdict in (None, "accepted"),
    )


async def follow(tx: Tx, run: Run, attempt: Attempt, following: after_attempt.Following, *, now: datetime) -> None:
    """Carry out what the rule decided."""
    match following:
        case after_attempt.Retry(reason=reason, delay=delay, code=code):
            await retry(tx, run, reason=reason, code=code, delay=delay, now=now)
        case after_attempt.Park():
            await moves.pause(tx, run, now=now)
        case after_attempt.Resume():
            await requeue(tx, run, code="answer", now=now)
        case after_attempt.Fail(code=code, detail=detail):
            await moves.fail(tx, run, code, now=now, detail=detail or attempt.detail)
        case after_attempt.Nothing():
            return


async def retry(tx: Tx, run: Run, *, reason: str, code: str, delay: timedelta, now: datetime) -> Run:
    """Write the next generation, before the old workload is deleted and before a new one is created."""
    return await moves.move(
        tx,
        run,
        RunStatus.PREPARING,
        events.AttemptRetried,
        now=now,
        generation=run.generation + 1,
        not_before=now + delay,
        world=replace(run.world, attempt_reason=reason),
        extra={"reason": reason, "cause": code},
    )


async def requeue(tx: Tx, run: Run, *, code: str, now: datetime) -> Run:
    """Queue the next attempt of a run that already ran: capacity is asked for again, resumed runs come first."""
    return await moves.move(
        tx,
        run,
        RunStatus.QUEUED,
        events.AttemptRetried,
        now=now,
        resumed=True,
        world=replace(run.world, attempt_reason=code),
        extra={"reason": code},
    )


async def tick_clock(tx: Tx, run: Run, attempt: Attempt, *, now: datetime, stall: timedelta) -> str | None:
    """Look at the run's clocks. Return ``active_time_exceeded``, ``agent_stalled``, ``warn`` or None, and write it."""
    if run.status is not RunStatus.RUNNING or attempt.stop_requested_at is not None:
        return None
    active = transitions.active_seconds(run, now)
    if active >= run.limit_seconds:
        await moves.request_stop(tx, run, "active_time_exceeded", now=now)
        return "active_time_exceeded"
    last = attempt.last_event_at or attempt.started_at
    if last is not None and now - last > stall:
        await moves.request_stop(tx, run, "agent_stalled", now=now)
        return "agent_stalled"
    if run.warned_at is None and active >= WARN_AT * run.limit_seconds:
        await run_rows.mark_warned(tx, run.id, now)
        return "warn"
    return None
