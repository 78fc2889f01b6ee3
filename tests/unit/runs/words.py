"""One function per word of runs: values with sensible defaults, for rules that take no rows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from stagewright.contexts.runs.model import (
    Attempt,
    AttemptId,
    AttemptStatus,
    ChangedPath,
    Inspection,
    Run,
    RunId,
    RunStatus,
    RunWorld,
    Wait,
    WaitId,
    WaitKind,
)

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
RUN_ID = UUID("01a202d3-17fc-7600-8664-605442127836")
OTHER_ID = UUID("01a202d3-17fc-7600-8664-605442127837")

RUN = Run(
    id=RunId(RUN_ID),
    number=42,
    project_id=OTHER_ID,
    repository_id=OTHER_ID,
    lane="work",
    subject="issue:7",
    issue_number=7,
    pr_number=None,
    stage="dev",
    kind="dev",
    role="dev",
    trigger_source="webhook",
    trigger_label="run:dev",
    requested_by_kind="forge",
    requested_by="ann",
    correlation_id="d-1",
    occurred_at=NOW,
    policy_hash="h",
    launch_profile="feature",
    revises_run_id=None,
    mode="code-only",
    runtime_source="policy_stage",
    env="none",
    access_profile="code-only",
    branch=None,
    build_sha=None,
    base_sha=None,
    engine=None,
    model=None,
    model_source=None,
    reasoning=None,
    reasoning_source=None,
    locale="en",
    status=RunStatus.QUEUED,
    failure_class=None,
    code=None,
    detail=None,
    admission_reason=None,
    finish_step=None,
    version=1,
    generation=0,
    claimed_by=None,
    claimed_until=None,
    resumed=False,
    not_before=None,
    active_seconds=0,
    clock_started_at=None,
    limit_seconds=3600,
    warned_at=None,
    tokens_in=0,
    tokens_cached=0,
    tokens_out=0,
    cost_micros=None,
    notes=(),
    world=RunWorld(),
    created_at=NOW,
    status_since=NOW,
    admitted_at=None,
    started_at=None,
    finished_at=None,
)
ATTEMPT = Attempt(
    id=AttemptId(OTHER_ID),
    run_id=RunId(RUN_ID),
    generation=1,
    reason="first",
    status=AttemptStatus.ENDED,
    outcome=None,
    code=None,
    detail=None,
    workload_name="sw-605442127836-g1",
    workload_kind="local",
    runner_version=None,
    heartbeat_at=None,
    suspect_since=None,
    last_event_at=None,
    last_message_no=0,
    stop_reason=None,
    stop_requested_at=None,
    absent_since=None,
    exited_at=None,
    prompt_id=None,
    restored_session_id=None,
    tokens_in=0,
    tokens_cached=0,
    tokens_out=0,
    deadline=NOW + timedelta(hours=2),
    reserved_at=NOW,
    launched_at=None,
    started_at=None,
    ended_at=None,
)
WAIT = Wait(
    id=WaitId(OTHER_ID),
    run_id=RunId(RUN_ID),
    attempt_id=None,
    kind=WaitKind.QUESTION,
    target_kind="report",
    target_id="t",
    opened_at=NOW,
    who_can_act="run.start",
    deadline_at=None,
    resume_at=None,
    mark=None,
    status="open",
    resolution=None,
    resolution_text=None,
    resolved_by=None,
    resolved_at=None,
)


def a_run(**changes: Any) -> Run:
    """Return a queued dev run of issue 7."""
    return replace(RUN, **changes)


def an_attempt(**changes: Any) -> Attempt:
    """Return the run's first attempt."""
    return replace(ATTEMPT, **changes)


def a_wait(**changes: Any) -> Wait:
    """Return an open wait for an answer."""
    return replace(WAIT, **changes)


def a_change(path: str | bytes, *, status: str = "A", mode: str = "100644", sha: str = "a" * 40) -> ChangedPath:
    """Return one added file."""
    raw = path.encode() if isinstance(path, str) else path
    old = "000000" if status == "A" else "100644"
    new = "000000" if status == "D" else mode
    return ChangedPath(raw, status, old, new, "0" * 40, sha)


def an_inspection(*changed: ChangedPath, **changes: Any) -> Inspection:
    """Return what quarantine found in a small good bundle."""
    found = Inspection(
        problem=None,
        tree_sha="t" * 40,
        changed=changed,
        blob_sizes={item.new_sha: 10 for item in changed},
        symlinks={},
        tree_paths=tuple(item.path for item in changed),
        added=tuple((item.path.decode("utf-8", "replace"), b"text") for item in changed),
        uses_lfs=False,
    )
    return replace(found, **changes)
