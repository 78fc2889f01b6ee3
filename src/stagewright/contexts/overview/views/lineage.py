"""Rows of several contexts about one Issue."""

from collections.abc import Sequence
from uuid import UUID

from stagewright.contexts.overview.model import LineageRun, ProfileRow, ThreadRow
from stagewright.kit.db import Reader, record

MOST_RUNS = 500
to_thread = record(ThreadRow, labels=tuple)
to_profile = record(ProfileRow)
to_run = record(LineageRun)

THREADS = """
select number, is_pull_request, state, labels, seen_at from threads
where repository_id = %(repository)s and number = any(%(numbers)s)
"""
# As intake reads it: a rethink makes the profile provisional again.
PROFILE = """
select p.profile, coalesce(u.github_login, u.display_name, p.updated_by) as updated_by, p.updated_at, case when exists (
        select 1 from runs r where r.repository_id = p.repository_id and r.issue_number = p.issue_number
          and r.kind = 'rethink' and r.status = 'succeeded' and r.finished_at >= p.updated_at
    ) then 'default' else p.source end as source
from issue_workflows p left join users u on u.id::text = p.updated_by
where p.repository_id = %(repository)s and p.issue_number = %(issue)s
"""
# An Issue's runs; of a pull request that belongs to no Issue, its own.
RUNS = """
select * from (
    select r.id, r.number, r.kind, r.stage, r.role, r.lane, r.status, r.failure_class, r.code, r.trigger_source,
        r.trigger_label, r.requested_by_kind, r.requested_by,
        coalesce(u.github_login, u.display_name, r.requested_by) as requester_name,
        r.launch_profile, r.revises_run_id, r.pr_number, r.branch,
        r.base_sha, r.mode, r.model, r.active_seconds, r.created_at, r.started_at, r.finished_at, r.version,
        (select w.kind from waits w where w.run_id = r.id and w.status = 'open' order by w.opened_at limit 1)
            as waits_for,
        (select nullif(c.url, '') from status_comments c where c.run_id = r.id) as comment_url,
        (select x.report -> 'escalation' ->> 'to' from run_results x join attempts a on a.id = x.attempt_id
            where a.run_id = r.id and x.verdict = 'accepted' and jsonb_typeof(x.report -> 'escalation') = 'object'
            order by x.proposed_at desc limit 1) as escalation
    from runs r left join users u on r.requested_by_kind = 'user' and u.id::text = r.requested_by
    where r.repository_id = %(repository)s
      and (r.issue_number = %(issue)s or (r.issue_number is null and r.pr_number = %(pull)s))
    order by r.number desc limit %(limit)s
) newest order by number
"""


async def list_threads(reader: Reader, repository_id: UUID, numbers: Sequence[int]) -> dict[int, ThreadRow]:
    """Return what is known of threads, by number."""
    rows = await reader.all(to_thread, THREADS, repository=repository_id, numbers=list(numbers))
    return {row.number: row for row in rows}


async def find_profile(reader: Reader, repository_id: UUID, issue: int) -> ProfileRow | None:
    """Return the Issue's stored launch profile."""
    return await reader.find(to_profile, PROFILE, repository=repository_id, issue=issue)


async def list_runs(
    reader: Reader, repository_id: UUID, *, issue: int | None, pull: int | None = None
) -> list[LineageRun]:
    """Return the newest runs of the Issue (or of a pull request without one), oldest first."""
    return await reader.all(to_run, RUNS, repository=repository_id, issue=issue, pull=pull, limit=MOST_RUNS)
