"""Reserve opening or updating the pull request of a pushed branch."""

from stagewright.contexts.agents import api as agents
from stagewright.contexts.runs.reconcile.delivery import Delivery, PublishRefused
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.rules import pull_request
from stagewright.contexts.runs.rules.texts import run_name
from stagewright.contexts.runs.usecases import publishing
from stagewright.contexts.workflow import api as workflow


async def reserve_pull_request(outside: Outside, delivery: Delivery) -> None:
    """Write title and body from the report and reserve the act; a revise keeps the title and a person's words."""
    run, report, repository = delivery.run, delivery.proposal.report, delivery.repository
    facts = _facts(outside, delivery)
    body = pull_request.render_body(run, report, facts)
    if run.pr_number is not None:
        live = await outside.forge.pull_request(repository, run.pr_number)
        if live.state != "open":
            raise PublishRefused("pr_not_found", "the pull request was closed meanwhile")
        base, body = live.base_branch, pull_request.revise_body(live.body, run, report, facts)
    else:
        base = await outside.forge.default_branch(repository)
    title = workflow.pull_request_title(
        delivery.policy,
        run.kind,
        issue=run.issue_number,
        report_title=agents.inert(str(report.get("title") or run.kind)),
    )
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        current = await publishing.set_step(tx, run.id, "pull_request")
        if current is not None:
            await publishing.reserve_pull_request(
                tx,
                current,
                title=outside.redact(title),
                body=outside.redact(body),
                branch=str(run.branch),
                base=base,
                draft=delivery.policy.pull_request.draft == "always",
                now=outside.clock.now(),
            )


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
