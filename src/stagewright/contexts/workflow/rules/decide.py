"""What follows from a fact, given the world: `Start`, `Ignore`, `Refuse` or `Cleanup`. Pure; every row has a test.

Built here: labels on issues that start work, and rows of the event matrix that only name a reason. An event whose rule
is not built yet is ignored as ``event_not_used``; what it tells of threads and pull requests is stored all the same.
"""

from stagewright.contexts.workflow.model.decisions import Decision, Fact, Ignore, LabelEvent, OtherEvent, World
from stagewright.contexts.workflow.model.policy import LabelClass, Policy
from stagewright.contexts.workflow.model.reasons import IgnoreReason
from stagewright.contexts.workflow.rules.matching import is_trigger_text, label_key
from stagewright.contexts.workflow.rules.triggers import decide_trigger, refuse_unbound

ABANDONED, NEED_INPUT = "state:abandoned", "need:input"
RECORDED = frozenset({"installation", "installation_repositories", "repository", "label"})
PULL_REQUEST_RULES = frozenset({"closed", "labeled", "unlabeled"})
CLOSING = frozenset({"closed", "deleted", "transferred"})


def decide(fact: Fact, world: World, policy: Policy) -> Decision:
    """Decide what follows from ``fact``."""
    if early := _binding(fact, world, policy):
        return early
    if isinstance(fact, OtherEvent):
        return Ignore(_other(fact))
    return _label_event(fact, world, policy)


def _binding(fact: Fact, world: World, policy: Policy) -> Decision | None:
    about_repository = isinstance(fact, LabelEvent) or fact.names_repository
    if about_repository and not world.bound:
        if isinstance(fact, LabelEvent) and _asks_for_work(fact, policy):
            return refuse_unbound(world)
        if fact.event == "push":
            return Ignore(IgnoreReason.REPOSITORY_NOT_BOUND_FOR_PUSH_MAIN)
        return Ignore(IgnoreReason.REPOSITORY_NOT_BOUND)
    if about_repository and not world.enabled:
        return Ignore(IgnoreReason.REPOSITORY_DISABLED)
    return None if fact.repository_named_ok else Ignore(IgnoreReason.REPOSITORY_MISMATCH)


def _asks_for_work(fact: LabelEvent, policy: Policy) -> bool:
    on_issue = fact.event == "issues" and not fact.is_pull_request
    return on_issue and fact.action == "labeled" and is_trigger_text(fact.label, policy)


def _other(fact: OtherEvent) -> IgnoreReason:
    if fact.event == "ping":
        return IgnoreReason.PING
    if fact.event in RECORDED:
        return IgnoreReason.BINDING_RECORDED
    if fact.event == "issues" and fact.action not in CLOSING:
        return IgnoreReason.ISSUE_EVENT_NOT_TRIGGER_LABEL
    if fact.event == "pull_request" and fact.action not in PULL_REQUEST_RULES:
        return IgnoreReason.PULL_REQUEST_EVENT_RECORDED
    return IgnoreReason.EVENT_NOT_USED


def _label_event(fact: LabelEvent, world: World, policy: Policy) -> Decision:
    if world.own_effect:
        return Ignore(IgnoreReason.OWN_LABEL_CHANGE)
    if fact.event != "issues" or fact.is_pull_request:
        return Ignore(IgnoreReason.EVENT_NOT_USED)
    if _asks_for_work(fact, policy):
        return decide_trigger(fact, world, policy)
    later = _has_later_rule(fact, world, policy)
    return Ignore(IgnoreReason.EVENT_NOT_USED if later else IgnoreReason.ISSUE_EVENT_NOT_TRIGGER_LABEL)


def _has_later_rule(fact: LabelEvent, world: World, policy: Policy) -> bool:
    """Say whether the matrix has a row of its own for this label: discussion, abandoning, and what a removal ends."""
    key = label_key(fact.label, policy)
    definition = policy.catalogue.get(key or "")
    if definition is not None and definition.label_class is LabelClass.MODE:
        return True
    if fact.action == "labeled":
        return key == ABANDONED
    ends_active = world.active_work_run is not None and key is not None and world.active_work_run.label == key
    return ends_active or key == NEED_INPUT
