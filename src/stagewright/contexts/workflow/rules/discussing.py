"""Discussions and answers: the label, the comments, and a question put down (``workflow.md`` 7.5, 13)."""

from dataclasses import replace
from datetime import timedelta

from stagewright.contexts.workflow.model.decisions import (
    Answer,
    CommentEvent,
    Decision,
    Ignore,
    LabelEvent,
    LiveThread,
    Refuse,
    Remedy,
    Start,
    World,
)
from stagewright.contexts.workflow.model.keys import DISCUSSION, NEED_INPUT
from stagewright.contexts.workflow.model.policy import LabelClass, Policy
from stagewright.contexts.workflow.model.reasons import IgnoreReason, RefuseReason
from stagewright.contexts.workflow.rules import cases
from stagewright.contexts.workflow.rules.cases import Case
from stagewright.contexts.workflow.rules.guard import guard_sender
from stagewright.contexts.workflow.rules.matching import label_key, label_keys
from stagewright.contexts.workflow.rules.triggers import not_now, refuse_sender

KIND, LANE, DEFAULT_ROLE = "discussion", "talk", "dev"
FORGE_SECOND = timedelta(seconds=1)


def decide_label(fact: LabelEvent, world: World, policy: Policy) -> Decision:
    """Decide what follows from the discussion's label put on an issue of a bound repository."""
    if early := not_now(fact, world, policy):
        return early
    case = _case(fact, world, policy)
    return cases.first_refusal(case, (_conflict, _talks_already, *CHECKS)) or _start(case)


def decide_comment(fact: CommentEvent, world: World, policy: Policy) -> Decision:
    """Decide what follows from a comment: it starts the discussion that its issue is in, or joins it."""
    if fact.action != "created":
        return Ignore(IgnoreReason.COMMENT_EVENT_NOT_USED)
    if fact.is_pull_request:
        return Ignore(IgnoreReason.COMMENT_ON_PULL_REQUEST)
    if world.own_effect:
        return Ignore(IgnoreReason.OWN_COMMENT)
    thread = world.thread
    if thread is None or not thread.open or DISCUSSION not in label_keys(thread.labels, policy):
        return Ignore(IgnoreReason.DISCUSSION_NOT_ENABLED)
    if guard_sender(fact.sender, world.standing):
        return Ignore(IgnoreReason.COMMENT_SENDER_NOT_PERMITTED)
    if world.handled_at is not None:
        return Ignore(IgnoreReason.TRIGGER_ALREADY_HANDLED)
    case = _case(fact, world, policy)
    return cases.first_refusal(case, (_conflict, *CHECKS)) or _start(case)


def decide_answer(fact: LabelEvent, world: World, policy: Policy) -> Decision | None:
    """Decide what follows when ``need:input`` is taken off an issue: the run that waits for it goes on. None where it
    is another label, none waits, or the label went before the question that is open now was asked."""
    question, thread = world.question, world.thread
    if question is None or label_key(fact.label, policy) != NEED_INPUT:
        return None
    if world.handled_at is not None and world.handled_at >= fact.occurred_at - cases.CLOCK_SLACK:
        return Ignore(IgnoreReason.TRIGGER_ALREADY_HANDLED)
    if fact.occurred_at < question.asked_at - FORGE_SECOND:
        return None
    if thread is not None and NEED_INPUT in label_keys(thread.labels, policy):
        return None
    if refused := refuse_sender(fact.sender, world):
        return replace(refused, remove_label=False)
    return Answer(question)


def talk_role(thread: LiveThread, last_stage: str | None, policy: Policy) -> str:
    """Return the role that talks: the only one the issue needs, else that of its last finished stage, else the
    policy's for discussions."""
    catalogue = policy.labels.catalogue
    needs = [key for key in label_keys(thread.labels, policy) if key in catalogue and key != NEED_INPUT]
    asked = {key.removeprefix("need:") for key in needs if catalogue[key].label_class is LabelClass.NEED}
    asked &= policy.roles.keys()
    if len(asked) == 1:
        return asked.pop()
    stage = policy.stages.get(last_stage or "")
    return stage.role if stage is not None else policy.special[KIND].default_role or DEFAULT_ROLE


def _case(fact: LabelEvent | CommentEvent, world: World, policy: Policy) -> Case:
    assert world.thread is not None
    return Case(fact, world, policy, DISCUSSION, policy.kinds[KIND], world.thread)


def _start(case: Case) -> Start:
    role = talk_role(case.thread, case.world.last_stage, case.policy)
    return Start(replace(cases.start(case).request, role=role, lane=LANE, ends_talk_run=None))


def _conflict(case: Case) -> Decision | None:
    run = case.world.active_work_run
    found = {text for text in case.thread.labels if label_key(text, case.policy) in case.policy.triggers}
    if run is None and not found:
        return None
    labels = tuple(sorted(found))
    named = f"run-{run.number:04d}" if run is not None else "-"
    reason = RefuseReason.DISCUSSION_MODE_TRIGGER_LABEL_CONFLICT
    return Refuse(reason, Remedy({"run": named}), conflicting=labels)


def _talks_already(case: Case) -> Decision | None:
    """The label alone says nothing new to a discussion that goes on; a comment joins it."""
    return None if case.world.talk_run is None else Ignore(IgnoreReason.RUN_ALREADY_ACTIVE_SAME_LABEL)


CHECKS: tuple[cases.Check, ...] = (cases.disabled, cases.closed, cases.gated, cases.agent)
