"""Facts of runs (specification: runs, section 12). Transition events carry the run's frame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from stagewright.contexts.runs.model import Attempt, Link, Run, RunStatus, Wait
from stagewright.contexts.runs.rules.acts import ACTED
from stagewright.contexts.runs.rules.frames import attempt_frame, iso, link_frame, run_frame, wait_frame
from stagewright.kit.journal import Event


@dataclass(frozen=True, kw_only=True)
class RunFact(Event):
    """A fact of one run, on the run's stream."""

    topic: ClassVar[str] = "runs"

    run: Run
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "project_id", self.run.project_id)
        object.__setattr__(self, "run_id", self.run.id)

    @property
    def stream(self) -> str:
        return f"run:{self.run.id}"

    def body(self) -> Mapping[str, Any]:
        return {"v": 1, **self.extra}


@dataclass(frozen=True, kw_only=True)
class RunMoved(RunFact):
    """A transition: the body is the run's frame after it, with its oldest open wait and its pull request.

    ``waits`` are those that the transition opened or that closed before it: the list of waits follows them.
    """

    wait: Wait | None
    link: Link | None
    waits: Sequence[Wait] = ()

    def body(self) -> Mapping[str, Any]:
        frame: dict[str, Any] = {"v": 1, **run_frame(self.run), **self.extra}
        frame["wait"] = wait_frame(self.wait) if self.wait else None
        frame["pull_request"] = link_frame(self.link) if self.link else None
        return frame | ({"waits": [wait_frame(item) for item in self.waits]} if self.waits else {})


class RunQueued(RunMoved):
    kind = "run.queued"


class RunPreparing(RunMoved):
    kind = "run.preparing"


class RunStarted(RunMoved):
    kind = "run.started"


class RunFinishing(RunMoved):
    kind = "run.finishing"


class RunSucceeded(RunMoved):
    kind = "run.succeeded"


class RunFailed(RunMoved):
    kind = "run.failed"


class RunFailedPrecondition(RunMoved):
    kind = "run.failed.precondition"


class RunFailedLaunch(RunMoved):
    kind = "run.failed.launch_error"


class RunFailedLost(RunMoved):
    kind = "run.failed.job_not_found"


class RunCancelRequested(RunMoved):
    kind = "run.cancel.requested"


class RunCanceled(RunMoved):
    kind = "run.canceled"


class RunWaitPaused(RunMoved):
    kind = "run.wait.paused"


class RunWaitResumed(RunMoved):
    kind = "run.wait.resumed"


class AttemptRetried(RunMoved):
    kind = "run.attempt.retried"


class ProfileResolved(RunMoved):
    """No transition: branch, base and model of the launch are written into the run, so the frame is told anew."""

    kind = "run.profile.resolved"


class BuildRefReplaced(RunMoved):
    """No transition: what a late stage examines moved between the decision and the launch."""

    kind = "run.build_ref.replaced"


class TokensIssued(RunFact):
    kind = "run.mcp.token.issued"


class BudgetExtended(RunFact):
    kind = "budget.extended"


class ResultProposed(RunFact):
    kind = "run.result.proposed"


class ResultChecked(RunFact):
    kind = "run.result.checked"


class ResultHeld(RunFact):
    kind = "run.result.held"


class PullRequestCreated(RunFact):
    kind = "run.pr.created"


class PullRequestUpdated(RunFact):
    kind = "run.pr.updated"


class RevisePullRequestNotFound(RunFact):
    kind = "run.revise.pr_not_found"


class StatusCommentUpserted(RunFact):
    kind = "run.status.comment.upserted"


class LeaseStale(RunFact):
    kind = "run.lease.detected_stale"


class LeaseReleased(RunFact):
    kind = "run.lease.released"


class ReclaimedAfterStaleLease(RunFact):
    kind = "run.reclaimed_after_stale_lease"


class CodexAuthRequired(RunFact):
    kind = "run.codex.auth.required"


class CodexAuthSynchronized(RunFact):
    kind = "run.codex.auth.synchronized"


class ClaudeAuthRequired(RunFact):
    kind = "run.claude.auth.required"


class ClaudeAuthSynchronized(RunFact):
    kind = "run.claude.auth.synchronized"


AUTH_REQUIRED: Mapping[str, type[RunFact]] = {"codex": CodexAuthRequired, "claude": ClaudeAuthRequired}
AUTH_SYNCHRONIZED: Mapping[str, type[RunFact]] = {"codex": CodexAuthSynchronized, "claude": ClaudeAuthSynchronized}
"""By engine: those that need a credential."""


class AgentStarted(RunFact):
    kind = "run.agent.started"


class AgentReady(RunFact):
    kind = "run.agent.ready"


class AgentSessionRestored(RunFact):
    kind = "run.agent.session.restored"


