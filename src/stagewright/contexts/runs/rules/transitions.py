"""The table of moves of a run (specification: runs, section 2) and of an attempt (section 3)."""

from datetime import datetime

from stagewright.contexts.runs.errors import TransitionNotAllowed
from stagewright.contexts.runs.model import AttemptStatus, FailureClass, Run, RunStatus

S = RunStatus

MOVES: dict[RunStatus, frozenset[RunStatus]] = {
    S.QUEUED: frozenset({S.PREPARING, S.WAITING, S.FAILED, S.CANCELLING}),
    S.PREPARING: frozenset({S.RUNNING, S.PREPARING, S.WAITING, S.FINISHING, S.FAILED, S.CANCELLING}),
    S.RUNNING: frozenset({S.PREPARING, S.WAITING, S.FINISHING, S.QUEUED, S.FAILED, S.CANCELLING}),
    S.WAITING: frozenset({S.QUEUED, S.FINISHING, S.FAILED, S.CANCELLING}),
    S.FINISHING: frozenset({S.WAITING, S.QUEUED, S.SUCCEEDED, S.FAILED, S.CANCELLING}),
    S.CANCELLING: frozenset({S.CANCELLED}),
    S.SUCCEEDED: frozenset(),
    S.FAILED: frozenset(),
    S.CANCELLED: frozenset(),
}

A = AttemptStatus
ATTEMPT_MOVES: dict[AttemptStatus, frozenset[AttemptStatus]] = {
    A.RESERVED: frozenset({A.LAUNCHING, A.LIVE, A.ENDED}),
    A.LAUNCHING: frozenset({A.LIVE, A.ENDED}),
    A.LIVE: frozenset({A.DRAINING, A.ENDED}),
    A.DRAINING: frozenset({A.ENDED}),
    A.ENDED: frozenset(),
}

CLASS_OF: dict[str, FailureClass] = {
    **dict.fromkeys(
        (
            "mode_not_allowed",
            "stack_invalid",
            "model_label_conflict",
            "model_unknown",
            "agent_not_configured",
            "environment_not_declared",
            "platform_namespace",
            "issue_trigger_candidate_not_found",
            "pr_not_found",
            "branch_not_found",
            "branch_moved",
            "session_lost",
            "prompt_override_invalid",
            "prompt_part_missing",
        ),
        FailureClass.PRECONDITION,
    ),
    **dict.fromkeys(
        (
            "scope_violation",
            "protected_path",
            "secret_in_result",
            "size_limit",
            "ref_violation",
            "tree_invalid",
            "owner_rejected",
        ),
        FailureClass.POLICY,
    ),
    **dict.fromkeys(
        (
            "launch_failed",
            "workload_lost",
            "no_outcome",
            "image_unavailable",
            "out_of_memory",
            "environment_failed",
            "source_unavailable",
            "provider_unavailable",
            "rate_limit_exhausted",
            "publish_failed",
        ),
        FailureClass.INFRASTRUCTURE,
    ),
    **dict.fromkeys(
        (
            "report_invalid",
            "empty_result",
            "evidence_unresolved",
            "agent_blocked",
            "context_exhausted",
            "engine_error",
        ),
        FailureClass.AGENT,
    ),
    **dict.fromkeys(
        ("prepare_timeout", "active_time_exceeded", "agent_stalled", "finish_timeout"), FailureClass.TIMEOUT
    ),
    **dict.fromkeys(("budget_denied", "budget_unanswered"), FailureClass.BUDGET),
}


def check_move(status: RunStatus, to: RunStatus) -> None:
    """Raise ``TransitionNotAllowed`` for a pair the table does not list."""
    if to not in MOVES[status]:
        raise TransitionNotAllowed(f"a run that is {status} cannot become {to}")


def check_attempt_move(status: AttemptStatus, to: AttemptStatus) -> None:
    """Raise ``TransitionNotAllowed`` for a pair the table does not list."""
    if to not in ATTEMPT_MOVES[status]:
        raise TransitionNotAllowed(f"an attempt that is {status} cannot become {to}")


def failure_class(code: str) -> FailureClass:
    """Return the class of a failure code; a gate's reason is a precondition."""
    return CLASS_OF.get(code, FailureClass.PRECONDITION)


def active_seconds(run: Run, now: datetime) -> int:
    """Return the run's active time: the sum over attempts of the time it was ``running``."""
    if run.clock_started_at is None:
        return run.active_seconds
    return run.active_seconds + max(0, int((now - run.clock_started_at).total_seconds()))
