"""What follows from a fact, given the world: `Start`, `Answer`, `Ignore`, `Refuse` or `Cleanup`. Every row has a test.

Pure. What is ignored is stored all the same, as far as it tells of threads and pull requests.
"""

from stagewright.contexts.workflow.model.decisions import (
    CommentEvent,
    Decision,
    EndEvent,
    Fact,
    Ignore,
    LabelEvent,
    OtherEvent,
    PushEvent,
    ReviewEvent,
    World,
)
from stagewright.contexts.workflow.model.keys import ABANDONED, DISCUSSION, NEED_REVIEWER
from stagewright.contexts.workflow.model.policy import Policy
from stagewright.contexts.workflow.model.reasons import IgnoreReason
from stagewright.contexts.workflow.rules import cleanups, discussing
from stagewright.contexts.workflow.rules.matching import is_trigger_text, label_key
from stagewright.contexts.workflow.rules.pushes import decide_push
from stagewright.contexts.workflow.rules.reviewers import decide_reviewer
from stagewright.contexts.workflow.rules.revising import decide_review
from stagewright.contexts.workflow.rules.triggers import decide_trigger, not_now, refuse_unbound

RECORDED = frozenset({"installation", "installation_repositories", "repository", "label"})
PULL_REQUEST_RULES = frozenset({"closed", "labeled", "unlabeled"})
CLOSING = frozenset({"closed", "deleted", "transferred"})


def decide(fact: Fact, world: World, policy: Policy) -> Decision:
    """Decide what follows from ``fact``."""
    if early := _binding(fact, world, policy):
        return early
    match fact:
        case OtherEvent():
            return Ignore(_other(fact))
        case EndEvent():
            return cleanups.end_of_thread(fact, world, policy)
        case PushEvent():
            return decide_push(fact, world, policy)
        case ReviewEvent():
            return decide_review(fact, world, policy)
        case CommentEvent():
            return discussing.decide_comment(fact, world, policy)
        case LabelEvent():
            return _label_event(fact, world, policy)


def _binding(fact: Fact, world: World, policy: Policy) -> Decision | None:
    about_repository = not isinstance(fact, OtherEvent) or fact.names_repository
    if about_repository and not world.bound:
        if isinstance(fact, LabelEvent) and (_asks_for_work(fact, policy) or asks_for_review(fact, policy)):
            return refuse_unbound(world)
        if fact.event == "push":
            return Ignore(IgnoreReason.REPOSITORY_NOT_BOUND_FOR_PUSH_MAIN)
        return Ignore(IgnoreReason.REPOSITORY_NOT_BOUND)
    if about_repository and not world.enabled:
        return Ignore(IgnoreReason.REPOSITORY_DISABLED)
    return None if fact.repository_named_ok else Ignore(IgnoreReason.REPOSITORY_MISMATCH)


def _asks_for_work(fact: LabelEvent, policy: Policy) -> bool:
    on_issue = fact.event == "issues" and not fact.is_pull_request
    wanted = is_trigger_text(fact.label, policy) or label_key(fact.label, policy) == DISCUSSION
    return on_issue and fact.action == "labeled" and wanted


def asks_for_review(fact: Fact, policy: Policy) -> bool:
    """Say whether ``fact`` is ``need:reviewer`` put on a pull request."""
    if not isinstance(fact, LabelEvent) or not fact.is_pull_request or fact.action != "labeled":
        return False
    return label_key(fact.label, policy) == NEED_REVIEWER


def _other(fact: OtherEvent) -> IgnoreReason:
    if fact.event == "ping":
        return IgnoreReason.PING
    if fact.event in RECORDED:
        return IgnoreReason.BINDING_RECORDED
    if fact.event == "issues" and fact.action not in CLOSING:
        return IgnoreReason.ISSUE_EVENT_NOT_TRIGGER_LABEL
    if fact.event == "issue_comment":
        return IgnoreReason.COMMENT_EVENT_NOT_USED
    if fact.event == "pull_request" and fact.action not in PULL_REQUEST_RULES:
        return IgnoreReason.PULL_REQUEST_EVENT_RECORDED
    return IgnoreReason.EVENT_NOT_USED


def _label_event(fact: LabelEvent, world: World, policy: Policy) -> Decision:
    if world.own_effect:
        return Ignore(IgnoreReason.OWN_LABEL_CHANGE)
    if fact.action == "unlabeled" and (ended := cleanups.label_removed(fact, world, policy)):
        return ended
    if fact.is_pull_request:
        return _on_pull_request(fact, world, policy)
    key = label_key(fact.label, policy)
    if _asks_for_work(fact, policy):
        return (discussing.decide_label if key == DISCUSSION else decide_trigger)(fact, world, policy)
    if fact.action == "labeled" and key == ABANDONED:
        return cleanups.abandoned(fact, world)
    answered = discussing.decide_answer(fact, world, policy) if fact.action == "unlabeled" else None
    return answered or Ignore(IgnoreReason.ISSUE_EVENT_NOT_TRIGGER_LABEL)


def _on_pull_request(fact: LabelEvent, world: World, policy: Policy) -> Decision:
    if asks_for_review(fact, policy):
        early = not_now(fact, world, policy)
        return early or decide_reviewer(fact, world, policy)
    if fact.action == "labeled" and label_key(fact.label, policy) in policy.triggers:
        return Ignore(IgnoreReason.STAGE_LABEL_ON_PULL_REQUEST)
    return Ignore(IgnoreReason.PULL_REQUEST_EVENT_RECORDED)
