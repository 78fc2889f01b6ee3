"""Reserve an attempt: what all attempts of the run share is written down, the prompt rendered, the assignment kept."""

from dataclasses import replace

from stagewright.contexts.agents import api as agents
from stagewright.contexts.runs import events
from stagewright.contexts.runs.model import Attempt, Run, RunStatus
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.reconcile.situation import Situation
from stagewright.contexts.runs.rules.talking import LANE
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import assignment, attempts, moves, sessions, talk
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Tx

LEAST_SECONDS = 60


async def reserve_attempt(outside: Outside, run: Run, situation: Situation) -> tuple[Attempt | None, Run]:
    """Write the attempt of the run's generation before anything exists outside; None when the run went on meanwhile."""
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        current = await run_rows.lock(tx, run.id)
        if current.status is not RunStatus.PREPARING or current.generation != run.generation:
            return None, current
        if await attempt_rows.lock_open(tx, run.id) is not None:
            return None, current
        frozen, session = await _freeze(outside, tx, current, situation)
        brief = _brief(outside, frozen, situation, session)
        return await _open(outside, tx, brief), frozen


async def _freeze(outside: Outside, tx: Tx, run: Run, situation: Situation) -> tuple[Run, agents.SavedSession | None]:
    """Write branch, base, model and session. The model is resolved once, at the first launch."""
    chosen = _with_model(run, situation.model)
    choice = await sessions.choose(
        tx, chosen, base_sha=situation.base_sha, versions=outside.engine_versions, now=outside.clock.now()
    )
    world = replace(
        run.world,
        link_head_sha=situation.link_head_sha,
        prior=dict(situation.prior),
        restore_wip=choice.with_wip,
        target_sha=situation.target_sha,
        candidate_pr=situation.candidate.pr_number if situation.candidate else None,
    )
    build_sha = situation.candidate.head_sha if situation.candidate else run.build_sha
    launched = replace(chosen, branch=situation.branch, base_sha=situation.base_sha, build_sha=build_sha, world=world)
    saved = await run_rows.save(tx, launched)
    if build_sha != run.build_sha:
        await moves.tell(tx, events.BuildRefReplaced, saved, extra={"before": run.build_sha, "build_sha": build_sha})
    # What the launch works with; the transition to ``preparing`` was told at the admission.
    await moves.tell(tx, events.ProfileResolved, saved, extra={"reasoning_effort": saved.reasoning})
    return saved, choice.session


def _with_model(run: Run, choice: workflow.ModelChoice | None) -> Run:
    if choice is None:
        return run
    return replace(
        run,
        engine=choice.engine,
        model=choice.model,
        model_source=choice.model_source,
        reasoning=choice.reasoning,
        reasoning_source=choice.reasoning_source,
    )


def _brief(outside: Outside, run: Run, situation: Situation, session: agents.SavedSession | None) -> assignment.Brief:
    known, live = situation.known, situation.live
    return assignment.Brief(
        run=run,
        repository=known.repository,
        policy=situation.policy,
        issue=live.issue,
        comments=live.comments,
        pull_request=live.pull_request,
        feedback=live.feedback,
        prior_stages=tuple(situation.prior),
        files=situation.files,
        bot=live.bot,
        progress=known.progress,
        session=session,
        active_seconds_left=max(LEAST_SECONDS, run.limit_seconds - run.active_seconds),
        engine_versions=outside.engine_versions,
        stack=situation.stack,
    )


async def _open(outside: Outside, tx: Tx, brief: assignment.Brief) -> Attempt:
    run = brief.run
    reason = run.world.attempt_reason if run.generation > 1 else "first"
    attempt = await attempts.open_attempt(
        tx,
        run,
        reason=reason,
        workload_kind=outside.workload_kind,
        restored_session_id=brief.session.id if brief.session else None,
        now=outside.clock.now(),
    )
    if run.lane == LANE:
        batch = await talk.take_batch(tx, run, attempt, now=outside.clock.now())
        brief = replace(brief, inbox=batch)
    told = assignment.render(brief, reason=reason)
    await agents.record_prompt(
        tx,
        told.prompt,
        project_id=run.project_id,
        run_id=run.id,
        attempt_id=attempt.id,
        redact=outside.redact,
        clock=outside.clock,
    )
    raw = assignment.build_assignment(brief, attempt, told, tools_url="", relay_url=_relay_of(outside, run))
    await attempt_rows.set_assignment(tx, attempt.id, raw)
    issued = {"attempt": str(attempt.id), "classes": ["run", "tools", "model"], "expires_at": str(attempt.deadline)}
    tx.publish(events.TokensIssued(run=run, extra=issued))
    return attempt


def _relay_of(outside: Outside, run: Run) -> str:
    """Return the engine's door of the model relay; an engine without a model credential has none."""
    engine = agents.EngineName(run.engine or agents.EngineName.SCRIPTED)
    return f"{outside.addresses.relay_url}/model/{engine}" if agents.needs_credential(engine) else ""
