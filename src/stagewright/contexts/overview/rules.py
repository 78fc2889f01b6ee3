"""What a row asks of a person, why, and what each answer does. Values in, an inbox item out."""

from datetime import datetime, timedelta

from stagewright.contexts.incidents.api import Incident
from stagewright.contexts.overview.model import (
    FailedRow,
    InboxItem,
    InboxKind,
    Nothing,
    Place,
    ReviewRow,
    Snooze,
    WaitingRow,
)
from stagewright.contexts.runs.api import WaitKind, shown_number, what_answers_do, what_nothing_does

LONGEST_SNOOZE = timedelta(days=30)
DETAIL = 500
KINDS = {
    WaitKind.APPROVAL: InboxKind.APPROVAL,
    WaitKind.QUESTION: InboxKind.QUESTION,
    WaitKind.OWNER_REVIEW: InboxKind.OWNER_REVIEW,
    WaitKind.BUDGET: InboxKind.BUDGET,
}
"""Waits that a person ends; a rate limit ends by itself."""


def of_wait(row: WaitingRow) -> InboxItem:
    """Return the item of an open wait."""
    kind = WaitKind(row.kind)
    outcome = what_nothing_does(
        kind,
        row.target_kind,
        deadline_at=row.deadline_at,
        resume_at=row.resume_at,
        waiting_since=row.waiting_since,
    )
    params = {"target": row.target_id, "question": row.question, "mark": row.mark}
    return InboxItem(
        id=f"wait:{row.wait_id}",
        kind=KINDS[kind],
        asks=f"wait.{kind.value}",
        why=f"wait.target.{row.target_kind}",
        params={name: value for name, value in params.items() if value is not None},
        since=row.opened_at,
        answers=what_answers_do(kind, row.target_kind),
        if_nothing=Nothing(outcome.effect, outcome.code, outcome.at),
        place=_place(row),
        url=thread_url(row.web_url, row.issue_number, row.pr_number),
        wait_id=row.wait_id,
    )


def of_failed(row: FailedRow) -> InboxItem:
    """Return the item of a failed run: somebody mends the cause and starts it anew."""
    params = {"failure_class": row.failure_class, "detail": (row.detail or "")[:DETAIL] or None, "kind": row.kind}
    return InboxItem(
        id=f"run:{row.run_id}",
        kind=InboxKind.MANUAL_STEP,
        asks=f"run.failed.{row.failure_class}",
        why=row.code,
        params={name: value for name, value in params.items() if value is not None},
        since=row.finished_at,
        answers=(("start_again", "new_run"),),
        if_nothing=Nothing("nothing_happens"),
        place=_place(row),
        url=thread_url(row.web_url, row.issue_number, row.pr_number),
    )


def of_review(row: ReviewRow) -> InboxItem:
    """Return the item of a pull request in review."""
    return InboxItem(
        id=f"review:{row.repository_id}:{row.pr_number}",
        kind=InboxKind.REVIEW,
        asks="pull_request.review",
        why=f"stage.{row.stage}",
        since=row.since,
        answers=(("approve", "next_stage_can_start"), ("request_changes", "revise_run"), ("merge", "delivered")),
        if_nothing=Nothing("nothing_happens"),
        place=_place(row),
        url=row.url or None,
    )


def of_incident(item: Incident, project: str | None) -> InboxItem:
    """Return the item of an unviewed error."""
    return InboxItem(
        id=f"incident:{item.id}",
        kind=InboxKind.ERROR,
        asks="incident.look",
        why=item.code,
        params={"level": item.level.value, "message": item.message, "count": item.count, "source": item.source},
        since=item.reopened_at,
        answers=(("view", "dismissed_for_me"), ("mute", "hidden_for_everybody"), ("resolve", "closed")),
        if_nothing=Nothing("nothing_happens"),
        place=Place(project_id=item.project_id, project=project, run_id=item.run_id),
        incident_id=item.id,
    )


def _place(row: WaitingRow | FailedRow | ReviewRow) -> Place:
    return Place(
        row.project_id,
        row.project,
        row.repository,
        row.run_id,
        shown_number(row.number),
        row.stage,
        row.issue_number,
        row.pr_number,
    )


def thread_url(web_url: str, issue: int | None, pull_request: int | None) -> str | None:
    """Return the page of the thread at the forge, where people talk and set labels."""
    if issue is not None:
        return f"{web_url}/issues/{issue}"
    return f"{web_url}/pull/{pull_request}" if pull_request is not None else None


def is_snoozed(item: InboxItem, snooze: Snooze | None, now: datetime) -> bool:
    """Say whether the item is put aside: until the time is over, or it came up anew."""
    return snooze is not None and snooze.until > now and item.since <= snooze.snoozed_at
