"""A next step that a person takes: whether there is such a step, its labels, and the profile it puts the issue on
(``workflow.md`` sections 6 and 11.3). Pure: the forge and the rows were read before."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stagewright.contexts.workflow.errors import StepUnknown
from stagewright.contexts.workflow.model.decisions import StoredProfile
from stagewright.contexts.workflow.model.keys import APPROVED, IN_REVIEW, NEED_REVIEWER
from stagewright.contexts.workflow.model.policy import Jump, Kind, KindClass, Policy
from stagewright.contexts.workflow.rules.matching import label_key, label_text
from stagewright.contexts.workflow.rules.next_steps import ISSUE_ACTION, PULL_REQUEST_ACTION
from stagewright.contexts.workflow.rules.profiles import (
    profile_when_chosen,
    profile_when_escalated,
    profile_when_restarted,
    profiles_of_variant,
)
from stagewright.kit.errors import FieldProblem

ESCALATION = "accept_escalation"
PLAIN = frozenset({"", "revise", "retry", "reviewer"})


@dataclass(frozen=True, slots=True)
class StepChoice:
    """What a person chose. ``escalation`` is the profile that the source run's agent proposed; ``after_rethink``: a
    rethink is the newest thing that succeeded on the issue."""

    target: str
    variant: str
    escalation: str | None = None
    after_rethink: bool = False


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """Texts that a step takes off one thread and puts on it, and what stands there afterwards."""

    removed: tuple[str, ...]
    added: tuple[str, ...]
    final: tuple[str, ...]


def step_target(action_kind: str, target: str, policy: Policy) -> tuple[str, Kind]:
    """Return the label's key and the kind it starts. Raises StepUnknown for what is never a next step."""
    key = target if target in policy.catalogue else label_key(target, policy)
    if action_kind == PULL_REQUEST_ACTION and key == NEED_REVIEWER:
        kind = next((row for row in policy.kinds.values() if row.kind_class is KindClass.REVIEW), None)
        if kind is not None:
            return NEED_REVIEWER, kind
    elif action_kind == ISSUE_ACTION and key is not None and key in policy.triggers:
        kind = policy.kinds[policy.triggers[key]]
        if kind.kind_class is not KindClass.REPAIR:
            return key, kind
    elif action_kind not in (ISSUE_ACTION, PULL_REQUEST_ACTION):
        raise _unknown("/action_kind", f"use {ISSUE_ACTION} or {PULL_REQUEST_ACTION}")
    raise _unknown("/target_label", "use a label that `GET …/next-steps` offers, or a stage's trigger label")


def profile_of_step(
    stored: StoredProfile | None, choice: StepChoice, kind: Kind, policy: Policy
) -> StoredProfile | None:
    """Return the profile after the step; None where the step says nothing of it. Events 2, 3 and 4 of section 6.

    Raises ProfileDowngrade where the step would lower it without a rethink, StepUnknown where there is no such variant.
    """
    variant = choice.variant
    if variant == ESCALATION:
        if choice.escalation is None:
            raise _unknown("/display_variant", "the run named as the source proposed no longer path")
        _check_stage(kind, (choice.escalation,), policy)
        return profile_when_escalated(stored, choice.escalation, policy)
    if (jump := _jump(choice, policy)) is not None and jump.profile is not None:
        restarted = profile_when_restarted(jump.profile)
        return restarted if choice.after_rethink else profile_when_escalated(stored, jump.profile, policy)
    offered = profiles_of_variant(variant, policy)
    if offered:
        _check_stage(kind, offered, policy)
        return profile_when_chosen(stored, variant, policy)
    if jump is None and variant not in PLAIN and variant != choice.target.partition(":")[2].replace("-", "_"):
        raise _unknown("/display_variant", "use the variant of the link, or leave it out")
    return None


def plan_labels(target: str, kind: Kind, live: Sequence[str], policy: Policy) -> LabelPlan:
    """Return what the step does with the labels (texts) of the thread it acts on.

    On an issue every other trigger label goes; going forward accepts the result that is in review.
    """
    if target == NEED_REVIEWER:
        return _changed(live, (), (target,), policy)
    gone = [one for one in live if label_key(one, policy) in policy.triggers and label_key(one, policy) != target]
    accepted = kind.kind_class is KindClass.FORWARD and _has(live, IN_REVIEW, policy)
    return _changed(live, gone, (target, APPROVED) if accepted else (target,), policy, accepted=accepted)


def plan_acceptance(live: Sequence[str], policy: Policy) -> LabelPlan:
    """Return what acceptance does with the labels (texts) of the pull request that is accepted."""
    return _changed(live, (), (APPROVED,), policy, accepted=True)


def labels_hash(threads: Mapping[int, Iterable[str]]) -> str:
    """Return the hash by which an execution sees that labels changed since its preview, or that it is about another
    pull request by now: the labels by the number of their thread."""
    listed = [[number, sorted(label.casefold() for label in labels)] for number, labels in sorted(threads.items())]
    return hashlib.sha256(json.dumps(listed, ensure_ascii=False).encode()).hexdigest()


def _changed(
    live: Sequence[str],
    gone: Sequence[str],
    wanted: Sequence[str],
    policy: Policy,
    *,
    accepted: bool = False,
) -> LabelPlan:
    removed = [*gone, *(one for one in live if accepted and label_key(one, policy) == IN_REVIEW)]
    added = [label_text(key, policy) for key in wanted if not _has(live, key, policy)]
    kept = [one for one in live if one not in removed]
    return LabelPlan(tuple(removed), tuple(added), (*kept, *added))


def _has(live: Iterable[str], key: str, policy: Policy) -> bool:
    return any(label_key(one, policy) == key for one in live)


def _jump(choice: StepChoice, policy: Policy) -> Jump | None:
    jumps = (jump for row in policy.next_steps.values() for jump in row.jumps)
    return next((jump for jump in jumps if (jump.target, jump.variant) == (choice.target, choice.variant)), None)


def _check_stage(kind: Kind, profiles: tuple[str, ...], policy: Policy) -> None:
    if any(kind.stage not in policy.profiles.paths.get(profile, ()) for profile in profiles):
        raise _unknown("/display_variant", "the paths of this variant do not have the label's stage")


def _unknown(pointer: str, message: str) -> StepUnknown:
    return StepUnknown("there is no such next step", problems=(FieldProblem(pointer, "unknown", message),))
