"""A next step that a person takes with us: planned dry for the preview, carried out in one transaction (workflow 11.3).

Plan and execution are one function over the same rows and the same live thread, so a preview cannot promise anything
else than what the execution does.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from stagewright.contexts.intake import store
from stagewright.contexts.intake.errors import ThreadNotFound
from stagewright.contexts.intake.events import NextStepExecuted, NextStepRefused, StageEscalated
from stagewright.contexts.intake.model import LedgerRow
from stagewright.contexts.intake.usecases.deciding import reason_of, world_of
from stagewright.contexts.intake.usecases.starting import locale_of, run_request, start
from stagewright.contexts.intake.usecases.words import Occurrence, PullSeen, Seen
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.clock import Clock
from stagewright.kit.db import Reader, Tx
from stagewright.kit.errors import Refused

CHOSEN_BY_PERSON, LABELS_CHANGED = "variant_chosen", "labels_changed"
RETHINK = "rethink"
STARTS_NOTHING = frozenset({workflow.IgnoreReason.RUN_ALREADY_ACTIVE_SAME_LABEL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The step that is wanted: the label's key and the kind it starts, and where the link came from."""

    action_kind: str
    key: str
    kind: workflow.Kind
    variant: str
    issue: int
    pull_request: int | None = None
    source_run_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The pull request whose result a step forward accepts, and what happens to its labels."""

    number: int
    labels: workflow.LabelPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlan:
    """What a step does, before it is done. ``seen`` shows the thread with the labels it would have; ``request`` is the
    run it would start."""

    step: Step
    occurrence: Occurrence
    seen: Seen
    world: workflow.World
    decision: workflow.Decision
    labels: workflow.LabelPlan
    labels_hash: str
    before: workflow.StoredProfile | None
    after: workflow.StoredProfile | None
    accepts: Acceptance | None = None
    request: runs.RunRequest | None = None
    escalation_reasons: tuple[str, ...] = ()

    @property
    def escalated(self) -> bool:
        """Whether the person raises the Issue's profile with this step."""
        raised = self.after is not None and self.after.source is workflow.ProfileSource.ESCALATED
        return raised and (self.before is None or self.before.profile != getattr(self.after, "profile", None))


@dataclass(frozen=True, slots=True)
class Executed:
    """A step that was taken: the run that was asked for, and the acts on the forge that were reserved."""

    plan: StepPlan
    run: runs.Run
    effect_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A step that was not taken, and the reason's code."""

    plan: StepPlan
    reason: str


async def plan_step(reader: Reader, step: Step, occurrence: Occurrence, seen: Seen, *, now: datetime) -> StepPlan:
    """Decide about the step without writing anything. Raises ``StepUnknown`` for a variant that is none."""
    if seen.thread is None:
        raise ThreadNotFound(f"{seen.repository.full_name} has no thread #{occurrence.thread}")
    policy = seen.policy
    labels = workflow.plan_labels(step.key, step.kind, seen.thread.labels, policy)
    then = replace(seen, thread=replace(seen.thread, labels=labels.final))
    world = await world_of(reader, occurrence, then, now=now)
    before, refused = world.profile, None
    choice, reasons = await _choice(reader, step, seen)
    try:
        chosen = workflow.profile_of_step(before, choice, step.kind, policy)
    except workflow.ProfileDowngrade as error:
        chosen, refused = None, _downgrade(error, policy)
    world = replace(world, profile=chosen or before, handled_at=None, own_effect=False, accepted_result=True)
    decision = refused or _as_refusal(workflow.decide(occurrence.fact, world, policy), world)
    started = decision.request if isinstance(decision, workflow.Start) else None
    accepts = _accepts(step, seen, world)
    live = {occurrence.thread: seen.thread.labels}
    live |= {pull.number: pull.labels for pull in seen.pulls if accepts is not None and pull.number == accepts.number}
    request = None
    if started is not None:
        locale = await locale_of(reader, then)
        request = run_request(occurrence, then, started, locale=locale)
    return StepPlan(
        step=step,
        occurrence=occurrence,
        seen=then,
        world=world,
        decision=decision,
        labels=labels,
        labels_hash=workflow.labels_hash(live),
        before=before,
        after=started.profile if started is not None and started.issue is not None else before,
        accepts=accepts,
        request=request,
        escalation_reasons=reasons,
    )


async def execute_step(
    tx: Tx, step: Step, occurrence: Occurrence, seen: Seen, *, expected_hash: str, clock: Clock
) -> Executed | HeldBack:
    """Carry the step out, or return why it starts nothing: labels that changed come before every rule."""
    now = clock.now()
    await store.lock_thread(tx, seen.repository.id, occurrence.thread)
    plan = await plan_step(tx, step, occurrence, seen, now=now)
    if plan.labels_hash != expected_hash:
        return HeldBack(plan, LABELS_CHANGED)
    if not isinstance(plan.decision, workflow.Start):
        return HeldBack(plan, reason_against(plan) or workflow.StepReason.NOT_STARTED)
    await _check_key(tx, occurrence)
    run = await start(tx, occurrence, plan.seen, plan.decision.request, clock=clock)
    await store.add_ledger(tx, _ledger_row(plan, run), now=now)
    effects = await _move_labels(tx, plan, run, now=now)
    if plan.escalated and plan.decision.request.escalated_from is None:
        tx.publish(_escalated(plan, run))
    tx.publish(NextStepExecuted(**_facts(plan), run_id=run.id))
    return Executed(plan, run, tuple(effects))


