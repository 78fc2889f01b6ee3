"""A trigger label on an issue: the seventeen checks in order, the first failure decides (``workflow.md`` 7.4)."""

from datetime import timedelta

from stagewright.contexts.workflow.model.decisions import (
    Decision,
    Ignore,
    LabelEvent,
    Link,
    LiveThread,
    Refuse,
    Remedy,
    Sender,
    World,
)
from stagewright.contexts.workflow.model.policy import Kind, KindClass, Policy
from stagewright.contexts.workflow.model.reasons import IgnoreReason, RefuseReason
from stagewright.contexts.workflow.rules import cases
from stagewright.contexts.workflow.rules.cases import Case
from stagewright.contexts.workflow.rules.catalogue import stage_label
from stagewright.contexts.workflow.rules.guard import guard_sender
from stagewright.contexts.workflow.rules.matching import label_key, nearest_triggers, normalise, trigger_kind


def decide_trigger(fact: LabelEvent, world: World, policy: Policy) -> Decision:
    """Decide what follows from a trigger label put on an issue of a bound repository."""
    thread = world.thread
    if (early := not_now(fact, world, policy)) or thread is None:
        return early or Ignore(IgnoreReason.TRIGGER_LABEL_REMOVED)
    key = label_key(fact.label, policy)
    if key in policy.labels.reserved:
        return Ignore(IgnoreReason.RESERVED_LABEL)
    kind = trigger_kind(key, policy)
    if key is None or kind is None:
        near = nearest_triggers(fact.label, policy)
        return Refuse(RefuseReason.TRIGGER_LABEL_UNKNOWN, Remedy({"label": fact.label}), suggested=near)
    case = Case(fact, world, policy, key, kind, thread, target=target_of(kind, world))
    return cases.first_refusal(case, CHECKS) or cases.start(case)


def not_now(fact: LabelEvent, world: World, policy: Policy) -> Decision | None:
    """Rows 3 to 6, which every label that asks for something shares: handled, too old, gone again, by a stranger."""
    if stale := _stale(fact, world, policy):
        return Ignore(stale)
    if world.thread is None or not _still_there(fact.label, world.thread, policy):
        return Ignore(IgnoreReason.TRIGGER_LABEL_REMOVED)
    return refuse_sender(fact.sender, world)


def refuse_sender(sender: Sender, world: World) -> Refuse | None:
    """Row 6: refuse a sender who is not permitted, with what the comment tells."""
    if reason := guard_sender(sender, world.standing):
        return Refuse(reason, Remedy({"sender": sender.login or "?", "role": world.standing.project_role or ""}))
    return None


def refuse_unbound(world: World) -> Refuse:
    """Refuse a trigger in a repository nobody registered. A stranger hears nothing, and the label stays."""
    reason = RefuseReason.REPOSITORY_NOT_BOUND_FOR_ISSUE_LABEL
    return Refuse(reason, comment=world.standing.platform_user, remove_label=False)


def _stale(fact: LabelEvent, world: World, policy: Policy) -> IgnoreReason | None:
    if world.handled_at is not None and world.handled_at >= fact.occurred_at - cases.CLOCK_SLACK:
        return IgnoreReason.TRIGGER_ALREADY_HANDLED
    oldest = world.now - timedelta(hours=policy.clocks.trigger_max_age_hours)
    # The forge tells whole seconds: a label of the very second of the binding came after it.
    before_bound = world.bound_at is not None and fact.occurred_at < world.bound_at.replace(microsecond=0)
    return IgnoreReason.TRIGGER_TOO_OLD if before_bound or fact.occurred_at < oldest else None


def _still_there(label: str, thread: LiveThread, policy: Policy) -> bool:
    key = label_key(label, policy)
    return any(
        normalise(text) == normalise(label) or (key is not None and label_key(text, policy) == key)
        for text in thread.labels
    )


def target_of(kind: Kind, world: World) -> Link | None:
    """Return the issue's open, not superseded link of the kind's stage: the newest."""
    if kind.stage is None:
        return None
    return next((link for link in world.links if link.is_open and link.stage == kind.stage), None)


def _active(case: Case) -> Decision | None:
    run = case.world.active_work_run
    if run is not None and run.kind == case.kind.key:
        return Ignore(IgnoreReason.RUN_ALREADY_ACTIVE_SAME_LABEL)
    if run is None and case.kind.kind_class is KindClass.REPAIR:
        run = case.world.project_repair
    if run is None:
        return None
    label = case.text(run.label) if run.label else ""
    remedy = Remedy({"run": f"run-{run.number:04d}", "kind": run.kind, "label": label})
    return Refuse(RefuseReason.RUN_ALREADY_ACTIVE, remedy)


def _conflict(case: Case) -> Decision | None:
    found = {key: text for text in case.thread.labels if (key := label_key(text, case.policy)) in case.policy.triggers}
    if len(found) <= 1:
        return None
    conflicting = tuple(sorted(found.values()))
    return Refuse(RefuseReason.ISSUE_TRIGGER_LABEL_CONFLICT, conflicting=conflicting, remove_label=False)


def _open_result(case: Case) -> Decision | None:
    link = case.target
    if case.kind.kind_class not in (KindClass.FORWARD, KindClass.SIDE) or link is None or case.kind.stage is None:
        return None
    revise = stage_label(case.kind.stage, revise=True)
    suggested = (case.text(revise),) if revise in case.policy.triggers else ()
    return Refuse(
        RefuseReason.STAGE_PULL_REQUEST_OPEN, Remedy({"pull_request": f"#{link.pr_number}"}), suggested=suggested
    )


def _revise_target(case: Case) -> Decision | None:
    if not case.kind.revise or case.kind.stage is None:
        return None
    link = case.target
    if link is None:
        suggested = (case.text(stage_label(case.kind.stage)),)
        return Refuse(RefuseReason.REVISE_TARGET_NOT_FOUND, suggested=suggested)
    if not link.in_this_repository:
        return Refuse(RefuseReason.PULL_REQUEST_FROM_FORK, Remedy({"pull_request": f"#{link.pr_number}"}))
    return None


CHECKS: tuple[cases.Check, ...] = (
    cases.disabled,
    _active,
    _conflict,
    cases.closed,
    cases.gated,
    _open_result,
    _revise_target,
    cases.surroundings,
    cases.agent,
)
THREAD_CHECKS: tuple[cases.Check, ...] = tuple(check for check in CHECKS if check not in (cases.gated, cases.agent))
"""Those that the rows alone can answer, but for the gates, of which several may be shut."""
