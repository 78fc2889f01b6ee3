"""Reviews: which stage one is about, and the revise that it asks for (``workflow.md`` section 10)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from stagewright.contexts.workflow.model.decisions import (
    Decision,
    Ignore,
    Link,
    LiveThread,
    Refuse,
    Remedy,
    Reviewed,
    ReviewEvent,
    World,
)
from stagewright.contexts.workflow.model.policy import Policy
from stagewright.contexts.workflow.model.reasons import IgnoreReason, RefuseReason
from stagewright.contexts.workflow.rules import cases
from stagewright.contexts.workflow.rules.catalogue import stage_label
from stagewright.contexts.workflow.rules.guard import guard_sender
from stagewright.contexts.workflow.rules.matching import label_keys, label_text

UNRESOLVED = frozenset(
    {
        RefuseReason.PULL_REQUEST_REVIEW_STAGE_AMBIGUOUS.value,
        RefuseReason.PULL_REQUEST_REVIEW_STAGE_NOT_RESOLVED.value,
    }
)
CHANGES_REQUESTED, APPROVED = "changes_requested", "approved"
IN_REVIEW = "in_review"


@dataclass(frozen=True, slots=True)
class Resolution:
    """Which stage a review is about and what told it. Without a stage: ``ambiguous`` names what contradicts itself
    (stages, or ``issue#N``); empty where nothing tells anything."""

    source: str
    stage: str | None = None
    ambiguous: tuple[str, ...] = ()


def decide_review(fact: ReviewEvent, world: World, policy: Policy) -> Decision:
    """Decide what follows from a review of a pull request.

    A stranger's review counts for nothing, an approving one neither: ``review_sender_not_permitted``. Who dismisses one
    needs no standing with us, since the forge lets only maintainers do it; but what has no link has no state that a
    dismissal could take back, so that one is ``pull_request_not_managed``.
    """
    if fact.action == "dismissed":
        return Ignore(_recorded(world))
    if fact.action != "submitted" or fact.state not in (CHANGES_REQUESTED, APPROVED):
        return Ignore(IgnoreReason.REVIEW_STATE_NOT_USED)
    if guard_sender(fact.sender, world.standing):
        return Ignore(IgnoreReason.REVIEW_SENDER_NOT_PERMITTED)
    if fact.state == APPROVED:
        return Ignore(_recorded(world))
    if world.reviewed is None or not is_managed(world.reviewed, world.thread, policy):
        return Ignore(IgnoreReason.PULL_REQUEST_NOT_MANAGED)
    if world.handled_at is not None and world.handled_at >= fact.occurred_at - cases.CLOCK_SLACK:
        return Ignore(IgnoreReason.TRIGGER_ALREADY_HANDLED)
    return _revise(fact, world, world.reviewed, policy)


def is_managed(pull: Reviewed, thread: LiveThread | None, policy: Policy) -> bool:
    """Say whether the pull request is ours to revise: by its link, a stage label on it, or an Issue with a run."""
    return pull.link is not None or pull.managed or bool(thread and _stages(thread.labels, policy))


def resolve_review_stage(world: World, policy: Policy) -> Resolution:
    """Find the stage a review of ``world.reviewed`` is about: the first source that says anything decides."""
    pull = world.reviewed
    if pull is None:
        return Resolution("stage_not_resolved")
    if found := _stages(world.thread.labels if world.thread is not None else (), policy):
        return _one("pr_labels", found)
    if pull.link is not None:
        return Resolution("pull_request_link", pull.link.stage)
    if len(pull.issues) > 1:
        return Resolution("run_context", ambiguous=tuple(f"issue#{number}" for number in pull.issues))
    if pull.issue is None:
        return Resolution("stage_not_resolved")
    if found := _stages(pull.issue.labels, policy):
        return _one("issue_labels", found)
    if pull.last_stage is not None:
        return Resolution("issue_history", pull.last_stage)
    return Resolution("stage_not_resolved")


def has_revise(stage: str, policy: Policy) -> bool:
    """Say whether the stage's result can be revised."""
    return stage_label(stage, revise=True) in policy.triggers


def _recorded(world: World) -> IgnoreReason:
    linked = world.reviewed is not None and world.reviewed.link is not None
    return IgnoreReason.REVIEW_RECORDED if linked else IgnoreReason.PULL_REQUEST_NOT_MANAGED


def _stages(labels: Iterable[str], policy: Policy) -> tuple[str, ...]:
    """Return the stages whose work or revise label is among ``labels``, in the policy's order."""
    keys = label_keys(labels, policy)
    return tuple(stage for stage in policy.stages if keys & {stage_label(stage), stage_label(stage, revise=True)})


def _one(source: str, stages: tuple[str, ...]) -> Resolution:
    return Resolution(source, stages[0]) if len(stages) == 1 else Resolution(source, ambiguous=stages)


def _revise(fact: ReviewEvent, world: World, pull: Reviewed, policy: Policy) -> Decision:
    found = resolve_review_stage(world, policy)
    key = stage_label(found.stage, revise=True) if found.stage is not None else ""
    kind = policy.kinds.get(policy.triggers.get(key, ""))
    if kind is None or world.thread is None:
        return _unresolved(found, policy)
    if world.active_work_run is not None:
        return Ignore(IgnoreReason.DEFERRED_ACTIVE_RUN)
    if not pull.open:
        return Refuse(RefuseReason.REVISE_TARGET_NOT_FOUND, remove_label=False)
    if not pull.in_this_repository:
        params = {"pull_request": f"#{fact.thread}"}
        return Refuse(RefuseReason.PULL_REQUEST_FROM_FORK, Remedy(params), remove_label=False)
    target = pull.link or _adopted(fact, pull, kind.stage or "")
    case = cases.Case(fact, world, policy, key, kind, pull.issue or world.thread, target=target)
    refusal = cases.first_refusal(case, CHECKS)
    return replace(refusal, remove_label=False) if isinstance(refusal, Refuse) else refusal or cases.start(case)


CHECKS: tuple[cases.Check, ...] = (cases.disabled, cases.closed, cases.gated, cases.surroundings, cases.agent)


def _unresolved(found: Resolution, policy: Policy) -> Refuse:
    """Nobody guesses: the person says which stage is meant."""
    if found.ambiguous:
        stages = [stage for stage in found.ambiguous if stage in policy.stages]
        suggested = _revise_labels(stages, policy)
        conflicting = tuple(label_text(stage_label(stage), policy) for stage in stages) or found.ambiguous
        reason = RefuseReason.PULL_REQUEST_REVIEW_STAGE_AMBIGUOUS
    else:
        suggested, conflicting = _revise_labels(policy.stages, policy), ()
        reason = RefuseReason.PULL_REQUEST_REVIEW_STAGE_NOT_RESOLVED
    return Refuse(reason, conflicting=conflicting, suggested=suggested, remove_label=False, add_need_input=True)


def _revise_labels(stages: Iterable[str], policy: Policy) -> tuple[str, ...]:
    keys = (stage_label(stage, revise=True) for stage in stages)
    return tuple(
        label_text(key, policy)
        for key in keys
        if (kind := policy.triggers.get(key)) is not None and policy.kinds[kind].enabled
    )


def _adopted(fact: ReviewEvent, pull: Reviewed, stage: str) -> Link:
    """Return the link that a pull request without one gets when its first revise starts."""
    return Link(
        stage=stage,
        branch=pull.branch,
        state=IN_REVIEW,
        in_this_repository=pull.in_this_repository,
        pr_number=fact.thread,
        head_sha=pull.head_sha,
    )
