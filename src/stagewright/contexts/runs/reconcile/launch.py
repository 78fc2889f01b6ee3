"""Give every admitted run its workload: read live, reserve the attempt, then create. Each step can be repeated."""

from dataclasses import replace
from datetime import timedelta

import structlog

from stagewright.contexts.agents import api as agents
from stagewright.contexts.runs import events
from stagewright.contexts.runs.errors import LaunchRefused
from stagewright.contexts.runs.model import Attempt, AttemptStatus, Run, RunStatus
from stagewright.contexts.runs.ports import WorkloadSpec
from stagewright.contexts.runs.reconcile import claims
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.reconcile.situation import Situation, read_situation
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import assignment, attempts, moves, waits
from stagewright.kit.db import Tx
from stagewright.kit.errors import LimitReached, NotFound, StagewrightError
from stagewright.kit.ids import short_id

log = structlog.get_logger(__name__)
BATCH = 4
PREPARE_LIMIT = timedelta(minutes=30)
POSTPONE = timedelta(seconds=5)


async def launch_preparing(outside: Outside) -> int:
    """Launch every admitted run that is due. Safe to stop anywhere, and to run twice at once."""
    runs = await claims.claim(outside, [RunStatus.PREPARING], limit=BATCH)
    for run in runs:
        await _launch_one(outside, run)
    return len(runs)


async def _launch_one(outside: Outside, run: Run) -> None:
    try:
        await _launch(outside, run)
    except LaunchRefused as refused:
        await _end(outside, run, refused.stable_code, refused.message)
    except LimitReached as limit:
        await _wait_for_limit(outside, run, limit)
    except NotFound as gone:
        await _end(outside, run, "source_unavailable", gone.message)
    except StagewrightError as error:
        log.warning("launch postponed", run_id=str(run.id), code=error.stable_code, reason=error.message)
        await _postpone(outside, run, error)
    finally:
        await claims.release(outside, run)


async def _launch(outside: Outside, run: Run) -> None:
    async with outside.db.reading() as reader:
        attempt = await attempt_rows.find_open(reader, run.id)
    if attempt is None:
        situation = await read_situation(outside, run)
        attempt, run = await _reserve(outside, run, situation)
    if attempt is None or attempt.status is not AttemptStatus.RESERVED:
        return
    await outside.workloads.launch(workload_spec(outside, run, attempt))
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        await attempts.mark_launching(tx, attempt, now=outside.clock.now())


def workload_spec(outside: Outside, run: Run, attempt: Attempt) -> WorkloadSpec:
    """Return what the workload gets; equal for every repetition."""
    return WorkloadSpec(
        name=attempt.workload_name,
        run_id=run.id,
        attempt_id=attempt.id,
        generation=attempt.generation,
        labels={
            "stagewright.dev/managed": "true",
            "stagewright.dev/run-id": str(run.id),
            "stagewright.dev/attempt-id": str(attempt.id),
            "stagewright.dev/generation": str(attempt.generation),
            "stagewright.dev/project-id": str(run.project_id),
            "stagewright.dev/lane": run.lane,
            "stagewright.dev/role": run.role,
            "stagewright.dev/component": "runner",
        },
        controlplane_url=outside.addresses.controlplane_url,
        tokens=outside.mint_tokens(run, attempt),
        deadline=attempt.deadline,
        run_dir_key=short_id(run.id),
    )


async def _reserve(outside: Outside, run: Run, situation: Situation) -> tuple[Attempt | None, Run]:
    bot = await outside.forge.bot(situation.repository)
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        current = await run_rows.lock(tx, run.id)
        if current.status is not RunStatus.PREPARING or current.generation != run.generation:
            return None, current
        if await attempt_rows.lock_open(tx, run.id) is not None:
            return None, current
        current = await _freeze(tx, current, situation)
        brief = assignment.Brief(
            run=current,
            repository=situation.repository,
            policy=situation.policy,
            issue=situation.issue,
            comments=situation.comments,
            pull_request=situation.pull_request,
            branch=situation.branch,
            base_sha=situation.base_sha,
            link_head_sha=situation.link_head_sha,
            prior_stages=tuple(situation.prior),
            files=situation.files,
            bot=bot,
            answers=situation.answers,
            active_seconds_left=max(60, current.limit_seconds - current.active_seconds),
        )
        return await _open(outside, tx, brief), current


