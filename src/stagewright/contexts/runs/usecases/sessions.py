"""Which saved session an attempt goes on with (specification: runs, section 7.3)."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from stagewright.contexts.agents import api as agents
from stagewright.contexts.runs.model import Run
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.kit.db import Reader


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
