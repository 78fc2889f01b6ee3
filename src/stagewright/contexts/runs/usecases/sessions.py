"""Sessions of runs: kept for an attempt that may still speak, chosen for one that begins (runs, section 7.3)."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from stagewright.contexts.agents import api as agents
from stagewright.contexts.runs.errors import MessageInvalid
from stagewright.contexts.runs.model import Run
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases.attempts import fence
from stagewright.kit.clock import Clock
from stagewright.kit.db import Reader, Tx


async def save(tx: Tx, draft: agents.SessionDraft, *, sealer: agents.Sealing, clock: Clock) -> agents.SavedSession:
    """Keep a session of an attempt that is not over: the row is locked, so none is stored after its end.

    Raise ``MessageInvalid`` when its bytes are not the announced ones.
    """
    attempt = await attempt_rows.lock(tx, draft.attempt_id)
    fence(await run_rows.get(tx, attempt.run_id), attempt)
    try:
        return await agents.save_session(tx, draft, sealer=sealer, clock=clock)
    except agents.SessionTooLarge as error:
        raise MessageInvalid(error.message, code="too_large") from error
    except agents.SessionInvalid as error:
        raise MessageInvalid(error.message) from error


async def choose(
    reader: Reader, run: Run, *, base_sha: str, versions: Mapping[str, str], now: datetime
) -> agents.SessionChoice:
    """Choose for the attempt of ``run`` that begins at ``base_sha``; ``run`` still has the last attempt's base."""
    if run.engine is None:
        return agents.SessionChoice(None)
    next_attempt = run.generation > 1
    link_runs = await _link_runs(reader, run)
    failed = await _failed_runs(reader, run)
    candidates = await agents.list_sessions(reader, {run.id, *link_runs, *(item.run_id for item in failed)})
    newest = candidates[0].engine_version if candidates else ""
    wish = agents.SessionWish(
        run_id=run.id,
        kind=run.kind,
        next_attempt=next_attempt,
        engine=agents.EngineName(run.engine),
        engine_version=versions.get(run.engine, newest),
        base_sha=base_sha,
        link_runs=link_runs,
        failed_runs=failed,
    )
    choice = agents.choose_session(candidates, wish, now=now)
    if next_attempt and run.base_sha != base_sha:
        return agents.SessionChoice(choice.session, not_compatible=choice.not_compatible)
    return choice


async def _link_runs(reader: Reader, run: Run) -> frozenset[UUID]:
    if run.pr_number is None:
        return frozenset()
    return await run_rows.list_of_link(reader, run.repository_id, run.pr_number) - {run.id}


async def _failed_runs(reader: Reader, run: Run) -> tuple[agents.FailedRun, ...]:
    if run.issue_number is None:
        return ()
    return tuple(
        agents.FailedRun(
            run_id=row["id"],
            kind=str(row["kind"]),
            failure_class=str(row["failure_class"]),
            finished_at=row["finished_at"],
            base_sha=str(row["base_sha"]),
        )
        for row in await run_rows.list_failed_before(reader, run)
    )
