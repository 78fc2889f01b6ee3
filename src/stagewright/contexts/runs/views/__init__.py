"""Runs, waits and logs as screens show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from stagewright.contexts.runs.model import Link, Run, RunWorld, Wait
from stagewright.kit.db import Reader, Row, record


def _shown(world: Mapping[str, Any]) -> RunWorld:
    """Read what screens show of it: the rest only the launch needs."""
    return RunWorld(candidate_pr=world.get("candidate_pr"))


to_run = record(Run, notes=tuple, world=_shown)
to_wait = record(Wait)
to_link = record(Link)


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run with the names of its project, repository and requester, its oldest open wait and its pull request."""

    run: Run
    project: str
    repository: str
    requester: str
    wait: Wait | None = None
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class WaitRow:
    """A wait with the run it belongs to."""

    wait: Wait
    run_number: int
    run_version: int
    project_id: UUID


@dataclass(frozen=True, slots=True)
class ResultRow:
    """What an attempt handed over and what the checks said, without the bundle."""

    attempt_id: UUID
    generation: int
    proposal_no: int
    report: Mapping[str, Any]
    tree_sha: str | None
    commit_sha: str | None
    changed: Sequence[Mapping[str, Any]] | None
    violations: Sequence[Mapping[str, Any]] | None
    warnings: Sequence[str]
    verdict: str | None
    proposed_at: datetime
    checked_at: datetime | None


to_result = record(ResultRow)

CHOSEN: LiteralString = """
select r.*, p.key as project_key, s.full_name as repository_name,
    coalesce(u.github_login, u.display_name, r.requested_by) as requester_name
from runs r join projects p on p.id = r.project_id join repositories s on s.id = r.repository_id
left join users u on r.requested_by_kind = 'user' and u.id::text = r.requested_by
where (%(visible)s::uuid[] is null or r.project_id = any(%(visible)s))
  and (%(projects)s::uuid[] is null or r.project_id = any(%(projects)s))
  and (%(repositories)s::uuid[] is null or r.repository_id = any(%(repositories)s))
  and (%(issues)s::int[] is null or r.issue_number = any(%(issues)s))
  and (%(prs)s::int[] is null or r.pr_number = any(%(prs)s))
  and (%(numbers)s::bigint[] is null or r.number = any(%(numbers)s))
  and (%(kinds)s::text[] is null or r.kind = any(%(kinds)s))
  and (%(stages)s::text[] is null or r.stage = any(%(stages)s))
  and (%(roles)s::text[] is null or r.role = any(%(roles)s))
  and (%(statuses)s::text[] is null or r.status = any(%(statuses)s))
  and (%(actors)s::text[] is null or r.requested_by = any(%(actors)s))
  and (%(since)s::timestamptz is null or r.created_at >= %(since)s)
  and (%(until)s::timestamptz is null or r.created_at < %(until)s)
  and (%(wait_reasons)s::text[] is null or exists (
      select 1 from waits w where w.run_id = r.id and w.status = 'open' and w.kind = any(%(wait_reasons)s)))
"""
NEWEST = (
    CHOSEN
    + """
  and (%(after)s::timestamptz is null or (r.created_at, r.id) < (%(after)s, %(after_id)s))
order by r.created_at desc, r.id desc limit %(limit)s
"""
)
OLDEST = (
    CHOSEN
    + """
  and (%(after)s::timestamptz is null or (r.created_at, r.id) > (%(after)s, %(after_id)s))
order by r.created_at, r.id limit %(limit)s
"""
)
ONE = """
select r.*, p.key as project_key, s.full_name as repository_name,
    coalesce(u.github_login, u.display_name, r.requested_by) as requester_name
from runs r join projects p on p.id = r.project_id join repositories s on s.id = r.repository_id
left join users u on r.requested_by_kind = 'user' and u.id::text = r.requested_by
where r.id = %(id)s
"""
OPEN_WAITS = """
select distinct on (run_id) * from waits where run_id = any(%(runs)s) and status = 'open' order by run_id, opened_at
"""
LINKS = """
select l.*, r.id as of_run from runs r join pull_request_links l on l.repository_id = r.repository_id
  and (l.pr_number = r.pr_number or (r.pr_number is null and l.last_run = r.id))
where r.id = any(%(runs)s)
"""
STATUS_COMMENT = "select url from status_comments where run_id = %(run)s"
WAITS = """
select w.*, r.number as run_number, r.version as run_version, r.project_id as of_project
from waits w join runs r on r.id = w.run_id
where w.status = 'open'
  and (%(visible)s::uuid[] is null or r.project_id = any(%(visible)s))
  and (%(projects)s::uuid[] is null or r.project_id = any(%(projects)s))
  and (%(reasons)s::text[] is null or w.kind = any(%(reasons)s))
  and (%(overdue)s::boolean is null or (w.deadline_at is not null and w.deadline_at < %(now)s) = %(overdue)s)
  and (%(after)s::timestamptz is null or (w.opened_at, w.id) > (%(after)s, %(after_id)s))
order by w.opened_at, w.id limit %(limit)s
"""
WAIT = """
select w.*, r.number as run_number, r.version as run_version, r.project_id as of_project
from waits w join runs r on r.id = w.run_id
where w.id = %(id)s
"""
NEWEST_RESULT = """
select p.attempt_id, a.generation, p.proposal_no, p.report, p.tree_sha, p.commit_sha, p.changed, p.violations,
    p.warnings, p.verdict, p.proposed_at, p.checked_at
from run_results p join attempts a on a.id = p.attempt_id
where a.run_id = %(run)s and (%(generation)s::int is null or a.generation = %(generation)s)
order by p.proposed_at desc limit 1
"""
BEFORE_LINE = """
select from_byte, from_line, chunk from run_logs
where attempt_id = %(attempt)s and stream = %(stream)s and from_line < %(line)s order by stream_seq desc limit 1
"""
SINCE = """
select min(from_byte) from run_logs where attempt_id = %(attempt)s and stream = %(stream)s and at >= %(since)s
"""
COUNTS = """
select (select count(*) from runs where status = 'queued') as runs_queued,
    (select count(*) from runs where status in ('preparing', 'running', 'finishing', 'cancelling')) as runs_active,
    (select count(*) from waits where status = 'open') as waits_open,
    (select count(*) from effects where status in ('reserved', 'submitted')) as effects_open,
    (select count(*) from effects where status = 'unknown') as effects_unknown
"""
WORKERS = "select worker_id, started_at, heartbeat_at, missed_at from worker_instances order by started_at"
LIMITS = """
select installation_id, bucket, remaining, reset_at, blocked_until, cause from provider_limits
order by installation_id, bucket
"""


