"""What the run door answers. A frame's fields are those of the journal's events, so that both are equal."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from pydantic import BaseModel

from stagewright.contexts.identity.api import Caller, Permission
from stagewright.contexts.runs.errors import RunNotFound
from stagewright.contexts.runs.model import Attempt, AttemptStatus, FailureClass, Link, RunStatus, Wait, WaitKind
from stagewright.contexts.runs.rules.budget import is_for_attempts
from stagewright.contexts.runs.rules.cancelling import why_not_cancel
from stagewright.contexts.runs.rules.frames import attempt_frame, iso, link_frame, run_frame, shown_number, wait_frame
from stagewright.contexts.runs.rules.talking import is_report_question
from stagewright.contexts.runs.rules.waiting import what_answers_do
from stagewright.contexts.runs.views import RunRow, WaitRow, find_run
from stagewright.kit.db import Reader
from stagewright.kit.http.routes import caller
from stagewright.kit.http.shapes import AllowedAction, Id, Instant

CallerDep = Annotated[Caller, Depends(caller)]


class Trigger(BaseModel):
    """What started the run."""

    source: str
    label: str | None


class Requester(BaseModel):
    """Who asked for the run."""

    kind: str
    id: str


class WaitTarget(BaseModel):
    """What is waited for."""

    kind: str
    id: str


class WaitFrame(BaseModel):
    """What a run waits for, since when, who can act, until when. Waiting costs nothing."""

    id: Id
    run_id: Id
    kind: WaitKind
    target: WaitTarget
    approval_id: Id | None
    opened_at: Instant
    who_can_act: str
    deadline_at: Instant | None
    resume_at: Instant | None
    mark: str | None
    status: str
    resolution: str | None
    resolved_by: str | None
    resolved_at: Instant | None
    cost: int


class WaitView(WaitFrame):
    """A wait with its run, and what the caller may do about it. ``version`` is the run's: waits change with it."""

    run_number: str
    version: int
    project_id: Id
    allowed_actions: list[AllowedAction]

    @classmethod
    def of(cls, row: WaitRow, me: Caller) -> "WaitView":
        """Show ``row`` to ``me``."""
        return cls(
            **wait_frame(row.wait),
            run_number=shown_number(row.run_number),
            version=row.run_version,
            project_id=str(row.project_id),
            allowed_actions=[
                retry_action(row.wait.kind, row.wait.status, row.project_id, me),
                answer_action(row.wait, row.project_id, me),
                resolve_action(row.wait, row.project_id, me),
            ],
        )


class AnswerView(BaseModel):
    """One answer and what it does."""

    answer: str
    effect: str


class AskedWaitView(WaitView):
    """A wait with the answers it takes, and the question of the report if that is what it is for."""

    answers: list[AnswerView]
    question: str | None

    @classmethod
    def asked(cls, row: WaitRow, question: str | None, me: Caller) -> "AskedWaitView":
        """Show ``row`` of a run whose last report asks ``question`` to ``me``."""
        answers = what_answers_do(row.wait.kind, row.wait.target_kind)
        return cls(
            **WaitView.of(row, me).model_dump(),
            answers=[AnswerView(answer=answer, effect=effect) for answer, effect in answers],
            question=question if is_report_question(row.wait) else None,
        )


class LinkView(BaseModel):
    """The pull request of a run."""

    pr_number: int
    url: str
    state: str
    branch: str
    base_branch: str
    head_sha: str
    stage: str
    foreign_push: bool

    @classmethod
    def of(cls, link: Link) -> "LinkView":
        """Show ``link``."""
        return cls(**link_frame(link))


class AttemptView(BaseModel):
    """One try of a run in one workload."""

    id: Id
    run_id: Id
    generation: int
    reason: str
    status: AttemptStatus
    outcome: str | None
    code: str | None
    detail: str | None
    workload: str
    runner_version: str | None
    heartbeat_at: Instant | None
    suspect_since: Instant | None
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    reserved_at: Instant | None
    launched_at: Instant | None
    started_at: Instant | None
    ended_at: Instant | None

    @classmethod
    def of(cls, attempt: Attempt) -> "AttemptView":
        """Show ``attempt``."""
        return cls(**attempt_frame(attempt))


class RunFrame(BaseModel):
    """The part of a run that is equal for all readers and that its events carry."""

    id: Id
    number: str
    project_id: Id
    repository_id: Id
    lane: str
    subject: str
    issue_number: int | None
    pr_number: int | None
    stage: str | None
    kind: str
    role: str
    trigger: Trigger
    requested_by: Requester
    revises_run_id: Id | None
    launch_profile: str | None
    mode: str
    runtime_source: str
    env: str
    access_profile: str
    branch: str | None
    base_sha: str | None
    build_sha: str | None
    candidate_pr: int | None
    engine: str | None
    model: str | None
    model_source: str | None
    reasoning: str | None
    reasoning_source: str | None
    locale: str
    status: RunStatus
    failure_class: FailureClass | None
    code: str | None
    detail: str | None
    admission_reason: str | None
    finish_step: str | None
    version: int
    generation: int
    active_seconds: int
    clock_started_at: Instant | None
    limit_seconds: int
    notes: list[Any]
    created_at: Instant | None
    status_since: Instant | None
    admitted_at: Instant | None
    started_at: Instant | None
    finished_at: Instant | None
    wait: WaitFrame | None
    pull_request: LinkView | None


