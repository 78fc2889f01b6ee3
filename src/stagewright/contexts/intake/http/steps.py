"""The door to next steps: what may follow on a thread, a preview of one step, and its execution (workflow 11.3).

The forge is read before the transaction, with the repository's stored credential. Nothing is changed there: what the
step does with labels are acts that the worker carries out.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response

from stagewright.contexts.identity.api import Caller, Permission
from stagewright.contexts.intake.errors import ForgeUnreadable, LabelsChanged, StepDenied, StepRefused, ThreadNotFound
from stagewright.contexts.intake.http.step_shapes import (
    ExecuteForm,
    NextStepList,
    StepForm,
    StepPreview,
    StepResult,
    list_view,
    preview_view,
    result_view,
)
from stagewright.contexts.intake.usecases import Occurrence, Seen, follow_pulls
from stagewright.contexts.intake.usecases.offering import offered_steps
from stagewright.contexts.intake.usecases.stepping import (
    LABELS_CHANGED,
    HeldBack,
    Step,
    execute_step,
    plan_step,
    refuse_step,
)
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Database, Reader, Tx
from stagewright.kit.errors import FieldProblem, Invalid, LimitReached, StagewrightError, Unauthenticated, Unavailable
from stagewright.kit.http.once import Answer, KeyedOnce, Once
from stagewright.kit.http.routes import ClockDep, Db, Routes, caller
from stagewright.kit.journal import Actor

routes = Routes(tag="next-steps")
CallerDep = Annotated[Caller, Depends(caller)]
Name = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9._-]+$")]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Look = Callable[[projects.Repository, workflow.LabelEvent, workflow.Policy], Awaitable[Seen]]
FORGE = Actor("forge", "github")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the door needs beside the rows: the live reads before a decision."""

    look: Look


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.next_steps
    return parts


PartsDep = Annotated[Parts, Depends(_parts)]


@dataclass(frozen=True, slots=True)
class Asked:
    """A step that a person asks for, with what was read live."""

    step: Step
    occurrence: Occurrence
    seen: Seen


@routes.get("/issues/{owner}/{repo}/{number}/next-steps", Permission.PROJECT_VIEW)
async def list_next_steps(
    owner: Name,
    repo: Name,
    number: Number,
    me: CallerDep,
    db: Db,
    clock: ClockDep,
    pull_request: Annotated[bool, Query(description="the number is a pull request's")] = False,
) -> NextStepList:
    """List what a person may do next on an Issue or pull request, after the newest run that ended. The forge is not
    asked."""
    async with db.reading() as reader:
        repository = await _repository(reader, f"{owner}/{repo}", me)
        offered = await offered_steps(reader, repository, number, is_pull_request=pull_request)
    return list_view(offered, locale=me.user.locale, as_of=clock.now())


@routes.post("/next-steps/preview", Permission.RUN_START)
async def preview_next_step(form: StepForm, me: CallerDep, db: Db, clock: ClockDep, parts: PartsDep) -> StepPreview:
    """Show what a step would do to labels, profile and pull request, and which run it would start."""
    async with db.reading() as reader:
        repository = await _repository(reader, form.repository_full_name, me)
    asked = await _look(form, repository, me, db, clock, parts, correlation_id="console:preview")
    async with db.reading() as reader:
        plan = await plan_step(reader, asked.step, asked.occurrence, asked.seen, now=clock.now())
    return preview_view(plan, locale=me.user.locale)


@routes.post(
    "/next-steps/execute",
    Permission.RUN_START,
    keyed=True,
    status_code=202,
    response_model=StepResult,
)
async def execute_next_step(
    form: ExecuteForm, me: CallerDep, once: KeyedOnce, clock: ClockDep, parts: PartsDep
) -> Response:
    """Take the step as the preview showed it: the run is asked for, the worker moves the labels. 409 when they changed
    since the preview, another run is active, or the profile would be lowered; 422 with the reason of a rule."""
    db = once.parts.db
    async with db.reading() as reader:
        repository = await _repository(reader, form.repository_full_name, me)
    stored = await once.replay()
    if stored is not None:
        return stored
    asked = await _look(form, repository, me, db, clock, parts, correlation_id=f"console:{once.key}")

    async def act(tx: Tx) -> Answer:
        done = await execute_step(
            tx, asked.step, asked.occurrence, asked.seen, expected_hash=form.expected_labels_hash, clock=clock
        )
        if isinstance(done, HeldBack):
            raise _Refusal(done)
        return Answer(result_view(done, locale=me.user.locale), 202)

    try:
        answer = await once.run(act)
    except _Refusal as refusal:
        raise await _refused(once, refusal.held, me) from None
    db.ring()
    return answer


class _Refusal(Exception):
    """The step starts nothing: everything of its transaction is taken back."""

    def __init__(self, held: HeldBack) -> None:
        super().__init__()
        self.held = held


