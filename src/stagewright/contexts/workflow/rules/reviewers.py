"""``need:reviewer`` on a pull request: who reviews what, or why nobody does (``workflow.md`` 7.6 and 14)."""

from dataclasses import replace

from stagewright.contexts.workflow.model.decisions import (
    Decision,
    Ignore,
    LabelEvent,
    Link,
    Refuse,
    Remedy,
    Reviewed,
    Start,
    World,
)
from stagewright.contexts.workflow.model.keys import NEED_REVIEWER
from stagewright.contexts.workflow.model.policy import KindClass, Policy
from stagewright.contexts.workflow.model.reasons import IgnoreReason, RefuseReason
from stagewright.contexts.workflow.rules import cases
from stagewright.contexts.workflow.rules.cases import Case

LANE = "review"


def decide_reviewer(fact: LabelEvent, world: World, policy: Policy) -> Decision:
    """Decide what follows from ``need:reviewer`` that a permitted person put on a pull request just now."""
    pull, thread = world.reviewed, world.thread
    if pull is None or thread is None or not pull.open:
        return Refuse(RefuseReason.REVIEWER_TARGET_NOT_FOUND)
    if not pull.in_this_repository:
        return Refuse(RefuseReason.PULL_REQUEST_FROM_FORK, Remedy({"pull_request": f"#{fact.thread}"}))
    if world.review_run is not None:
        return Ignore(IgnoreReason.RUN_ALREADY_ACTIVE_SAME_LABEL)
    kind = next(row for row in policy.kinds.values() if row.kind_class is KindClass.REVIEW)
    target = replace(pull.link or _unlinked(fact.thread, pull), head_sha=pull.head_sha, labels=thread.labels)
    case = Case(fact, world, policy, NEED_REVIEWER, kind, thread, target=target)
    return cases.first_refusal(case, (_disabled, cases.gated, _agent)) or _start(case, pull, target)


def issue_of(pull: Reviewed) -> int | None:
    """Return the Issue a reviewer's run belongs to: the link's, else the only one the pull request closes."""
    named = pull.issues if pull.link is not None else pull.closes
    return named[0] if len(named) == 1 else None


def _disabled(case: Case) -> Decision | None:
    refusal = cases.disabled(case)
    return replace(refusal, suggested=()) if isinstance(refusal, Refuse) else refusal  # no stage stands in for it


def _agent(case: Case) -> Decision | None:
    """The pull request's model labels come first, then the Issue's (section 9)."""
    issue = case.world.reviewed.issue if case.world.reviewed is not None else None
    return cases.agent(replace(case, thread=issue or case.thread))


def _start(case: Case, pull: Reviewed, target: Link) -> Start:
    started = cases.start(case).request
    return Start(replace(started, lane=LANE, issue=issue_of(pull), target=target, ends_talk_run=None))


def _unlinked(number: int, pull: Reviewed) -> Link:
    """Return the pull request in the words of a link; a review writes none."""
    return Link(
        stage="",
        branch=pull.branch,
        state="in_review",
        in_this_repository=True,
        pr_number=number,
        head_sha=pull.head_sha,
    )