def refuse_step(tx: Tx, held: HeldBack) -> None:
    """Journal that a step was refused."""
    tx.publish(NextStepRefused(**_facts(held.plan), reason=held.reason))


def reason_against(plan: StepPlan) -> str | None:
    """Return why the step starts nothing; None where it does."""
    if isinstance(plan.decision, workflow.Start):
        return None
    return reason_of(plan.decision) or workflow.StepReason.NOT_STARTED.value


async def _choice(reader: Reader, step: Step, seen: Seen) -> tuple[workflow.StepChoice, tuple[str, ...]]:
    """Return what the person chose, with the proposal of the source run's agent if it is this Issue's run."""
    repository_id = seen.repository.id
    newest = await runs.find_newest_success(reader, repository_id, step.issue)
    proposal = None
    if step.source_run_id is not None:
        source = await runs.find_run(reader, step.source_run_id)
        if source is not None and (source.repository_id, source.issue_number) == (repository_id, step.issue):
            proposal = await runs.proposed_path(reader, source.id)
    choice = workflow.StepChoice(
        target=step.key,
        variant=step.variant,
        escalation=proposal[0] if proposal is not None else None,
        after_rethink=newest is not None and newest.kind == RETHINK,
    )
    accepted = proposal is not None and step.variant == workflow.ACCEPT_ESCALATION
    return choice, proposal[1] if accepted and proposal is not None else (CHOSEN_BY_PERSON,)


def _downgrade(error: workflow.ProfileDowngrade, policy: workflow.Policy) -> workflow.Refuse:
    profile = str(error.params.get("profile", ""))
    params = {"profile": profile, "rethink": workflow.label_text("run:rethink", policy)}
    return workflow.Refuse(workflow.StepReason.PROFILE_DOWNGRADE, workflow.Remedy(params), comment=False)


def _as_refusal(decision: workflow.Decision, world: workflow.World) -> workflow.Decision:
    """A person who asks is answered: a second run of the kind that is active is refused, not passed over."""
    if not isinstance(decision, workflow.Ignore) or decision.reason not in STARTS_NOTHING:
        return decision
    run = world.review_run if world.thread is not None and world.thread.is_pull_request else world.active_work_run
    params = {"run": f"run-{run.number:04d}", "kind": run.kind} if run is not None else {}
    return workflow.Refuse(workflow.RefuseReason.RUN_ALREADY_ACTIVE, workflow.Remedy(params))


def _accepts(step: Step, seen: Seen, world: workflow.World) -> Acceptance | None:
    """Return the newest pull request of the Issue that is in review by its label: a step forward accepts it."""
    if step.kind.kind_class is not workflow.KindClass.FORWARD:
        return None
    for link in world.links:
        pull = seen.pull(link.pr_number)
        if link.is_open and pull is not None and _in_review(pull, seen):
            return Acceptance(number=pull.number, labels=workflow.plan_acceptance(pull.labels, seen.policy))
    return None


def _in_review(pull: PullSeen, seen: Seen) -> bool:
    return workflow.IN_REVIEW in workflow.label_keys(pull.labels, seen.policy)


async def _check_key(reader: Reader, occurrence: Occurrence) -> None:
    """Another person's request may have had the same key: its run is not this one's answer."""
    if await runs.find_by_correlation(reader, occurrence.correlation_id) is not None:
        raise Refused("this Idempotency-Key was used before: use a new key", code="idempotency.mismatch")


def _ledger_row(plan: StepPlan, run: runs.Run) -> LedgerRow:
    return LedgerRow(
        repository_id=plan.seen.repository.id,
        thread=plan.occurrence.thread,
        label=plan.step.key,
        occurred_at=plan.occurrence.fact.occurred_at,
        source=workflow.TriggerSource.CONSOLE,
        decision="start",
        reason=None,
        run_id=run.id,
        delivery_id=None,
    )


async def _move_labels(tx: Tx, plan: StepPlan, run: runs.Run, *, now: datetime) -> list[UUID]:
    text = workflow.label_text(plan.step.key, plan.seen.policy)
    # A label that is there may be about to go: what the run before it reserved is done before this.
    again = [text] if text in plan.labels.final and text not in plan.labels.added else []
    threads = [(plan.occurrence.thread, plan.labels, again)]
    if plan.accepts is not None:
        threads.append((plan.accepts.number, plan.accepts.labels, []))
    made: list[UUID] = []
    for thread, labels, more in threads:
        made += await runs.change_labels(
            tx,
            plan.seen.repository.id,
            thread,
            cause=plan.occurrence.correlation_id,
            add=[*labels.added, *more],
            remove=labels.removed,
            now=now,
            run_id=run.id,
        )
    return made


def _escalated(plan: StepPlan, run: runs.Run) -> StageEscalated:
    before = plan.before.profile if plan.before is not None else plan.seen.policy.profiles.default
    return StageEscalated(
        project_id=run.project_id,
        run_id=run.id,
        repository_id=run.repository_id,
        thread=plan.occurrence.thread,
        before=before,
        after=plan.after.profile if plan.after is not None else before,
        reasons=plan.escalation_reasons,
        trigger_label=workflow.label_text(plan.step.key, plan.seen.policy),
    )


def _facts(plan: StepPlan) -> dict[str, Any]:
    return {
        "project_id": plan.seen.repository.project_id,
        "repository_id": plan.seen.repository.id,
        "thread": plan.occurrence.thread,
        "action_kind": plan.step.action_kind,
        "target_label": plan.step.key,
        "variant": plan.step.variant,
        "removed_labels": plan.labels.removed,
        "added_labels": plan.labels.added,
    }
