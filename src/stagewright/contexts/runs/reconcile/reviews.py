"""Publish what a reviewer's run found: one review of type comment, posted once; nothing else leaves such a run."""

from collections.abc import Mapping

from stagewright.contexts.agents import api as agents
from stagewright.contexts.runs.reconcile.delivery import Delivery
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.rules import review
from stagewright.contexts.runs.rules.diff_lines import shown_lines
from stagewright.contexts.runs.usecases import publishing

LARGEST_DIFF = 8 * 1024 * 1024


async def reserve_review(outside: Outside, delivery: Delivery) -> None:
    """Write the review from the report and reserve the act."""
    run, public = delivery.run, outside.addresses.public_url
    facts = review.ReviewFacts(
        sha=run.base_sha or "",
        run_url=f"{public}/r/{run.number}" if public else None,
        model=run.model or "",
        shown=await _shown(outside, delivery),
        inert=agents.inert,
    )
    rendered = review.render_review(run, delivery.proposal.report, facts)
    async with outside.db.transaction(correlation_id=run.correlation_id) as tx:
        current = await publishing.set_step(tx, run.id, "review")
        if current is not None:
            await publishing.reserve_review(
                tx,
                current,
                body=outside.redact(rendered.body),
                whole=outside.redact(rendered.whole),
                remarks=[
                    {"path": one.path, "line": one.line, "body": outside.redact(one.body)} for one in rendered.remarks
                ],
                now=outside.clock.now(),
            )


async def _shown(outside: Outside, delivery: Delivery) -> Mapping[str, frozenset[int]]:
    """Return the lines of the pull request's diff, as it was read; a line past the largest diff goes into the text."""
    head, target = delivery.run.base_sha, delivery.run.world.target_sha
    if head is None or target is None:
        return {}
    diff = await outside.git.compare(delivery.repository, base_sha=target, head_sha=head, limit=LARGEST_DIFF)
    return shown_lines(diff)