class RunView(RunFrame):
    """A run as lists show it: with names, meters and what the caller may do.

    ``requester_name``: the login of who asked for it, or the name of a person without one.
    """

    project: str
    repository: str
    requester_name: str
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    cost_micros: int | None
    allowed_actions: list[AllowedAction]


class RunDetail(RunView):
    """A run with its attempts and open waits."""

    correlation_id: str
    policy_hash: str
    status_comment_url: str | None
    attempts: list[AttemptView]
    waits: list[AskedWaitView]


def run_view(row: RunRow, me: Caller) -> RunView:
    """Show ``row`` to ``me``."""
    return RunView(**_fields(row, me))


def run_detail(
    row: RunRow, me: Caller, *, attempts: list[Attempt], waits: list[Wait], question: str | None, comment: str | None
) -> RunDetail:
    """Show ``row`` with everything its screen begins with; ``question`` is what its last report asks."""
    return RunDetail(
        **_fields(row, me),
        correlation_id=row.run.correlation_id,
        policy_hash=row.run.policy_hash,
        status_comment_url=comment,
        attempts=[AttemptView.of(item) for item in attempts],
        waits=[AskedWaitView.asked(wait_row(row, item), question, me) for item in waits],
    )


def wait_row(row: RunRow, wait: Wait) -> WaitRow:
    """Return a wait of ``row`` with its run."""
    return WaitRow(wait, row.run.number, row.run.version, row.run.project_id)


def _fields(row: RunRow, me: Caller) -> dict[str, Any]:
    run = row.run
    return {
        **run_frame(run),
        "project": row.project,
        "repository": row.repository,
        "requester_name": row.requester,
        "tokens_in": run.tokens_in,
        "tokens_cached": run.tokens_cached,
        "tokens_out": run.tokens_out,
        "cost_micros": run.cost_micros,
        "wait": WaitFrame(**wait_frame(row.wait)) if row.wait else None,
        "pull_request": LinkView.of(row.link) if row.link else None,
        "allowed_actions": run_actions(run.project_id, run.status, me),
    }


def run_actions(project_id: UUID, status: RunStatus, me: Caller) -> list[AllowedAction]:
    """Return what ``me`` may do with a run that is ``status``."""
    reason = why_not_cancel(status)
    if not me.may(Permission.RUN_CONTROL, project_id):
        reason = "permission_denied"
    return [AllowedAction(verb="cancel", mode="deny" if reason else "allow", reason_code=reason)]


def retry_action(kind: WaitKind, status: str, project_id: UUID, me: Caller) -> AllowedAction:
    """Return whether ``me`` may try again now what a wait of this kind and status waits for."""
    reason = None
    if not me.may(Permission.RUN_CONTROL, project_id):
        reason = "permission_denied"
    elif status != "open":
        reason = "wait_closed"
    elif kind is not WaitKind.RATE_LIMIT:
        reason = "wait_not_retryable"
    return AllowedAction(verb="retry", mode="deny" if reason else "allow", reason_code=reason)


def answer_action(wait: Wait, project_id: UUID, me: Caller) -> AllowedAction:
    """Return whether ``me`` may answer the question of a report that this wait is for."""
    reason = None
    if not me.may(Permission.RUN_START, project_id):
        reason = "permission_denied"
    elif wait.status != "open":
        reason = "wait_closed"
    elif not is_report_question(wait):
        reason = "wait_not_a_question"
    return AllowedAction(verb="answer", mode="deny" if reason else "allow", reason_code=reason)


def resolve_action(wait: Wait, project_id: UUID, me: Caller) -> AllowedAction:
    """Return whether ``me`` may choose what becomes of a run that waits for budget."""
    reason = None
    if not me.may(Permission.BUDGET_MANAGE, project_id):
        reason = "permission_denied"
    elif wait.status != "open":
        reason = "wait_closed"
    elif not is_for_attempts(wait):
        reason = "wait_not_for_budget"
    return AllowedAction(verb="resolve", mode="deny" if reason else "allow", reason_code=reason)


def run_not_found(run_id: UUID) -> RunNotFound:
    """Return the answer for a run that does not exist or that the caller may not see: the same."""
    return RunNotFound(f"there is no run {run_id}")


async def visible_run(reader: Reader, run_id: UUID, me: Caller) -> RunRow:
    """Return the run if ``me`` may see it and do what the route declares."""
    row = await find_run(reader, run_id)
    if row is None:
        raise run_not_found(run_id)
    me.admit(row.run.project_id, run_not_found(run_id))
    return row


def instant(at: datetime | None) -> str | None:
    """Return ``at`` as frames write it."""
    return iso(at)
