"""Keep a link true to its pull request: whatever a person does with it on the forge is a fact."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from stagewright.contexts.runs import events
from stagewright.contexts.runs.model import Link, Run
from stagewright.contexts.runs.rules.frames import link_frame
from stagewright.contexts.runs.rules.links import OPEN_STATES, PullRequestFacts, state_after
from stagewright.contexts.runs.store import links as link_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases.label_moves import move_labels_of_link
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Tx

MOMENTS = {
    (True, "approved"): workflow.Moment.APPROVED,
    (True, "in_review"): workflow.Moment.REVIEW_DISMISSED,
    (True, "closed"): workflow.Moment.PULL_REQUEST_CLOSED,
    (True, "merged"): workflow.Moment.MERGED,
    (False, "merged"): workflow.Moment.MERGED,
}
"""What moves labels, by whether the link was open and by the state it comes to. A reopened one moves nothing."""


def seen_link(
    link: Link, *, labels: Sequence[str] = (), in_this_repository: bool = True, closes_issue: bool | None = None
) -> workflow.Link:
    """Return a link in the workflow's words; what no row of it says is as given."""
    return workflow.Link(
        stage=link.stage,
        branch=link.branch,
        state=link.state,
        in_this_repository=in_this_repository,
        pr_number=link.pr_number,
        head_sha=link.head_sha,
        labels=tuple(labels),
        closes_issue=closes_issue,
        merged_at=link.merged_at,
    )


async def follow_pull_request(
    tx: Tx, repository_id: UUID, number: int, facts: PullRequestFacts, *, now: datetime
) -> Link | None:
    """Write what is known of a pull request into its link, and journal a change. None: it has no link."""
    link = await link_rows.lock(tx, repository_id, number)
    if link is None:
        return None
    state = state_after(link.state, facts, published_at=link.published_at)
    if state in OPEN_STATES and link.state not in OPEN_STATES and await link_rows.has_other_open(tx, link):
        state = "superseded"  # another pull request took its place while it was closed
    head = facts.head_sha or link.head_sha
    foreign = not await link_rows.was_pushed_by_us(tx, link, head) if head != link.head_sha else link.foreign_push
    if (state, head, foreign) == (link.state, link.head_sha, link.foreign_push):
        return link
    saved = await set_and_tell(
        tx, link, state=state, head_sha=head, foreign_push=foreign, merged_at=facts.merged_at, now=now
    )
    if state != link.state and (moment := MOMENTS.get((link.state in OPEN_STATES, state))):
        await move_labels_of_link(tx, saved, moment, now=now)
    return saved


async def set_and_tell(
    tx: Tx,
    link: Link,
    *,
    state: str,
    head_sha: str,
    foreign_push: bool,
    now: datetime,
    merged_at: datetime | None = None,
) -> Link:
    """Write what became of the link, and journal it."""
    saved = await link_rows.set_followed(
        tx, link, state=state, head_sha=head_sha, foreign_push=foreign_push, merged_at=merged_at, now=now
    )
    run = await run_rows.get(tx, saved.last_run)
    tx.publish(
        events.PullRequestUpdated(
            run=run,
            extra={
                "repository_id": str(saved.repository_id),
                "issue_number": saved.issue_number,
                "branch": saved.branch,
                "pr_number": saved.pr_number,
                "pr_url": saved.url,
                "head_sha": saved.head_sha,
                "state": saved.state,
                "foreign_push": saved.foreign_push,
                "pull_request": link_frame(saved),
            },
        )
    )
    return saved


async def adopt_pull_request(
    tx: Tx,
    run: Run,
    *,
    number: int,
    stage: str,
    branch: str,
    base_branch: str,
    head_sha: str,
    url: str,
    now: datetime,
) -> None:
    """Link a pull request that the platform did not open to the run that begins to revise it; a link stays as it is."""
    values = {
        "repository_id": run.repository_id,
        "pr_number": number,
        "issue_number": run.issue_number,
        "stage": stage,
        "branch": branch,
        "base_branch": base_branch,
        "head_sha": head_sha,
        "url": url,
        "run_id": run.id,
        "now": now,
    }
    await link_rows.adopt(tx, values)
