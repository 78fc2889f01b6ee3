"""What ends with a thread, or with a label a person takes off it (``workflow.md`` section 7.3, rows *Cleanup*).

News may come late: what was asked for after an end does not end with it.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from stagewright.contexts.workflow.model.decisions import (
    ActiveRun,
    Cleanup,
    Decision,
    EndEvent,
    Ignore,
    LabelEvent,
    Link,
    World,
)
from stagewright.contexts.workflow.model.keys import DISCUSSION, NEED_REVIEWER
from stagewright.contexts.workflow.model.policy import Policy
from stagewright.contexts.workflow.model.reasons import IgnoreReason
from stagewright.contexts.workflow.rules.cases import CLOCK_SLACK
from stagewright.contexts.workflow.rules.guard import guard_cleanup, guard_sender
from stagewright.contexts.workflow.rules.matching import label_key

DISCUSSION_REMOVED = "discussion_label_removed"
LABEL_REMOVED, ISSUE_CLOSED, PULL_REQUEST_CLOSED = "label_removed", "issue_closed", "pull_request_closed"
MERGED = "merged"
CLOSED_BY_MERGE = timedelta(minutes=5)
"""How far the forge's closing of an Issue may lie from the merge that caused it."""


def end_of_thread(fact: EndEvent, world: World, policy: Policy) -> Decision:
    """Decide what ends with a closed, deleted or transferred thread."""
    number = fact.thread if fact.is_pull_request else None
    merged = any(_by_merge(link, fact, policy) for link in world.links)
    if guard_cleanup(fact.sender, world.standing, policy, merged=merged):
        return Ignore(IgnoreReason.CLEANUP_SENDER_NOT_PERMITTED)
    then = _as_of(fact.occurred_at, world)
    return _end_of_issue(then) if number is None else _end_of_pull_request(number, then)


def _by_merge(link: Link, fact: EndEvent, policy: Policy) -> bool:
    """Say whether the merge of ``link`` ended the thread: its own, or that of the Issue which it closes. An Issue that
    somebody closes long after an earlier merge is closed by that person."""
    if link.state != MERGED:
        return False
    if fact.is_pull_request:
        return link.pr_number == fact.thread
    stage = policy.stages.get(link.stage)
    closes = link.closes_issue if link.closes_issue is not None else stage is not None and stage.closes_issue
    return closes and link.merged_at is not None and abs(fact.occurred_at - link.merged_at) <= CLOSED_BY_MERGE


def abandoned(fact: LabelEvent, world: World) -> Decision:
    """Decide what ends when a person gives an issue up by ``state:abandoned``."""
    return _unless_stranger(fact, world, _end_of_issue(_as_of(fact.occurred_at, world)))


def label_removed(fact: LabelEvent, world: World, policy: Policy) -> Decision | None:
    """Decide what ends when a label is taken off: the active run that it triggered. None where it ends nothing."""
    key, world = label_key(fact.label, policy), _as_of(fact.occurred_at, world)
    if key == DISCUSSION and not fact.is_pull_request and world.talk_run is not None:
        return _unless_stranger(fact, world, Cleanup(LABEL_REMOVED, end_talk=DISCUSSION_REMOVED))
    run = world.review_run if fact.is_pull_request else world.active_work_run
    if run is None or key is None or key != (NEED_REVIEWER if fact.is_pull_request else run.label):
        return None
    return _unless_stranger(fact, world, Cleanup(LABEL_REMOVED, cancel=(run,)))


def _unless_stranger(fact: LabelEvent, world: World, cleanup: Cleanup) -> Decision:
    if guard_sender(fact.sender, world.standing):
        return Ignore(IgnoreReason.CLEANUP_SENDER_NOT_PERMITTED)
    return cleanup


def _as_of(moment: datetime, world: World) -> World:
    """Return the world without runs that were asked for after ``moment``, by the forge's clock."""
    return replace(
        world,
        active_work_run=_known_by(moment, world.active_work_run),
        talk_run=_known_by(moment, world.talk_run),
        review_run=_known_by(moment, world.review_run),
    )


def _known_by(moment: datetime, run: ActiveRun | None) -> ActiveRun | None:
    return None if run is not None and run.since is not None and run.since > moment + CLOCK_SLACK else run


def _end_of_issue(world: World) -> Cleanup:
    talk = ISSUE_CLOSED if world.talk_run is not None else None
    return Cleanup(ISSUE_CLOSED, cancel=_present(world.active_work_run), end_talk=talk, release_environments=True)


def _end_of_pull_request(number: int, world: World) -> Cleanup:
    """The issue's other work goes on: only what revises or reviews this pull request ends with it."""
    work = world.active_work_run
    revises = work if work is not None and work.pr_number == number else None
    return Cleanup(PULL_REQUEST_CLOSED, cancel=_present(world.review_run, revises), release_environments=True)


def _present(*runs: ActiveRun | None) -> tuple[ActiveRun, ...]:
    return tuple(run for run in runs if run is not None)