def _run_row(row: Row) -> RunRow:
    return RunRow(to_run(row), str(row["project_key"]), str(row["repository_name"]), str(row["requester_name"]))


def _wait_row(row: Row) -> WaitRow:
    return WaitRow(to_wait(row), int(row["run_number"]), int(row["run_version"]), row["of_project"])


async def list_runs(
    reader: Reader, filters: Mapping[str, Any], *, newest_first: bool, after: Sequence[Any] | None, limit: int
) -> list[RunRow]:
    """Return a page of runs with their waits and links. Filters are lists; None lets everything through."""
    rows = await reader.all(
        _run_row,
        NEWEST if newest_first else OLDEST,
        **filters,
        after=after[0] if after else None,
        after_id=after[1] if after else None,
        limit=limit,
    )
    return await _completed(reader, rows)


async def find_run(reader: Reader, run_id: UUID) -> RunRow | None:
    """Return one run with what its screen shows first."""
    row = await reader.find(_run_row, ONE, id=run_id)
    return (await _completed(reader, [row]))[0] if row else None


async def _completed(reader: Reader, rows: Sequence[RunRow]) -> list[RunRow]:
    ids = [row.run.id for row in rows]
    waits = {wait.run_id: wait for wait in await reader.all(to_wait, OPEN_WAITS, runs=ids)}
    links = dict(await reader.all(lambda row: (row["of_run"], to_link(row)), LINKS, runs=ids))
    return [replace(row, wait=waits.get(row.run.id), link=links.get(row.run.id)) for row in rows]


async def find_beside(reader: Reader, run_id: UUID) -> tuple[Wait | None, Link | None]:
    """Return the run's oldest open wait and its pull request: what its frame shows beside its own row."""
    wait = await reader.find(to_wait, OPEN_WAITS, runs=[run_id])
    return wait, await reader.find(to_link, LINKS, runs=[run_id])


async def status_comment_url(reader: Reader, run_id: UUID) -> str | None:
    """Return where the run's status comment stands."""
    url: str | None = await reader.value(STATUS_COMMENT, run=run_id)
    return url or None


async def list_waits(
    reader: Reader,
    *,
    visible: Sequence[UUID] | None,
    projects: Sequence[UUID] | None,
    reasons: Sequence[str] | None,
    overdue: bool | None,
    now: datetime,
    after: Sequence[Any] | None,
    limit: int,
) -> list[WaitRow]:
    """Return open waits, the longest first."""
    return await reader.all(
        _wait_row,
        WAITS,
        visible=visible,
        projects=projects,
        reasons=reasons,
        overdue=overdue,
        now=now,
        after=after[0] if after else None,
        after_id=after[1] if after else None,
        limit=limit,
    )


async def find_wait(reader: Reader, wait_id: UUID) -> WaitRow | None:
    """Return one wait."""
    return await reader.find(_wait_row, WAIT, id=wait_id)


async def find_result(reader: Reader, run_id: UUID, generation: int | None) -> ResultRow | None:
    """Return what the run (or one attempt of it) handed over last."""
    return await reader.find(to_result, NEWEST_RESULT, run=run_id, generation=generation)


async def byte_of_line(reader: Reader, attempt_id: UUID, stream: str, line: int) -> int:
    """Return where line ``line`` (from 0) of a log begins; 0 when that is not known."""
    row = await reader.find(lambda row: row, BEFORE_LINE, attempt=attempt_id, stream=stream, line=line)
    if row is None or line <= 0:
        return 0
    chunk, at = bytes(row["chunk"]), -1
    for _ in range(line - int(row["from_line"])):
        at = chunk.find(b"\n", at + 1)
    return int(row["from_byte"]) + at + 1


async def byte_since(reader: Reader, attempt_id: UUID, stream: str, since: datetime) -> int | None:
    """Return where the first chunk written at or after ``since`` begins."""
    found: int | None = await reader.value(SINCE, attempt=attempt_id, stream=stream, since=since)
    return found


async def counts(reader: Reader) -> Row:
    """Return how deep the queues are."""
    return (await reader.all(lambda row: row, COUNTS))[0]


async def workers(reader: Reader) -> list[Row]:
    """Return the worker instances and their last signs of life."""
    return await reader.all(lambda row: row, WORKERS)


async def provider_limits(reader: Reader) -> list[Row]:
    """Return what is known of the forge's limits."""
    return await reader.all(lambda row: row, LIMITS)
