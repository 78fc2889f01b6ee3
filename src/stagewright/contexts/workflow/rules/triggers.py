"""A trigger label on an issue: the seventeen checks in order, the first failure decides (``workflow.md`` 7.4)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from stagewright.contexts.workflow.model.decisions import (
    Decision,
    Ignore,
    LabelEvent,
    Link,
    LiveThread,
    Refuse,
    Remedy,
    Start,
    StartRequest,
    TriggerSource,
    World,
)
from stagewright.contexts.workflow.model.keys import RETHINK
from stagewright.contexts.workflow.model.outcomes import LaunchRefusal, ModelQuestion
from stagewright.contexts.workflow.model.policy import Kind, KindClass, Policy
from stagewright.contexts.workflow.model.reasons import IgnoreReason, RefuseReason
from stagewright.contexts.workflow.rules.catalogue import stage_label
from stagewright.contexts.workflow.rules.gates import GateHit, GateView, check_gates
from stagewright.contexts.workflow.rules.guard import guard_sender
from stagewright.contexts.workflow.rules.matching import (
    label_key,
    label_text,
    nearest_triggers,
    normalise,
    trigger_kind,
)
from stagewright.contexts.workflow.rules.models import resolve_model
from stagewright.contexts.workflow.rules.profiles import missing_stages, profile_at_trigger

CLOCK_SLACK = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Case:
    """One trigger on one live issue, once the label is known."""

    fact: LabelEvent
    world: World
    policy: Policy
    key: str
    kind: Kind
    thread: LiveThread

    def text(self, key: str) -> str:
        """Return the project's text of a label key."""
        return label_text(key, self.policy)


def decide_trigger(fact: LabelEvent, world: World, policy: Policy) -> Decision:
    """Decide what follows from a trigger label put on an issue of a bound repository."""
    thread = world.thread
    if stale := _stale(fact, world, policy):
        return Ignore(stale)
    if thread is None or not _still_there(fact.label, thread, policy):
        return Ignore(IgnoreReason.TRIGGER_LABEL_REMOVED)
    if reason := guard_sender(fact.sender, world.standing):
        return Refuse(reason, Remedy({"sender": fact.sender.login or "?", "role": world.standing.project_role or ""}))
    key = label_key(fact.label, policy)
    if key in policy.labels.reserved:
        return Ignore(IgnoreReason.RESERVED_LABEL)
    kind = trigger_kind(key, policy)
    if key is None or kind is None:
        near = nearest_triggers(fact.label, policy)
        return Refuse(RefuseReason.TRIGGER_LABEL_UNKNOWN, Remedy({"label": fact.label}), suggested=near)
    case = Case(fact, world, policy, key, kind, thread)
    for check in CHECKS:
        if verdict := check(case):
            return verdict
    return _start(case)


def refuse_unbound(world: World) -> Refuse:
    """Refuse a trigger in a repository nobody registered. A stranger hears nothing, and the label stays."""
    reason = RefuseReason.REPOSITORY_NOT_BOUND_FOR_ISSUE_LABEL
    return Refuse(reason, comment=world.standing.platform_user, remove_label=False)


def _stale(fact: LabelEvent, world: World, policy: Policy) -> IgnoreReason | None:
    if world.handled_at is not None and world.handled_at >= fact.occurred_at - CLOCK_SLACK:
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


def _disabled(case: Case) -> Decision | None:
    if case.kind.enabled:
        return None
    kinds = [case.policy.kinds[kind] for kind in case.policy.triggers.values()]
    enabled = tuple(case.text(kind.label) for kind in kinds if kind.enabled and not kind.revise and kind.label)
    return Refuse(RefuseReason.STAGE_DISABLED, Remedy({"label": case.text(case.key)}), suggested=enabled)


def _active(case: Case) -> Decision | None:
    run = case.world.active_work_run
    if run is None:
        return None
    if run.kind == case.kind.key:
        return Ignore(IgnoreReason.RUN_ALREADY_ACTIVE_SAME_LABEL)
    label = case.text(run.label) if run.label else ""
    remedy = Remedy({"run": f"run-{run.number:04d}", "kind": run.kind, "label": label})
    return Refuse(RefuseReason.RUN_ALREADY_ACTIVE, remedy)


def _conflict(case: Case) -> Decision | None:
    found = {key: text for text in case.thread.labels if (key := label_key(text, case.policy)) in case.policy.triggers}
    if len(found) <= 1:
        return None
    conflicting = tuple(sorted(found.values()))
    return Refuse(RefuseReason.ISSUE_TRIGGER_LABEL_CONFLICT, conflicting=conflicting, remove_label=False)


def _closed(case: Case) -> Decision | None:
    if case.thread.open or case.kind.on_closed_issue:
        return None
    return Refuse(RefuseReason.ISSUE_CLOSED, suggested=(case.text(RETHINK),))


def _gated(case: Case) -> Decision | None:
    world, kind = case.world, case.kind
    target = _target(case)
    profile = profile_at_trigger(world.profile, kind.stage, case.policy).profile
    skipped = missing_stages(kind.stage or "", profile, world.succeeded_stages, case.policy)
    view = GateView(
        labels=case.thread.labels,
        target_labels=target.labels if target is not None else (),
        platform_needs_input=world.platform_needs_input,
        accepted=world.accepted_result or case.fact.source == TriggerSource.CONSOLE,
        missing_stages=skipped,
    )
    hit = check_gates(kind, view, case.policy)
    return None if hit is None else _refuse_gate(case, hit)


