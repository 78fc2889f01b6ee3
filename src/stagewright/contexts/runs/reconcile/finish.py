"""Publish accepted results: commit, push, pull request, labels. Every step reads rows first and can be repeated."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from stagewright.contexts.agents import api as agents
from stagewright.contexts.projects.api import Repository, get_repository
from stagewright.contexts.runs.model import Effect, EffectStatus, Link, Run, RunStatus, WaitKind
from stagewright.contexts.runs.ports import CommitSpec
from stagewright.contexts.runs.reconcile import claims
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.rules import pull_request
from stagewright.contexts.runs.rules.texts import run_name
from stagewright.contexts.runs.store import effects as effect_rows
from stagewright.contexts.runs.store import links as link_rows
from stagewright.contexts.runs.store import results as result_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store.results import Proposal
from stagewright.contexts.runs.usecases import moves, outbox, publishing, waits
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.errors import LimitReached, StagewrightError

log = structlog.get_logger(__name__)
BATCH = 5
FINISH_LIMIT = timedelta(minutes=15)
PENDING = (EffectStatus.RESERVED, EffectStatus.SUBMITTED, EffectStatus.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one pass knows of a finishing run."""

    run: Run
    repository: Repository
    policy: workflow.Policy
    proposal: Proposal
    effects: list[Effect]
    link: Link | None


async def finish_accepted(outside: Outside) -> int:
    """Move every finishing run one step on."""
    runs = await claims.claim(outside, [RunStatus.FINISHING], limit=BATCH)
    for run in runs:
        try:
            await _finish(outside, run)
        except LimitReached as limit:
            until = outside.clock.now() + (limit.retry_after or timedelta(minutes=1))
            await _wait(outside, run, "core", until)
        except StagewrightError as error:
            log.warning("publishing postponed", run_id=str(run.id), code=error.stable_code, reason=error.message)
            await _check_deadline(outside, run, error.message)
        finally:
            await claims.release(outside, run)
    return len(runs)


async def _finish(outside: Outside, run: Run) -> None:
    delivery = await _read(outside, run)
    if delivery is None:
        return
    if not delivery.proposal.changed:
        await _succeed(outside, delivery, head_sha=None)
        return
    push = publishing.newest(delivery.effects, publishing.PUSH)
    if push is None:
        await _prepare_push(outside, delivery)
    elif push.status in PENDING:
        await _wait_for_effect(outside, delivery, push)
    elif push.status is EffectStatus.DONE:
        await _pull_request(outside, delivery, head_sha=str(push.payload["commit"]))


async def _read(outside: Outside, run: Run) -> Delivery | None:
    async with outside.db.reading() as reader:
        current = await run_rows.get(reader, run.id)
        proposal = await result_rows.find_accepted(reader, run.id)
        if current.status is not RunStatus.FINISHING or proposal is None:
            return None
        link = await link_rows.find(reader, run.repository_id, current.pr_number) if current.pr_number else None
        return Delivery(
            run=current,
            repository=await get_repository(reader, run.repository_id),
            policy=await workflow.policy_in_force(reader, run.repository_id),
            proposal=proposal,
            effects=await effect_rows.list_of(reader, run.id),
            link=link,
        )


async def _prepare_push(outside: Outside, delivery: Delivery) -> None:
    run, proposal = delivery.run, delivery.proposal
    assert run.branch is not None
    assert run.base_sha is not None
    inspection = await outside.git.inspect(
        delivery.repository, attempt_id=proposal.attempt_id, base_sha=run.base_sha, bundle=proposal.bundle or b""
    )
    if await _held(outside, delivery):
        return
    heads = await outside.git.heads(delivery.repository)
    expected = run.world.get("link_head_sha") if run.pr_number else None
    spec = await _commit_spec(outside, delivery, inspection.tree_sha, (run.base_sha,))
    commit = await outside.git.commit(delivery.repository, attempt_id=proposal.attempt_id, spec=spec)
    remote = heads.get(run.branch)
    if remote is not None and remote not in (expected, commit):
        merged = await outside.git.merge_onto(
            delivery.repository, attempt_id=proposal.attempt_id, commit=commit, onto=remote, spec=spec
        )
        if merged is None:
            async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
                await publishing.branch_moved(tx, run.id, now=outside.clock.now())
            return
        commit, expected = merged, remote
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        current = await publishing.set_step(tx, run.id, "push")
        if current is not None:
            await publishing.reserve_push(
                tx,
                current,
                proposal,
                commit=commit,
                branch=run.branch,
                expected_old=expected,
                now=outside.clock.now(),
            )


