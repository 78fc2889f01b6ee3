"""Words of runs: run, attempt, wait, effect, link, proposal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

RunId = NewType("RunId", UUID)
AttemptId = NewType("AttemptId", UUID)
WaitId = NewType("WaitId", UUID)
EffectId = NewType("EffectId", UUID)


class RunStatus(StrEnum):
    """Where a run is; the table of moves is in ``rules/transitions``."""

    QUEUED = "queued"
    PREPARING = "preparing"
    RUNNING = "running"
    WAITING = "waiting"
    FINISHING = "finishing"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """Say whether nothing follows."""
        return self in TERMINAL


TERMINAL = frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED})


class FailureClass(StrEnum):
    """Who can mend a failed run."""

    PRECONDITION = "precondition"
    POLICY = "policy"
    INFRASTRUCTURE = "infrastructure"
    AGENT = "agent"
    TIMEOUT = "timeout"
    BUDGET = "budget"


class AttemptStatus(StrEnum):
    """Where an attempt is. At most one attempt of a run is not ended."""

    RESERVED = "reserved"
    LAUNCHING = "launching"
    LIVE = "live"
    DRAINING = "draining"
    ENDED = "ended"


class WaitKind(StrEnum):
    """What a run can wait for."""

    APPROVAL = "approval"
    QUESTION = "question"
    OWNER_REVIEW = "owner_review"
    RATE_LIMIT = "rate_limit"
    BUDGET = "budget"


class EffectStatus(StrEnum):
    """Where an act on the forge is: ``unknown`` is settled only by reading."""

    RESERVED = "reserved"
    SUBMITTED = "submitted"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWorld:
    """What the decision and the launches learned, kept for the steps after them; one JSON column of the run.

    ``attempt_reason`` is the next attempt's; ``prior`` maps earlier open stages to their heads; ``restore_wip`` says
    that the restored session's work in progress fits the base; ``target_sha`` is where a reviewed pull request goes;
    ``candidate_pr`` the pull request that a late stage examines, at the run's ``build_sha``; ``initiator`` the user of
    ours who asked for the run, on the forge or here; ``talk_end`` the code that a discussion ends with as soon as its
    attempt has stopped.
    """

    profile: str | None = None
    profile_source: str | None = None
    sticky_model: str | None = None
    sticky_reasoning: str | None = None
    attempt_reason: str = "first"
    link_head_sha: str | None = None
    prior: Mapping[str, str] = field(default_factory=dict)
    restore_wip: bool = False
    target_sha: str | None = None
    talk_end: str | None = None
    candidate_pr: int | None = None
    initiator: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a stage: what, where, with what, and how far."""

    id: RunId
    number: int
    project_id: UUID
    repository_id: UUID
    lane: str
    subject: str
    issue_number: int | None
    pr_number: int | None
    stage: str | None
    kind: str
    role: str
    trigger_source: str
    trigger_label: str | None
    requested_by_kind: str
    requested_by: str
    correlation_id: str
    occurred_at: datetime
    policy_hash: str
    launch_profile: str | None
    revises_run_id: UUID | None
    mode: str
    runtime_source: str
    env: str
    access_profile: str
    branch: str | None
    base_sha: str | None
    build_sha: str | None
    engine: str | None
    model: str | None
    model_source: str | None
    reasoning: str | None
    reasoning_source: str | None
    locale: str
    status: RunStatus
    failure_class: FailureClass | None
    code: str | None
    detail: str | None
    admission_reason: str | None
    finish_step: str | None
    version: int
    generation: int
    claimed_by: str | None
    claimed_until: datetime | None
    resumed: bool
    not_before: datetime | None
    active_seconds: int
    clock_started_at: datetime | None
    limit_seconds: int
    warned_at: datetime | None
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    cost_micros: int | None
    notes: tuple[str, ...]
    world: RunWorld
    created_at: datetime
    status_since: datetime
    admitted_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a run in one workload. ``generation`` fences: only the newest may change anything."""

    id: AttemptId
    run_id: RunId
    generation: int
    reason: str
    status: AttemptStatus
    outcome: str | None
    code: str | None
    detail: str | None
    workload_name: str
    workload_kind: str
    runner_version: str | None
    heartbeat_at: datetime | None
    suspect_since: datetime | None
    last_event_at: datetime | None
    last_message_no: int
    stop_reason: str | None
    stop_requested_at: datetime | None
    absent_since: datetime | None
    exited_at: datetime | None
    prompt_id: UUID | None
    restored_session_id: UUID | None
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    deadline: datetime
    reserved_at: datetime
    launched_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Wait:
    """What a run waits for, since when, who can act, until when. A waiting run has no workload and no running clock."""

    id: WaitId
    run_id: RunId
    attempt_id: UUID | None
    kind: WaitKind
    target_kind: str
    target_id: str
    opened_at: datetime
    who_can_act: str
    deadline_at: datetime | None
    resume_at: datetime | None
    mark: str | None
    status: str
    resolution: str | None
    resolution_text: str | None
    resolved_by: str | None
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Effect:
    """One act on the forge: written with the change that wants it, done by the worker, never blindly repeated."""

    id: EffectId
    no: int
    dedupe_key: str
    kind: str
    order_key: str
    bucket: str
    repository_id: UUID
    target: str
    payload: Mapping[str, Any]
    critical: bool
    status: EffectStatus
    tries: int
    not_before: datetime
    leased_by: str | None
    leased_until: datetime | None
    submitted_at: datetime | None
    absent_reads: int
    result: Mapping[str, Any] | None
    code: str | None
    detail: str | None
    run_id: UUID | None
    correlation_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """Which Issue, stage, branch, head SHA and run a pull request belongs to."""

    repository_id: UUID
    pr_number: int
    issue_number: int | None
    stage: str
    branch: str
    base_branch: str
    head_sha: str
    pushed_sha: str
    url: str
    state: str
    origin: str
    foreign_push: bool
    created_by_run: UUID
    last_run: UUID
    merged_at: datetime | None = None
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """One reason why a result is not published: a code, a sentence with the remedy, and at most 50 paths."""

    code: str
    message: str
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangedPath:
    """One line of ``diff-tree -r --raw --no-renames``. Modes are octal texts, ``000000`` for absent."""

    path: bytes
    status: str
    old_mode: str
    new_mode: str
    old_sha: str
    new_sha: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """What quarantine found in a bundle. Nothing of it can reach a remote by itself."""

    problem: str | None
    tree_sha: str
    changed: tuple[ChangedPath, ...]
    blob_sizes: Mapping[str, int]
    symlinks: Mapping[bytes, bytes]
    tree_paths: tuple[bytes, ...]
    added: tuple[tuple[str, bytes], ...]
    uses_lfs: bool