async def _refused(once: Once, held: HeldBack, me: Caller) -> StagewrightError:
    """Journal the refusal, and return what the door answers."""
    plan, reason = held.plan, held.reason
    async with once.parts.db.transaction(once.actor, correlation_id=once.correlation_id) as tx:
        refuse_step(tx, held)
    if reason == LABELS_CHANGED:
        return LabelsChanged("the labels changed since the preview: look at the step again")
    shown = preview_view(plan, locale=me.user.locale)
    told = workflow.step_refusal_text(reason, "en", shown.remedy_params)
    message = f"{told.reason} {told.remedy}"
    words = {"reason_text": shown.reason_text, "remedy_text": shown.remedy_text}
    params = {**shown.remedy_params, "reason": reason, **words}
    if reason == workflow.StepReason.PROFILE_DOWNGRADE:
        return workflow.ProfileDowngrade(message, **params)
    if reason == workflow.RefuseReason.RUN_ALREADY_ACTIVE:
        return runs.RunAlreadyActive(message, **params)
    if workflow.is_sender_reason(reason):
        return StepDenied(message, grantor="project_admin", **params)
    return StepRefused(message, **params)


async def _repository(reader: Reader, full_name: str, me: Caller) -> projects.Repository:
    """Return the bound repository with this name that the caller may act on; the object rule answers for others."""
    found = await projects.list_by_name(reader, full_name)
    hidden = projects.RepositoryNotFound(f"no repository {full_name} is bound: `stagewright repo add` binds it")
    visible = [item for item in found if me.projects is None or item.project_id in me.projects]
    if not visible:
        raise hidden
    me.admit(visible[0].project_id, hidden)
    return visible[0]


async def _look(
    form: StepForm,
    repository: projects.Repository,
    me: Caller,
    db: Database,
    clock: ClockDep,
    parts: Parts,
    *,
    correlation_id: str,
) -> Asked:
    """Read the thread, the person's standing and the pull requests as they are now; what they tell is kept."""
    async with db.reading() as reader:
        policy = await workflow.policy_in_force(reader, repository.id)
    key, kind = workflow.step_target(form.action_kind, form.target_label, policy)
    on_pull = form.action_kind == workflow.PULL_REQUEST_ACTION
    thread = form.pull_request_number if on_pull else form.issue_number
    if thread is None:
        problem = FieldProblem("/pull_request_number", "required", "name the pull request that gets the label")
        raise Invalid("this step acts on a pull request", problems=(problem,))
    fact = workflow.LabelEvent(
        event="pull_request" if on_pull else "issues",
        action="labeled",
        thread=thread,
        is_pull_request=on_pull,
        sender=workflow.Sender("User", me.user.github_login, me.user.github_user_id),
        occurred_at=clock.now(),
        source=workflow.TriggerSource.CONSOLE,
        label=workflow.label_text(key, policy),
    )
    seen = await _read(parts, repository, fact, policy)
    if seen.thread is None:
        raise ThreadNotFound(f"{repository.full_name} has no issue or pull request #{thread}")
    if seen.thread.is_pull_request is not on_pull:
        place = "/pull_request_number" if on_pull else "/issue_number"
        wanted = "a pull request" if on_pull else "an issue"
        problem = FieldProblem(place, "kind", f"#{thread} is not {wanted}: name {wanted}")
        raise Invalid("the step does not fit the thread", problems=(problem,))
    async with db.transaction(FORGE, correlation_id=correlation_id) as tx:
        await follow_pulls(tx, repository, seen.pulls, now=clock.now())
    step = Step(
        action_kind=form.action_kind,
        key=key,
        kind=kind,
        variant=form.display_variant,
        issue=form.issue_number,
        pull_request=form.pull_request_number,
        source_run_id=form.source_run_id,
    )
    occurrence = Occurrence(fact=fact, correlation_id=correlation_id, person=me.user.id)
    return Asked(step, occurrence, replace(seen, standing=_standing(me, repository.project_id, seen.standing)))


async def _read(
    parts: Parts, repository: projects.Repository, fact: workflow.LabelEvent, policy: workflow.Policy
) -> Seen:
    """Read from the forge. That its credential or limit does not let us is not the caller's fault."""
    try:
        return await parts.look(repository, fact, policy)
    except Unauthenticated as error:
        raise ForgeUnreadable("the forge refuses the repository's stored credential: replace it") from error
    except LimitReached as error:
        told = "the forge's limit for this repository is reached: try again later"
        raise ForgeUnreadable(told, retry_after=error.retry_after) from error
    except Unavailable as error:
        raise ForgeUnreadable(f"the forge does not answer: {error}", retry_after=error.retry_after) from error


def _standing(me: Caller, project_id: UUID, read: workflow.Standing) -> workflow.Standing:
    """Return what the caller may do by their own credential, with the forge's permission of a linked account."""
    role = me.principal.role_in(project_id)
    return workflow.Standing(
        platform_user=True,
        platform_role=me.user.role.value,
        project_role=role.value if role is not None else None,
        member=role is not None,
        may_start=me.may(Permission.RUN_START, project_id),
        forge_permission=read.forge_permission,
        signed_in=True,
    )