def _refuse_gate(case: Case, hit: GateHit) -> Refuse:
    reviewed = next((link for link in case.world.links if link.is_open), None)
    roles = [case.policy.roles.get(key.removeprefix("need:")) for key in hit.labels]
    params = {
        "label": ", ".join(case.text(key) for key in hit.labels),
        "stages": ", ".join(hit.stages),
        "roles_en": ", ".join(role.name.en for role in roles if role is not None),
        "roles_ru": ", ".join(role.name.ru for role in roles if role is not None),
    }
    if reviewed is not None:
        params["pull_request"] = f"#{reviewed.pr_number}"
    suggested: tuple[str, ...] = ()
    if hit.reason in (RefuseReason.ISSUE_ABANDONED, RefuseReason.ISSUE_SUPERSEDED):
        suggested = (case.text(RETHINK),)
    elif hit.reason is RefuseReason.STAGE_PREREQUISITE_MISSING:
        suggested = tuple(case.text(stage_label(stage)) for stage in hit.stages)
    return Refuse(hit.reason, Remedy({key: value for key, value in params.items() if value}), suggested=suggested)


def _open_result(case: Case) -> Decision | None:
    link = _target(case)
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
    link = _target(case)
    if link is None:
        suggested = (case.text(stage_label(case.kind.stage)),)
        return Refuse(RefuseReason.REVISE_TARGET_NOT_FOUND, suggested=suggested)
    if not link.in_this_repository:
        return Refuse(RefuseReason.PULL_REQUEST_FROM_FORK, Remedy({"pull_request": f"#{link.pr_number}"}))
    return None


def _surroundings(case: Case) -> Decision | None:
    if case.kind.needs_candidate and _candidate(case) is None:
        builders = [stage for stage in case.policy.stages.values() if stage.scope == "any" and stage.enabled]
        keys = [stage_label(stage.key, revise=flag) for stage in builders for flag in (False, True)]
        suggested = tuple(case.text(key) for key in keys if key in case.policy.triggers)
        return Refuse(RefuseReason.ISSUE_TRIGGER_CANDIDATE_NOT_FOUND, suggested=suggested, add_need_input=True)
    if case.kind.environment_required and not case.world.environment_declared:
        return Refuse(RefuseReason.ENVIRONMENT_NOT_DECLARED, Remedy({"env": case.kind.env.value}))
    return None


def _agent(case: Case) -> Decision | None:
    """Refuse when the engine of the run's model cannot work. Wrong model labels are the launch's to report."""
    target = _target(case)
    question = ModelQuestion(
        kind=case.kind.key,
        pr_labels=target.labels if target is not None else (),
        issue_labels=case.thread.labels,
        engines_available=case.world.engines_available,
    )
    choice = resolve_model(question, case.policy)
    if isinstance(choice, LaunchRefusal) and choice.code == RefuseReason.AGENT_NOT_CONFIGURED:
        return Refuse(RefuseReason.AGENT_NOT_CONFIGURED, Remedy(choice.params))
    return None


CHECKS: tuple[Callable[[Case], Decision | None], ...] = (
    _disabled,
    _active,
    _conflict,
    _closed,
    _gated,
    _open_result,
    _revise_target,
    _surroundings,
    _agent,
)


def _start(case: Case) -> Start:
    world, kind, policy = case.world, case.kind, case.policy
    profile = profile_at_trigger(world.profile, kind.stage, policy)
    raised = world.profile is not None and profile.profile != world.profile.profile
    skipped = missing_stages(kind.stage or "", profile.profile, world.succeeded_stages, policy)
    advised = kind.kind_class is KindClass.FORWARD and policy.gates.stage_order == "advise"
    return Start(
        StartRequest(
            kind=kind.key,
            kind_class=kind.kind_class,
            stage=kind.stage,
            role=kind.role,
            label_key=case.key,
            revise=kind.revise,
            scope=kind.scope,
            mode=kind.mode,
            limit_minutes=kind.limit_minutes,
            profile=profile,
            escalated_from=world.profile.profile if raised and world.profile is not None else None,
            skipped=skipped if advised else (),
            target=_target(case) if kind.revise else None,
            candidate=_candidate(case) if kind.needs_candidate else None,
            ends_talk_run=world.talk_run.id if world.talk_run is not None else None,
        )
    )


def _target(case: Case) -> Link | None:
    """Return the issue's open, not superseded link of the kind's stage: the newest."""
    if case.kind.stage is None:
        return None
    return next((link for link in case.world.links if link.is_open and link.stage == case.kind.stage), None)


def _candidate(case: Case) -> Link | None:
    """Return the newest open, not superseded link whose stage may change every path; it has a head SHA."""
    for link in case.world.links:
        stage = case.policy.stages.get(link.stage)
        builds = link.scope_any if link.scope_any is not None else stage is not None and stage.scope == "any"
        if link.is_open and builds and link.head_sha:
            return link
    return None