async def _freeze(tx: Tx, run: Run, situation: Situation) -> Run:
    """Write what every attempt of the run shares: branch, base, model. Resolved once, at the first launch."""
    choice = situation.model
    changes: dict[str, object] = {
        "branch": situation.branch,
        "base_sha": situation.base_sha,
        "world": dict(run.world) | {"link_head_sha": situation.link_head_sha, "prior": dict(situation.prior)},
    }
    if choice is not None:
        changes |= {
            "engine": choice.engine,
            "model": choice.model,
            "model_source": choice.model_source,
            "reasoning": choice.reasoning,
            "reasoning_source": choice.reasoning_source,
        }
    saved = await run_rows.save(tx, replace(run, **changes))  # type: ignore[arg-type]
    tx.publish(events.RunPreparing(run=saved))
    if choice is not None:
        extra = {
            "model": choice.model,
            "model_source": choice.model_source,
            "reasoning_effort": choice.reasoning,
            "reasoning_source": choice.reasoning_source,
            "engine": choice.engine,
            "launch_profile": saved.launch_profile,
        }
        tx.publish(events.ProfileResolved(run=saved, extra=extra))
    return saved


async def _open(outside: Outside, tx: Tx, brief: assignment.Brief) -> Attempt:
    now = outside.clock.now()
    run = brief.run
    session = await _session(outside, tx, brief)
    reason = str(run.world.get("attempt_reason", "first")) if run.generation > 1 else "first"
    attempt = await attempts.open_attempt(
        tx,
        run,
        reason=reason,
        workload_kind=outside.workload_kind,
        restored_session_id=session.id if session else None,
        now=now,
    )
    nonce = assignment.new_nonce()
    wanted = assignment.prompt_input(brief, nonce=nonce)
    catalogue = agents.load_catalogue()
    prompt = agents.compose(wanted, catalogue)
    resume = agents.resume_prompt(wanted, catalogue, reason=reason).text if session and reason != "first" else ""
    await agents.record_prompt(
        tx,
        prompt,
        project_id=run.project_id,
        run_id=run.id,
        attempt_id=attempt.id,
        redact=outside.redact,
        clock=outside.clock,
    )
    await attempt_rows.set_assignment(
        tx,
        attempt.id,
        assignment.build_assignment(
            brief,
            attempt,
            prompt,
            nonce=nonce,
            tools_url=outside.addresses.tools_url,
            relay_url=outside.addresses.relay_url,
            session=session,
            resume_prompt=resume,
            now=now,
        ),
    )
    issued = {"attempt": str(attempt.id), "classes": ["run", "tools", "model"], "expires_at": str(attempt.deadline)}
    tx.publish(events.TokensIssued(run=run, extra=issued))
    return attempt


async def _session(outside: Outside, tx: Tx, brief: assignment.Brief) -> agents.SavedSession | None:
    run = brief.run
    candidates = await agents.list_sessions(tx, [run.id])
    wish = agents.SessionWish(
        run_id=run.id,
        kind=run.kind,
        next_attempt=run.generation > 1,
        engine=agents.EngineName(run.engine or "scripted"),
        engine_version=candidates[0].engine_version if candidates else "",
        base_sha=brief.base_sha,
    )
    return agents.choose_session(candidates, wish, now=outside.clock.now()).session


async def _end(outside: Outside, run: Run, code: str, detail: str) -> None:
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        current = await run_rows.lock(tx, run.id)
        if current.status is not RunStatus.PREPARING:
            return
        if code in ("pr_not_found", "branch_not_found", "pull_request_from_fork"):
            extra = {"branch": current.branch, "reason": code}
            tx.publish(events.RevisePullRequestNotFound(run=current, extra=extra))
        await moves.fail(tx, current, code, now=outside.clock.now(), detail=detail)


async def _wait_for_limit(outside: Outside, run: Run, limit: LimitReached) -> None:
    now = outside.clock.now()
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        current = await run_rows.lock(tx, run.id)
        if current.status is not RunStatus.PREPARING or await attempt_rows.lock_open(tx, run.id) is not None:
            return
        until = now + (limit.retry_after or timedelta(minutes=1))
        await waits.wait_for_limit(tx, current, bucket="core", resume_at=until, now=now)


async def _postpone(outside: Outside, run: Run, error: StagewrightError) -> None:
    now = outside.clock.now()
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        current = await run_rows.lock(tx, run.id)
        if current.status is not RunStatus.PREPARING:
            return
        if now - current.status_since > PREPARE_LIMIT:
            await moves.fail(tx, current, "prepare_timeout", now=now, detail=error.message)
            return
        await run_rows.save(tx, replace(current, not_before=now + POSTPONE))
