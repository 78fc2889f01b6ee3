"""Admit the next run: one transaction per admission, so that limits hold under any number of workers."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from stagewright.contexts.runs import events
from stagewright.contexts.runs.model import Run, RunStatus
from stagewright.contexts.runs.rules import admission
from stagewright.contexts.runs.rules.admission import Candidate
from stagewright.contexts.runs.store import queue as queue_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import approving, moves
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.crypto import MacSigner
from stagewright.kit.db import Reader, Tx

TALK_ENDING = "talk_run_ending"


async def list_projects(reader: Reader) -> list[UUID]:
    """Return the projects with queued runs, the one whose turn it is first."""
    return admission.order_projects(await queue_rows.list_projects(reader))


async def admit_next(tx: Tx, project_id: UUID, *, signer: MacSigner, now: datetime) -> Run | None:
    """Admit the project's first admissible run, and explain those before it whose reason changed."""
    await queue_rows.lock_admission(tx, project_id)
    candidates = admission.order_candidates(await queue_rows.list_candidates(tx, project_id, now=now))
    counts = await _counts(tx, project_id)
    limits = await _limits(tx, candidates)
    for candidate in candidates:
        reason = _reason(candidate, counts, limits[candidate.repository_id])
        if reason is None:
            run = await _admit(tx, candidate.run_id, signer=signer, now=now)
            if run is not None:
                return run
        elif reason != candidate.admission_reason:
            await _explain(tx, candidate.run_id, reason)
    return None


async def _counts(reader: Reader, project_id: UUID) -> workflow.ActiveCounts:
    load = await queue_rows.project_load(reader, project_id)
    return workflow.ActiveCounts(
        platform=await queue_rows.platform_load(reader),
        project={(role, workflow.Mode(mode)): count for (role, mode), count in load.items()},
    )


async def _limits(reader: Reader, candidates: list[Candidate]) -> Mapping[UUID, workflow.Limits]:
    repositories = {candidate.repository_id for candidate in candidates}
    return {item: (await workflow.policy_in_force(reader, item)).limits for item in repositories}


def _reason(candidate: Candidate, counts: workflow.ActiveCounts, limits: workflow.Limits) -> str | None:
    if candidate.blocked_by_talk:
        return TALK_ENDING
    return workflow.admission_reason(candidate.role, workflow.Mode(candidate.mode), counts, limits)


async def _admit(tx: Tx, run_id: UUID, *, signer: MacSigner, now: datetime) -> Run | None:
    run = await run_rows.lock(tx, run_id)
    if run.status is not RunStatus.QUEUED:
        return None  # cancelled meanwhile
    if not await approving.may_start(tx, run, signer=signer, now=now):
        return None  # waits for a person, or has failed
    return await moves.move(
        tx,
        run,
        RunStatus.PREPARING,
        events.RunPreparing,
        now=now,
        admitted_at=now,
        admission_reason=None,
        generation=run.generation + 1,
        not_before=None,
    )


async def _explain(tx: Tx, run_id: UUID, reason: str) -> None:
    run = await run_rows.lock(tx, run_id)
    if run.status is RunStatus.QUEUED:
        saved = await run_rows.save(tx, replace(run, admission_reason=reason))
        await moves.tell(tx, events.RunQueued, saved)


async def list_stalled(reader: Reader, *, before: datetime, limit: int) -> list[Run]:
    """Return runs that have been queued since before ``before``."""
    return await queue_rows.list_stalled(reader, before=before, limit=limit)
