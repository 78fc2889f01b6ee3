"""What the door to next steps takes and answers."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from stagewright.contexts.intake.usecases.offering import Offered
from stagewright.contexts.intake.usecases.stepping import Executed, StepPlan, reason_against
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.http import RequestBody
from stagewright.kit.http.shapes import Id, Instant

ActionKind = Literal["issue_stage_transition", "pull_request_label_add"]
Group = Literal["retry", "revise", "forward", "jump", "reviewer", "side", "escalation"]


class StepForm(RequestBody):
    """A next step, as its deep link names it."""

    repository_full_name: str = Field(min_length=3, max_length=200, description="owner/name")
    issue_number: int = Field(ge=1, le=2**31 - 1)
    pull_request_number: int | None = Field(default=None, ge=1, le=2**31 - 1)
    action_kind: ActionKind
    target_label: str = Field(min_length=1, max_length=100, description="the label's key, such as run:dev")
    display_variant: str = Field(default="", max_length=100, description="the variant of the link; empty: none")
    source_run_id: UUID | None = None


class ExecuteForm(StepForm):
    """A next step as its preview showed it."""

    expected_labels_hash: str = Field(min_length=1, max_length=128, description="of the preview")


class LabelRef(BaseModel):
    """A label: its fixed key, and its text in this project."""

    key: str
    text: str


class ProfileView(BaseModel):
    """A launch profile, and how the issue came by it; `default` is provisional."""

    profile: str
    source: str


class StepRun(BaseModel):
    """The run that a step starts."""

    kind: str
    stage: str | None
    role: str
    mode: str
    env: str
    skipped_stages: list[str]


class StepPreview(BaseModel):
    """What a step does. Labels are texts of the thread it acts on; `accepts_pull_request` gets its own from in review
    to approved."""

    verdict: Literal["start", "refuse", "ignore"]
    reason: str | None
    reason_text: str | None
    remedy_text: str | None
    remedy_params: dict[str, str]
    conflicting_labels: list[str]
    suggested_labels: list[str]
    title: str
    action_kind: ActionKind
    target_label: LabelRef
    thread_number: int
    removed_labels: list[str]
    added_labels: list[str]
    final_labels: list[str]
    profile_before: ProfileView | None
    profile_after: ProfileView | None
    accepts_pull_request: int | None
    run: StepRun | None
    expected_labels_hash: str


class StepResult(StepPreview):
    """A step that was taken: the run it asked for, and the acts on the forge that were reserved."""

    run_id: Id
    run_number: str
    effect_ids: list[Id]


class StepRunRef(BaseModel):
    """A run beside the steps."""

    id: Id
    number: str
    kind: str
    stage: str | None
    status: str


class NextStepView(BaseModel):
    """One step a person may take: what it does in the reader's language, and the console's path that confirms it."""

    group: Group
    action_kind: ActionKind
    target_label: LabelRef
    variant: str
    title: str
    recommended: bool
    profile: str | None
    path: str | None


class NextStepList(BaseModel):
    """The next steps of a thread in their order, after the newest run that ended there."""

    repository_full_name: str
    issue_number: int | None
    pull_request_number: int | None
    profile: ProfileView | None
    source_run: StepRunRef | None
    active_run: StepRunRef | None
    items: list[NextStepView]
    next_cursor: None = None
    as_of: Instant


def preview_view(plan: StepPlan, *, locale: str) -> StepPreview:
    """Show a plan in the reader's language."""
    reason = reason_against(plan)
    decision, policy = plan.decision, plan.seen.policy
    params = dict(decision.remedy.params) if isinstance(decision, workflow.Refuse) else {}
    text = workflow.step_refusal_text(reason, locale, params) if reason is not None else None
    return StepPreview(
        verdict=_verdict(plan),
        reason=reason,
        reason_text=text.reason if text is not None else None,
        remedy_text=text.remedy if text is not None else None,
        remedy_params=params,
        conflicting_labels=list(getattr(decision, "conflicting", ())),
        suggested_labels=list(getattr(decision, "suggested", ())),
        title=_title(plan, locale),
        action_kind=_action(plan.step.action_kind),
        target_label=_label(plan.step.key, policy),
        thread_number=plan.occurrence.thread,
        removed_labels=list(plan.labels.removed),
        added_labels=list(plan.labels.added),
        final_labels=list(plan.labels.final),
        profile_before=_profile(plan.before),
        profile_after=_profile(plan.after),
        accepts_pull_request=plan.accepts.number if plan.accepts is not None else None,
        run=_run(plan),
        expected_labels_hash=plan.labels_hash,
    )


def result_view(executed: Executed, *, locale: str) -> StepResult:
    """Show a step that was taken."""
    return StepResult(
        **preview_view(executed.plan, locale=locale).model_dump(),
        run_id=str(executed.run.id),
        run_number=runs.shown_number(executed.run.number),
        effect_ids=[str(effect) for effect in executed.effect_ids],
    )


def list_view(offered: Offered, *, locale: str, as_of: datetime) -> NextStepList:
    """Show the steps of a thread in the reader's language."""
    return NextStepList(
        repository_full_name=offered.repository.full_name,
        issue_number=offered.issue,
        pull_request_number=offered.pull_request,
        profile=_profile(offered.profile),
        source_run=_run_ref(offered.source),
        active_run=_run_ref(offered.active),
        items=[_step(step, offered, locale) for step in offered.steps],
        as_of=as_of.isoformat(),
    )


def _step(step: workflow.NextStep, offered: Offered, locale: str) -> NextStepView:
    path = None
    if offered.issue is not None and offered.source is not None:
        path = workflow.deep_path(
            step,
            repository=offered.repository.full_name,
            issue=offered.issue,
            pull_request=offered.pull_request if step.action_kind == workflow.PULL_REQUEST_ACTION else None,
            run_id=str(offered.source.id),
        )
    return NextStepView(
        group=step.group.value,
        action_kind=_action(step.action_kind),
        target_label=_label(step.target, offered.policy),
        variant=step.variant,
        title=workflow.step_text(step, locale, offered.policy),
        recommended=step.recommended,
        profile=step.profile,
        path=path,
    )


def _verdict(plan: StepPlan) -> Literal["start", "refuse", "ignore"]:
    if isinstance(plan.decision, workflow.Start):
        return "start"
    return "refuse" if isinstance(plan.decision, workflow.Refuse) else "ignore"


def _action(kind: str) -> ActionKind:
    return "pull_request_label_add" if kind == workflow.PULL_REQUEST_ACTION else "issue_stage_transition"


def _title(plan: StepPlan, locale: str) -> str:
    kind, policy = plan.step.kind, plan.seen.policy
    return f"{kind.name.of(locale)}: {workflow.label_text(plan.step.key, policy)}"


def _label(key: str, policy: workflow.Policy) -> LabelRef:
    return LabelRef(key=key, text=workflow.label_text(key, policy))


def _profile(profile: workflow.StoredProfile | None) -> ProfileView | None:
    return ProfileView(profile=profile.profile, source=profile.source.value) if profile is not None else None


def _run(plan: StepPlan) -> StepRun | None:
    request = plan.request
    if request is None or not isinstance(plan.decision, workflow.Start):
        return None
    return StepRun(
        kind=request.kind,
        stage=request.stage,
        role=request.role,
        mode=request.mode,
        env=request.env,
        skipped_stages=list(plan.decision.request.skipped),
    )


def _run_ref(run: runs.Run | None) -> StepRunRef | None:
    if run is None:
        return None
    return StepRunRef(
        id=str(run.id), number=runs.shown_number(run.number), kind=run.kind, stage=run.stage, status=run.status.value
    )