class AgentResumeUsed(RunFact):
    kind = "run.agent.resume.used"


class AgentActed(RunFact):
    """The attempt's totals so far: what folding loses is older counts only."""

    kind = ACTED


class ToolchainGapDetected(RunFact):
    kind = "run.toolchain.gap_detected"


RUNNER_EVENTS: Mapping[str, type[RunFact]] = {
    event.kind: event
    for event in (AgentStarted, AgentReady, AgentSessionRestored, AgentResumeUsed, AgentActed, ToolchainGapDetected)
}
"""What a runner may journal by itself; the rest of its facts the platform states."""


@dataclass(frozen=True, kw_only=True)
class AttemptFact(RunFact):
    """A fact of one attempt, on its run's stream."""

    attempt: Attempt

    def body(self) -> Mapping[str, Any]:
        return {"v": 1, **attempt_frame(self.attempt), **self.extra}


class AttemptOpened(AttemptFact):
    kind = "run.attempt.opened"


class WorkloadLaunched(AttemptFact):
    kind = "run.workload.launched"


class AttemptEnded(AttemptFact):
    kind = "run.attempt.ended"


def failed_event(run: Run) -> type[RunMoved]:
    """Return the one event of a failed run: exactly one per run, by class and code."""
    if run.failure_class is not None and run.failure_class.value == "precondition":
        return RunFailedPrecondition
    if run.code == "launch_failed":
        return RunFailedLaunch
    if run.code == "workload_lost":
        return RunFailedLost
    return RunFailed


@dataclass(frozen=True, kw_only=True)
class WorkerHeartbeatMissed(Event):
    """A worker did not report for longer than it may; its claims are free."""

    kind: ClassVar[str] = "worker.instance.heartbeat.missed"
    topic: ClassVar[str] = "system"

    worker_id: str

    @property
    def stream(self) -> str:
        return f"worker:{self.worker_id}"

    def body(self) -> Mapping[str, Any]:
        return {"v": 1, "worker_id": self.worker_id}


@dataclass(frozen=True, kw_only=True)
class EffectFact(Event):
    """A fact of an act on the forge."""

    topic: ClassVar[str] = "runs"

    repository_id: Any
    effect_id: Any
    effect_kind: str
    target: str
    code: str | None = None
    status: str | None = None

    @property
    def stream(self) -> str:
        return f"run:{self.run_id}" if self.run_id else f"repository:{self.repository_id}"

    def body(self) -> Mapping[str, Any]:
        return {
            "v": 1,
            "effect_id": str(self.effect_id),
            "kind": self.effect_kind,
            "target": self.target,
            "code": self.code,
            "status": self.status,
        }


class EffectUnknown(EffectFact):
    kind = "effect.unknown"


class EffectResolved(EffectFact):
    kind = "effect.resolved"


class EffectFailed(EffectFact):
    kind = "effect.failed"


@dataclass(frozen=True, kw_only=True)
class LimitFact(Event):
    """A shared limit of a provider closed or opened."""

    topic: ClassVar[str] = "system"

    installation: str
    bucket: str
    cause: str | None = None
    until: Any = None

    @property
    def stream(self) -> str:
        return f"limits:{self.installation}"

    def body(self) -> Mapping[str, Any]:
        return {"v": 1, "bucket": self.bucket, "cause": self.cause, "until": iso(self.until)}


class LimitBlocked(LimitFact):
    kind = "provider.limit.blocked"


class LimitCleared(LimitFact):
    kind = "provider.limit.cleared"


@dataclass(frozen=True, kw_only=True)
class ConflictComment(Event):
    """The one comment about conflicting trigger labels stands on the thread."""

    kind: ClassVar[str] = "run.trigger.conflict.comment"
    topic: ClassVar[str] = "runs"

    repository_id: Any
    thread: int
    trigger_label: str
    conflicting_labels: tuple[str, ...]
    comment_id: int
    comment_url: str

    @property
    def stream(self) -> str:
        return f"thread:{self.repository_id}:{self.thread}"

    def body(self) -> Mapping[str, Any]:
        return {
            "v": 1,
            "issue": self.thread,
            "trigger_label": self.trigger_label,
            "conflicting_labels": list(self.conflicting_labels),
            "comment_id": self.comment_id,
            "comment_url": self.comment_url,
        }


MOVE_EVENTS: Mapping[RunStatus, type[RunMoved]] = {
    RunStatus.PREPARING: RunPreparing,
    RunStatus.RUNNING: RunStarted,
    RunStatus.FINISHING: RunFinishing,
    RunStatus.SUCCEEDED: RunSucceeded,
    RunStatus.CANCELLING: RunCancelRequested,
    RunStatus.CANCELLED: RunCanceled,
}
