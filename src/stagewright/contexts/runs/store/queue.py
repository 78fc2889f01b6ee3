"""What admission reads: loads, candidates, fairness; and its locks."""

from datetime import datetime
from uuid import UUID

from stagewright.contexts.runs.model import Run
from stagewright.contexts.runs.rules.admission import Candidate, ProjectQueue
from stagewright.contexts.runs.store.runs import to_run
from stagewright.kit.db import Reader, Tx, record

to_candidate = record(Candidate)
to_project = record(ProjectQueue)

LOCK_PLATFORM = "select pg_advisory_xact_lock(hashtextextended('runs.admission', 0))"
LOCK_PROJECT = "select pg_advisory_xact_lock(hashtextextended('runs.admission:' || %(project)s::text, 0))"
PROJECTS = """
select p.id as project_id, p.weight,
    (select count(*) from runs a where a.project_id = p.id
        and a.status in ('preparing', 'running', 'finishing', 'cancelling')) as active,
    (select max(a.admitted_at) from runs a where a.project_id = p.id) as last_admitted_at
from projects p
where exists (select 1 from runs q where q.project_id = p.id and q.status = 'queued')
"""
LOAD = """
select role, mode, count(*) as n from runs
where project_id = %(project)s and status in ('preparing', 'running', 'finishing', 'cancelling') and lane <> 'deploy'
group by role, mode
"""
PLATFORM = """
select count(*) from runs
where status in ('preparing', 'running', 'finishing', 'cancelling') and lane <> 'deploy'
"""
CANDIDATES = """
select q.id as run_id, q.project_id, q.repository_id, q.role, q.mode, q.resumed, q.created_at, q.admission_reason,
    q.lane = 'work' and exists (select 1 from runs t where t.repository_id = q.repository_id and t.lane = 'talk'
        and t.subject = q.subject and t.status not in ('succeeded', 'failed', 'cancelled')) as blocked_by_talk
from runs q
where q.project_id = %(project)s and q.status = 'queued' and (q.not_before is null or q.not_before <= %(now)s)
order by row_number() over (partition by q.repository_id, q.role, q.mode order by not q.resumed, q.created_at)
limit 200
"""
STALLED = """
select * from runs where status = 'queued' and status_since < %(before)s order by status_since limit %(limit)s
"""


async def lock_admission(tx: Tx, project_id: UUID) -> None:
    """Serialise admissions: one lock for the platform's total, one per project; always in this order."""
    await tx.value(LOCK_PLATFORM)
    await tx.value(LOCK_PROJECT, project=project_id)


async def list_projects(reader: Reader) -> list[ProjectQueue]:
    """Return projects that have queued runs, with what fairness needs."""
    return await reader.all(to_project, PROJECTS)


async def project_load(reader: Reader, project_id: UUID) -> dict[tuple[str, str], int]:
    """Return how many runs the project holds now, by (role, mode)."""
    rows = await reader.all(lambda row: ((str(row["role"]), str(row["mode"])), int(row["n"])), LOAD, project=project_id)
    return dict(rows)


async def platform_load(reader: Reader) -> int:
    """Return what all projects hold now."""
    return int(await reader.value(PLATFORM))


async def list_candidates(reader: Reader, project_id: UUID, *, now: datetime) -> list[Candidate]:
    """Return the project's due queued runs; the first ones of every role, mode and repository are among them."""
    return await reader.all(to_candidate, CANDIDATES, project=project_id, now=now)


async def list_stalled(reader: Reader, *, before: datetime, limit: int) -> list[Run]:
    """Return runs queued since before ``before``."""
    return await reader.all(to_run, STALLED, before=before, limit=limit)
