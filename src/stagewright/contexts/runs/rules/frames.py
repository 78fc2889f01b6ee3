"""The part of a run's view that is equal for all readers: what an event carries and a screen shows."""

from datetime import UTC, datetime
from typing import Any

from stagewright.contexts.runs.model import Attempt, Link, Run, Wait

ASKED = frozenset({"run.start", "result.publish"})
"""Targets of waits that are requests of the approvals door, by their action."""


def iso(value: datetime | None) -> str | None:
    """Return RFC 3339 in UTC with milliseconds."""
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shown_number(number: int) -> str:
    """Return the number as people see it, e.g. ``run-0042``."""
    return f"run-{number:04d}"


def run_frame(run: Run) -> dict[str, Any]:
    """Return the frame of ``run``."""
    return {
        "id": str(run.id),
        "number": shown_number(run.number),
        "project_id": str(run.project_id),
        "repository_id": str(run.repository_id),
        "lane": run.lane,
        "subject": run.subject,
        "issue_number": run.issue_number,
        "pr_number": run.pr_number,
        "stage": run.stage,
        "kind": run.kind,
        "role": run.role,
        "trigger": {"source": run.trigger_source, "label": run.trigger_label},
        "requested_by": {"kind": run.requested_by_kind, "id": run.requested_by},
        "revises_run_id": str(run.revises_run_id) if run.revises_run_id else None,
        "launch_profile": run.launch_profile,
        "mode": run.mode,
        "runtime_source": run.runtime_source,
        "env": run.env,
        "access_profile": run.access_profile,
        "branch": run.branch,
        "base_sha": run.base_sha,
        "build_sha": run.build_sha,
        "candidate_pr": run.world.candidate_pr,
        "engine": run.engine,
        "model": run.model,
        "model_source": run.model_source,
        "reasoning": run.reasoning,
        "reasoning_source": run.reasoning_source,
        "locale": run.locale,
        "status": run.status.value,
        "failure_class": run.failure_class.value if run.failure_class else None,
        "code": run.code,
        "detail": run.detail,
        "admission_reason": run.admission_reason,
        "finish_step": run.finish_step,
        "version": run.version,
        "generation": run.generation,
        "active_seconds": run.active_seconds,
        "clock_started_at": iso(run.clock_started_at),
        "limit_seconds": run.limit_seconds,
        "notes": list(run.notes),
        "created_at": iso(run.created_at),
        "status_since": iso(run.status_since),
        "admitted_at": iso(run.admitted_at),
        "started_at": iso(run.started_at),
        "finished_at": iso(run.finished_at),
    }


def link_frame(link: Link) -> dict[str, Any]:
    """Return what a run shows of its pull request."""
    return {
        "pr_number": link.pr_number,
        "url": link.url,
        "state": link.state,
        "branch": link.branch,
        "base_branch": link.base_branch,
        "head_sha": link.head_sha,
        "stage": link.stage,
        "foreign_push": link.foreign_push,
    }


def attempt_frame(attempt: Attempt) -> dict[str, Any]:
    """Return the frame of ``attempt``."""
    return {
        "id": str(attempt.id),
        "run_id": str(attempt.run_id),
        "generation": attempt.generation,
        "reason": attempt.reason,
        "status": attempt.status.value,
        "outcome": attempt.outcome,
        "code": attempt.code,
        "detail": attempt.detail,
        "workload": attempt.workload_name,
        "runner_version": attempt.runner_version,
        "heartbeat_at": iso(attempt.heartbeat_at),
        "suspect_since": iso(attempt.suspect_since),
        "tokens_in": attempt.tokens_in,
        "tokens_cached": attempt.tokens_cached,
        "tokens_out": attempt.tokens_out,
        "reserved_at": iso(attempt.reserved_at),
        "launched_at": iso(attempt.launched_at),
        "started_at": iso(attempt.started_at),
        "ended_at": iso(attempt.ended_at),
    }


def wait_frame(wait: Wait) -> dict[str, Any]:
    """Return the frame of ``wait``. A wait costs nothing: no workload, no running clock."""
    return {
        "id": str(wait.id),
        "run_id": str(wait.run_id),
        "kind": wait.kind.value,
        "target": {"kind": wait.target_kind, "id": wait.target_id},
        "approval_id": wait.target_id if wait.target_kind in ASKED else None,
        "opened_at": iso(wait.opened_at),
        "who_can_act": wait.who_can_act,
        "deadline_at": iso(wait.deadline_at),
        "resume_at": iso(wait.resume_at),
        "mark": wait.mark,
        "status": wait.status,
        "resolution": wait.resolution,
        "resolved_by": wait.resolved_by,
        "resolved_at": iso(wait.resolved_at),
        "cost": 0,
    }
