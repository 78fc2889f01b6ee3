"""Write the one commit of a run and reserve its push: over what the remote has now, or not at all."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from stagewright.contexts.agents import api as agents
from stagewright.contexts.runs.ports import BotIdentity, CommitSpec
from stagewright.contexts.runs.reconcile import holding
from stagewright.contexts.runs.reconcile.acts import QUARANTINE_MISSING
from stagewright.contexts.runs.reconcile.checks import violations_of
from stagewright.contexts.runs.reconcile.delivery import Delivery, PublishRefused
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.reconcile.together import result
from stagewright.contexts.runs.rules import asking
from stagewright.contexts.runs.rules.result_checks import worst
from stagewright.contexts.runs.usecases import publishing
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.errors import NotFound


@dataclass(frozen=True, slots=True)
class Live:
    """What was read again before the push."""

    heads: Mapping[str, str]
    bot: BotIdentity


async def prepare_push(outside: Outside, delivery: Delivery) -> None:
    """Reserve the push of the accepted tree, merged with what others pushed meanwhile."""
    live = await _read_again(outside, delivery)
    direct = _goes_direct(delivery, live)
    permit = await holding.ask(outside, delivery, asking.DEFAULT_BRANCH if direct else asking.PULL_REQUEST)
    if not permit.given:
        return
    run = delivery.run
    assert run.branch is not None
    branch = delivery.repository.default_branch if direct else run.branch
    spec = _commit_spec(delivery, live.bot)
    commit = await _commit(outside, delivery, spec)
    remote = live.heads.get(branch)
    if remote is not None and remote != commit and remote not in spec.parents:
        # What an owner accepted is published as it was shown, or not at all: a merge would be another tree.
        merged = await _merged(outside, delivery, commit, remote, spec) if permit.request is None else None
        if merged is None:
            async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
                await publishing.branch_moved(tx, run.id, now=outside.clock.now())
                await permit.withdraw(tx, outside, "target_moved")
            return
        commit = merged
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        current = await publishing.set_step(tx, run.id, "push")
        if current is not None and await permit.use(tx, outside):
            await publishing.reserve_push(
                tx,
                current,
                delivery.proposal,
                commit=commit,
                branch=branch,
                expected_old=remote,
                direct=direct,
                now=outside.clock.now(),
            )


def _goes_direct(delivery: Delivery, live: Live) -> bool:
    """Say whether the result goes straight to the default branch: the policy lets it, nobody pushed there since the
    work began (so it is a fast-forward), and the forge has not refused it before. Else it becomes a pull request."""
    there = live.heads.get(delivery.repository.default_branch)
    allowed = workflow.publishes_directly(delivery.kind, delivery.policy)
    return allowed and there == delivery.run.base_sha and not publishing.went_direct(delivery.effects)


async def _read_again(outside: Outside, delivery: Delivery) -> Live:
    """Ask the remote for its branches and the forge whether Issue and pull request are still open."""
    heads, bot, thread = await asyncio.gather(
        outside.git.heads(delivery.repository),
        outside.forge.bot(delivery.repository),
        _check_thread(outside, delivery),
        return_exceptions=True,
    )
    result(thread)
    live = Live(result(heads), result(bot))
    if delivery.run.pr_number is not None and delivery.run.branch not in live.heads:
        raise PublishRefused("branch_not_found", f"the branch {delivery.run.branch} was deleted meanwhile")
    return live


async def _check_thread(outside: Outside, delivery: Delivery) -> None:
    run, repository = delivery.run, delivery.repository
    if run.pr_number is not None:
        pull = await outside.forge.pull_request(repository, run.pr_number)
        if pull.state != "open":
            raise PublishRefused("pr_not_found", f"pull request #{pull.number} was closed meanwhile")
    if run.issue_number is not None and not delivery.kind.on_closed_issue:
        issue = await outside.forge.issue(repository, run.issue_number)
        if not issue.open:
            raise PublishRefused("issue_closed", "the Issue was closed before the result could be published")


def _commit_spec(delivery: Delivery, bot: BotIdentity) -> CommitSpec:
    run, report = delivery.run, delivery.proposal.report
    role = delivery.policy.roles.get(run.role)
    title = " ".join(agents.inert(str(report.get("title") or run.kind)).split())
    summary = agents.inert(str(report.get("summary") or ""))
    assert run.base_sha is not None
    second = (delivery.merged_base_sha,) if delivery.merged_base_sha else ()
    return CommitSpec(
        tree_sha=str(delivery.proposal.tree_sha),
        parents=(run.base_sha, *second),
        author_name=role.name.of("en") if role else run.role,
        author_email=bot.commit_email,
        message=f"{title}\n\n{summary}\n\nStagewright-Run: {run.id}\n",
        at=delivery.proposal.proposed_at,
    )


async def _commit(outside: Outside, delivery: Delivery, spec: CommitSpec) -> str:
    """Write the commit where the check left the tree; without a quarantine here, open the stored bundle again."""
    attempt_id = delivery.proposal.attempt_id
    try:
        return await outside.git.commit(delivery.repository, attempt_id=attempt_id, spec=spec)
    except NotFound as missing:
        if missing.stable_code != QUARANTINE_MISSING:
            raise
    await outside.git.inspect(
        delivery.repository,
        attempt_id=attempt_id,
        base_sha=spec.parents[0],
        bundle=delivery.proposal.bundle or b"",
        merged_base_sha=delivery.merged_base_sha,
    )
    return await outside.git.commit(delivery.repository, attempt_id=attempt_id, spec=spec)


async def _merged(outside: Outside, delivery: Delivery, commit: str, remote: str, spec: CommitSpec) -> str | None:
    """Merge with what the remote branch has now and check the outcome again; None when it conflicts."""
    run, attempt_id = delivery.run, delivery.proposal.attempt_id
    merged = await outside.git.merge_onto(
        delivery.repository, attempt_id=attempt_id, commit=commit, onto=remote, spec=spec
    )
    if merged is None:
        return None
    inspection = await outside.git.examine(
        delivery.repository,
        attempt_id=attempt_id,
        base_sha=remote,
        commit=merged,
        merged_base_sha=delivery.merged_base_sha,
    )
    if inspection.problem is None and not inspection.changed:
        return remote  # all of ours is there already
    found = violations_of(outside, run, delivery.policy, dict(delivery.proposal.report), inspection)
    if found:
        first = worst(found)
        raise PublishRefused(first.code, f"after merging what others pushed: {first.message}")
    return merged