async def _held(outside: Outside, delivery: Delivery) -> bool:
    """Hold results that change paths only an owner may accept (specification: runs, section 8.4)."""
    changes = [workflow.PathChange(path=str(item["path"])) for item in delivery.proposal.changed or ()]
    kind = workflow.kind_of(delivery.policy, delivery.run.kind)
    held = workflow.owner_review_paths(changes, delivery.policy)
    if not workflow.is_held(kind, held):
        return False
    now = outside.clock.now()
    async with outside.db.transaction(correlation_id=delivery.run.correlation_id) as tx:
        run = await run_rows.lock(tx, delivery.run.id)
        if run.status is RunStatus.FINISHING:
            wait = await moves.open_wait(
                tx,
                run,
                WaitKind.OWNER_REVIEW,
                target_kind="result.publish",
                target_id=str(delivery.proposal.tree_sha),
                who_can_act="approval.decide_owner",
                now=now,
            )
            await moves.pause(tx, run, wait, now=now)
    return True


async def _commit_spec(outside: Outside, delivery: Delivery, tree: str, parents: tuple[str, ...]) -> CommitSpec:
    run, report = delivery.run, delivery.proposal.report
    bot = await outside.forge.bot(delivery.repository)
    role = delivery.policy.roles.get(run.role)
    title = " ".join(str(report.get("title") or run.kind).split())
    summary = agents.inert(str(report.get("summary") or ""))
    return CommitSpec(
        tree_sha=tree,
        parents=parents,
        author_name=role.name.of("en") if role else run.role,
        author_email=bot.commit_email,
        message=f"{title}\n\n{summary}\n\nStagewright-Run: {run.id}\n",
        at=delivery.proposal.proposed_at,
    )


async def _pull_request(outside: Outside, delivery: Delivery, *, head_sha: str) -> None:
    effect = publishing.newest(delivery.effects, "pull_request.open", "pull_request.update")
    if effect is None:
        await _reserve_pull_request(outside, delivery)
    elif effect.status in PENDING:
        await _wait_for_effect(outside, delivery, effect)
    elif effect.status is EffectStatus.DONE:
        await _succeed(outside, delivery, head_sha=head_sha)


async def _reserve_pull_request(outside: Outside, delivery: Delivery) -> None:
    run, report = delivery.run, delivery.proposal.report
    facts = _facts(outside, delivery)
    body = pull_request.render_body(run, report, facts)
    if delivery.link is not None:
        live = await outside.forge.pull_request(delivery.repository, delivery.link.pr_number)
        if live.state != "open":
            async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
                await publishing.fail_publishing(
                    tx, run.id, "pr_not_found", now=outside.clock.now(), detail="the pull request was closed meanwhile"
                )
            return
        revision = body_revision(live.body)
        body = pull_request.revise_body(live.body, run, report, facts, revision=revision)
    title = workflow.pull_request_title(
        delivery.policy, run.kind, issue=run.issue_number, report_title=str(report.get("title") or run.kind)
    )
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        current = await publishing.set_step(tx, run.id, "pull_request")
        if current is not None:
            await publishing.reserve_pull_request(
                tx,
                current,
                title=title,
                body=body,
                branch=str(run.branch),
                base=delivery.repository.default_branch,
                draft=delivery.policy.pull_request.draft == "always",
                link=delivery.link,
                now=outside.clock.now(),
            )


def body_revision(body: str) -> int:
    """Return the number of the next revision section."""
    return sum(1 for line in body.splitlines() if line.startswith("### ")) + 1


def _facts(outside: Outside, delivery: Delivery) -> pull_request.PullRequestFacts:
    run = delivery.run
    public = outside.addresses.public_url
    return pull_request.PullRequestFacts(
        run_url=f"{public}/r/{run.number}" if public else None,
        stage_name=workflow.stage_word(run.kind, delivery.policy),
        model=run.model or "",
        closing=workflow.closing_line(delivery.policy, run.kind, issue=run.issue_number) or run_name(run.number),
        warnings=tuple(delivery.proposal.warnings),
        inert=agents.inert,
    )


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


async def _wait_for_effect(outside: Outside, delivery: Delivery, effect: Effect) -> None:
    now = outside.clock.now()
    installation = outbox.installation_of(effect.repository_id)
    async with outside.db.reading() as reader:
        until = await effect_rows.blocked_until(reader, installation, effect.bucket, now)
    if until is not None and effect.status is EffectStatus.RESERVED:
        await _wait(outside, delivery.run, effect.bucket, until)
    else:
        await _check_deadline(outside, delivery.run, f"{effect.kind} is {effect.status}")


async def _wait(outside: Outside, run: Run, bucket: str, until: datetime) -> None:
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        current = await run_rows.lock(tx, run.id)
        if current.status is RunStatus.FINISHING:
            await waits.wait_for_limit(tx, current, bucket=bucket, resume_at=until, now=outside.clock.now())


async def _check_deadline(outside: Outside, run: Run, detail: str) -> None:
    now = outside.clock.now()
    if now - run.status_since > FINISH_LIMIT:
        async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
            await publishing.fail_publishing(tx, run.id, "finish_timeout", now=now, detail=detail)
