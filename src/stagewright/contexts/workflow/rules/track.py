"""Where an Issue stands on its path: the state of every stage, from what became of its runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from stagewright.contexts.workflow.model.policy import Policy


class StageState(StrEnum):
    """What a stage is to its Issue now.

    ``done`` left a result, ``current`` is worked on, ``stopped`` failed or was cancelled without a result, ``next``
    follows, ``later`` follows after that, ``passed_over`` lies behind on the path without a result, ``skipped`` is
    not on the path.
    """

    DONE = "done"
    CURRENT = "current"
    STOPPED = "stopped"
    NEXT = "next"
    LATER = "later"
    PASSED_OVER = "passed_over"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class StageRuns:
    """What became of the runs of one stage: one is not over; one succeeded."""

    active: bool
    succeeded: bool


@dataclass(frozen=True, slots=True)
class TrackStage:
    """One stage of the track. ``on_path``: the Issue's profile contains it."""

    stage: str
    state: StageState
    on_path: bool


@dataclass(frozen=True, slots=True)
class Track:
    """The stages in order, and the stage to start now: the next one, or the one that stopped."""

    stages: tuple[TrackStage, ...]
    wanted: str | None


def stage_track(profile: str | None, runs: Mapping[str, StageRuns], policy: Policy) -> Track:
    """Return the track of an Issue: the stages of the full path, then others that ran.

    ``runs`` holds the stages that have one. Without a ``profile``, or with one that the policy does not have any
    more, the default path counts.
    """
    paths = policy.profiles.paths
    path = paths.get(profile or "", paths[policy.profiles.default])
    full = policy.profiles.full_path
    reached = max((index for index, stage in enumerate(path) if stage in runs), default=-1)
    followers = [stage for stage in path[reached + 1 :] if stage not in policy.stages or policy.stages[stage].enabled]
    following = followers[0] if followers else None
    last = path[reached] if reached >= 0 else None
    stopped = last is not None and _ran(runs[last]) is StageState.STOPPED
    shown = (*full, *(stage for stage in runs if stage not in full))
    stages = tuple(
        TrackStage(stage, _state(stage, runs, path, reached, None if stopped else following), stage in path)
        for stage in shown
    )
    return Track(stages, last if stopped else following)


def _ran(runs: StageRuns) -> StageState:
    if runs.active:
        return StageState.CURRENT
    return StageState.DONE if runs.succeeded else StageState.STOPPED


def _state(
    stage: str, runs: Mapping[str, StageRuns], path: tuple[str, ...], reached: int, following: str | None
) -> StageState:
    if stage in runs:
        return _ran(runs[stage])
    if stage not in path:
        return StageState.SKIPPED
    if stage == following:
        return StageState.NEXT
    return StageState.PASSED_OVER if path.index(stage) < reached else StageState.LATER
