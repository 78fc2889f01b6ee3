"""Reviews: what a pull request belongs to, and what its review means for the Issue (workflow, section 10)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from stagewright.contexts.intake.events import ReviewReceived, StageAmbiguous, StageResolved
from stagewright.contexts.intake.usecases.words import Occurrence, PullSeen, Seen
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Reader, Tx

CHANGES_REQUESTED = "changes_requested"


async def issues_of_pull(reader: Reader, repository_id: UUID, number: int, closes: Sequence[int]) -> tuple[int, ...]:
    """Return the Issues a pull request belongs to: its link's, else those its text closes and runs worked on it for."""
    link = await runs.find_link(reader, repository_id, number)
    if link is not None:
        return (link.issue_number,) if link.issue_number is not None else ()
    worked = await runs.issues_of_pull_request(reader, repository_id, number)
    return tuple(sorted({*closes, *worked}))


async def reviewed(reader: Reader, occurrence: Occurrence, seen: Seen) -> workflow.Reviewed | None:
    """Return the pull request of a review, given or asked for, with what is known of it; None: it cannot be read."""
    pull, repository_id = seen.pull(occurrence.thread), seen.repository.id
    if pull is None:
        return None
    link = await runs.find_link(reader, repository_id, pull.number)
    issues = await issues_of_pull(reader, repository_id, pull.number, pull.closes)
    done = [stage for issue in issues for stage in await runs.finished_stages(reader, repository_id, issue)]
    return workflow.Reviewed(
        open=pull.facts.open,
        in_this_repository=pull.in_repository,
        branch=pull.branch,
        head_sha=pull.facts.head_sha or "",
        link=seen_link(link, pull) if link is not None else None,
        issues=issues,
        managed=bool(issues) and await runs.have_runs(reader, repository_id, issues),
        issue=seen.issue,
        closes=pull.closes,
        last_stage=next((stage for stage in done if workflow.has_revise(stage, seen.policy)), None),
    )


def seen_link(link: runs.Link, pull: PullSeen | None) -> workflow.Link:
    """Return a link in the workflow's words, with what was read of its pull request just now, if it was."""
    if pull is None:
        return runs.seen_link(link)
    closes = True if link.issue_number in pull.closes else None
    return runs.seen_link(link, labels=pull.labels, in_this_repository=pull.in_repository, closes_issue=closes)


def tell_review(tx: Tx, occurrence: Occurrence, seen: Seen, world: workflow.World, decision: workflow.Decision) -> None:
    """Journal a request for changes, and which stage it was found to be about."""
    if not isinstance(occurrence.fact, workflow.ReviewEvent) or occurrence.fact.state != CHANGES_REQUESTED:
        return
    if occurrence.fact.action != "submitted":
        return
    found = workflow.resolve_review_stage(world, seen.policy)
    label = workflow.stage_label(found.stage, revise=True) if found.stage is not None else None
    body: dict[str, Any] = {
        "project_id": seen.repository.project_id,
        "repository_id": seen.repository.id,
        "repository": seen.repository.full_name,
        "pr": occurrence.thread,
        "issue": world.reviewed.issue.number if world.reviewed is not None and world.reviewed.issue else None,
        "resolver_source": found.source,
        "trigger_label": label,
        "trigger_kind": workflow.stage_kind(found.stage, revise=True) if found.stage is not None else None,
        "reason": str(getattr(decision, "reason", "")) or None,
        "conflicting_labels": getattr(decision, "conflicting", ()),
        "suggested_labels": getattr(decision, "suggested", ()),
    }
    tx.publish(ReviewReceived(**body))
    if isinstance(decision, workflow.Start):
        tx.publish(StageResolved(**body))
    elif isinstance(decision, workflow.Refuse) and decision.reason in workflow.UNRESOLVED:
        tx.publish(StageAmbiguous(**body))
