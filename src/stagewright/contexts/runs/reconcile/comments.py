"""Keep one status comment per run true: rendered from rows, updated in place, at most every ten seconds."""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.identity import api as identity
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs.model import Attempt, Run, RunStatus
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.rules import status_comment
from stagewright.contexts.runs.rules.status_comment import CommentFacts, CommentStep
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import comments as comment_rows
from stagewright.contexts.runs.store import effects as effect_rows
from stagewright.contexts.runs.store import links as link_rows
from stagewright.contexts.runs.store import results as result_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store import waits as wait_rows
from stagewright.contexts.runs.store.comments import StatusComment
from stagewright.contexts.runs.usecases import effects
from stagewright.contexts.runs.usecases.steps import finished_run
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Reader, Tx

BATCH = 50
SPACING = timedelta(seconds=10)
RECENT = timedelta(minutes=10)


async def publish_status(outside: Outside) -> int:
    """Reserve an update of every status comment whose text changed."""
    now = outside.clock.now()
    async with outside.db.reading() as reader:
        due = await comment_rows.list_due(reader, recent=now - RECENT, limit=BATCH)
    for run_id in due:
        async with outside.db.transaction() as tx:
            await _publish_one(tx, outside, run_id, now=now)
    return 0


async def _publish_one(tx: Tx, outside: Outside, run_id: UUID, *, now: datetime) -> None:
    row = await comment_rows.lock_status(tx, run_id)
    if row is None or row.suppressed:
        return
    run = await run_rows.get(tx, run_id)
    facts = await _facts(tx, run, public_url=outside.addresses.public_url)
    body = outside.redact(status_comment.render(run, facts))
    digest = hashlib.sha256(body.encode()).digest()
    if digest == row.body_sha256 or not _is_time(row, run, facts.phase, now):
        return
    effect = await effects.reserve(
        tx,
        "comment.status",
        dedupe_key=f"{run.id}:{digest.hex()[:32]}:{int(now.timestamp() * 1000)}",
        repository_id=run.repository_id,
        target=effects.thread_target(row.thread),
        payload={"body": body, "phase": facts.phase},
        now=now,
        run_id=run.id,
    )
    if effect is not None:
        await effect_rows.supersede_for_run(tx, run_id=run.id, kind=effect.kind, keep=effect.dedupe_key, now=now)
    await comment_rows.set_rendered(tx, run_id, sha256=digest, phase=facts.phase, now=now)


def _is_time(row: StatusComment, run: Run, phase: str, now: datetime) -> bool:
    if row.rendered_at is None or phase != row.phase or run.status.terminal:
        return True
    return now - row.rendered_at >= SPACING


async def _facts(reader: Reader, run: Run, *, public_url: str | None) -> CommentFacts:
    policy = await workflow.policy_in_force(reader, run.repository_id)
    attempts = await attempt_rows.list_of(reader, run.id)
    proposal = await result_rows.find_newest(reader, run.id)
    link = await link_rows.find(reader, run.repository_id, run.pr_number) if run.pr_number else None
    report = proposal.report if proposal else {}
    waits = await wait_rows.list_of(reader, run.id)
    accepted = proposal is not None and proposal.verdict == "accepted"
    follow_ups = [str(item.get("title", "")) for item in report.get("follow_ups") or ()] if accepted else []
    return CommentFacts(
        attempts=attempts,
        waits=[wait for wait in waits if wait.status == "open"],
        phase=status_comment.phase_of(run, attempts, waits, ready=_is_ready(attempts)),
        run_url=f"{public_url}/r/{run.number}" if public_url else None,
        stage_name=workflow.stage_word(run.kind, policy),
        pr_number=link.pr_number if link else run.pr_number,
        pr_url=link.url if link else None,
        trigger=workflow.label_text(run.trigger_label, policy) if run.trigger_label else None,
        requester=await _requester(reader, run),
        violations=tuple(proposal.violations or ()) if proposal else (),
        warnings=tuple(proposal.warnings) if proposal and accepted else (),
        follow_ups=follow_ups if run.status is RunStatus.SUCCEEDED else [],
        next_steps=await _next_steps(reader, run, policy, public_url=public_url),
        dev_label=workflow.label_text("run:dev", policy),
        blocked_label=workflow.label_text("state:blocked", policy),
        input_label=workflow.label_text(workflow.NEED_INPUT, policy),
    )


def _is_ready(attempts: list[Attempt]) -> bool:
    return bool(attempts) and attempts[-1].last_event_at is not None


async def _next_steps(
    reader: Reader, run: Run, policy: workflow.Policy, *, public_url: str | None
) -> tuple[CommentStep, ...]:
    """Return what may follow, in the project's language; a pull request's step names the pull request."""
    if not run.status.terminal:
        return ()
    finished = await finished_run(reader, run)
    repository = await projects.get_repository(reader, run.repository_id)

    def link(step: workflow.NextStep) -> str | None:
        on_pull = step.action_kind == workflow.PULL_REQUEST_ACTION
        return workflow.deep_link(
            public_url,
            step,
            repository=repository.full_name,
            issue=run.issue_number,
            pull_request=run.pr_number if on_pull else None,
            run_id=str(run.id),
        )

    steps = workflow.next_steps(finished, policy)
    return tuple(CommentStep(workflow.step_text(step, run.locale, policy), link(step)) for step in steps)


async def _requester(reader: Reader, run: Run) -> str:
    """Return who asked for the run: a login, or the name of a person without an account of the forge."""
    if run.requested_by_kind != "user":
        return run.requested_by
    person = await identity.find_user(reader, UUID(run.requested_by))
    if person is None:
        return "-"
    return person.github_login or f"`{' '.join(person.display_name.replace('`', '').split()) or '-'}`"
