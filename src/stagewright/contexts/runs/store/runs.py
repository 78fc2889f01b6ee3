"""Rows of ``runs``. Status changes go through ``save`` with a compare-and-set on ``version``."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, Literal, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from stagewright.contexts.runs.errors import RunNotFound, TransitionNotAllowed
from stagewright.contexts.runs.model import Run, RunId, RunWorld
from stagewright.kit.db import Reader, Row, Tx, record

WORLD_KEYS = frozenset(item.name for item in fields(RunWorld))


def to_world(value: Mapping[str, Any]) -> RunWorld:
    """Map the JSON column; keys of another version are left out."""
    return RunWorld(**{key: item for key, item in value.items() if key in WORLD_KEYS})


to_run = record(Run, notes=tuple, world=to_world)

INSERT = """
insert into runs (id, project_id, repository_id, lane, subject, issue_number, pr_number, stage, kind, role,
    trigger_source, trigger_label, requested_by_kind, requested_by, correlation_id, occurred_at, policy_hash,
    launch_profile, revises_run_id, mode, runtime_source, env, access_profile, branch, build_sha, locale, status,
    limit_seconds, notes, world, created_at, status_since)
values (%(id)s, %(project_id)s, %(repository_id)s, %(lane)s, %(subject)s, %(issue_number)s, %(pr_number)s, %(stage)s,
    %(kind)s, %(role)s, %(trigger_source)s, %(trigger_label)s, %(requested_by_kind)s, %(requested_by)s,
    %(correlation_id)s, %(occurred_at)s, %(policy_hash)s, %(launch_profile)s, %(revises_run_id)s, %(mode)s,
    %(runtime_source)s, %(env)s, %(access_profile)s, %(branch)s, %(build_sha)s, %(locale)s, 'queued', %(limit_seconds)s,
    %(notes)s, %(world)s, %(now)s, %(now)s)
on conflict do nothing
returning *
"""
SAVE = """
update runs set
    status = %(status)s, failure_class = %(failure_class)s, code = %(code)s, detail = %(detail)s,
    admission_reason = %(admission_reason)s, finish_step = %(finish_step)s, generation = %(generation)s,
    branch = %(branch)s, base_sha = %(base_sha)s, build_sha = %(build_sha)s,
    pr_number = %(pr_number)s, engine = %(engine)s, model = %(model)s,
    model_source = %(model_source)s, reasoning = %(reasoning)s, reasoning_source = %(reasoning_source)s,
    resumed = %(resumed)s, not_before = %(not_before)s, active_seconds = %(active_seconds)s,
    clock_started_at = %(clock_started_at)s, warned_at = %(warned_at)s, notes = %(notes)s, world = %(world)s,
    status_since = %(status_since)s, admitted_at = %(admitted_at)s, started_at = %(started_at)s,
    finished_at = %(finished_at)s, version = version + 1
where id = %(id)s and version = %(version)s
returning *
"""
GET = "select * from runs where id = %(id)s"
LOCK = "select * from runs where id = %(id)s for no key update"
BY_CORRELATION = "select * from runs where correlation_id = %(correlation_id)s"
ACTIVE = """
select * from runs where repository_id = %(repository_id)s and lane = %(lane)s and subject = %(subject)s
  and status not in ('succeeded', 'failed', 'cancelled')
"""
ACTIVE_REPAIR = """
select * from runs where project_id = %(project_id)s and kind = 'ai_repair'
  and status not in ('succeeded', 'failed', 'cancelled')
"""
ACTIVE_IN_REPOSITORY = """
select * from runs where repository_id = %(repository_id)s and status not in ('succeeded', 'failed', 'cancelled')
order by created_at
"""

Work = Literal["launch", "finish"]
CLAIMS: Mapping[Work, LiteralString] = {
    "launch": """
update runs set claimed_by = %(worker)s, claimed_until = %(until)s
where id in (
    select r.id from runs r
    where r.status = 'preparing'
      and (r.not_before is null or r.not_before <= %(now)s)
      and (r.claimed_by is null or r.claimed_by = %(worker)s)
      and not exists (select 1 from attempts a where a.run_id = r.id and a.status in ('launching', 'live', 'draining'))
    order by r.status_since
    limit %(limit)s
    for no key update skip locked)
returning *
""",
    "finish": """
update runs set claimed_by = %(worker)s, claimed_until = %(until)s
where id in (
    select r.id from runs r
    where r.status = 'finishing'
      and (r.not_before is null or r.not_before <= %(now)s)
      and (r.claimed_by is null or r.claimed_by = %(worker)s)
      and not exists (select 1 from effects e where e.run_id = r.id and e.critical
                      and e.status in ('reserved', 'submitted', 'unknown'))
    order by r.status_since
    limit %(limit)s
    for no key update skip locked)
returning *
""",
}
FINISHING_SINCE = """
select * from runs where status = 'finishing' and status_since < %(before)s order by status_since limit %(limit)s
"""
TAKE_OVER = """
with stale as (
    select id, claimed_by as previous_owner, claimed_until as previous_until from runs
    where claimed_by <> %(worker)s and status not in ('succeeded', 'failed', 'cancelled')
      and (claimed_until < %(now)s
           or claimed_by in (select worker_id from worker_instances where missed_at is not null))
    limit %(limit)s
    for no key update skip locked)
update runs set claimed_by = null, claimed_until = null from stale where runs.id = stale.id
returning runs.*, stale.previous_owner, stale.previous_until
"""
RENEW = """
update runs set claimed_until = %(until)s where id = %(id)s and claimed_by = %(worker)s
"""
POSTPONE = "update runs set not_before = %(until)s where id = %(id)s"
TALK_END = "update runs set world = jsonb_set(world, '{talk_end}', to_jsonb(%(code)s::text)) where id = %(id)s"
WARNED = "update runs set warned_at = %(now)s where id = %(id)s"
OF_LINK = """
select id from runs where repository_id = %(repository_id)s and pr_number = %(pr_number)s
"""
FAILED_BEFORE = """
select id, kind, failure_class, finished_at, base_sha from runs
where repository_id = %(repository_id)s and issue_number = %(issue)s and kind = %(kind)s and status = 'failed'
  and base_sha is not null and finished_at is not null and id <> %(id)s
order by finished_at desc limit 5
"""
RELEASE = "update runs set claimed_by = null, claimed_until = null where id = %(id)s and claimed_by = %(worker)s"
ADD_USAGE = """
update runs set tokens_in = tokens_in + %(tokens_in)s, tokens_cached = tokens_cached + %(tokens_cached)s,
    tokens_out = tokens_out + %(tokens_out)s
where id = %(id)s
"""
SUCCEEDED_STAGES = """
select distinct stage from runs
where repository_id = %(repository_id)s and issue_number = %(issue)s and status = 'succeeded' and stage is not null
"""


FINISHED_STAGES = """
select stage from runs
where repository_id = %(repository_id)s and issue_number = %(issue)s and status = 'succeeded' and stage is not null
order by created_at desc
"""
NEWEST_ENDED = """
select * from runs
where repository_id = %(r)s and status in ('succeeded', 'failed', 'cancelled') and lane in ('work', 'review')
  and ((%(pr)s::int is null and issue_number = %(issue)s and lane = 'work') or pr_number = %(pr)s)
order by finished_at desc, number desc limit 1
"""
NEWEST_SUCCESS = """
select * from runs where repository_id = %(r)s and issue_number = %(issue)s and lane = 'work' and status = 'succeeded'
order by finished_at desc, number desc limit 1
"""
# A review reads what a person made; that does not make it ours to revise.
HAVE_RUNS = """
select exists (select 1 from runs where repository_id = %(r)s and issue_number = any(%(issues)s) and lane <> 'review')
"""
ISSUES_OF_PULL = """
select distinct issue_number from runs
where repository_id = %(repository_id)s and pr_number = %(pr_number)s and issue_number is not null
"""


async def insert(tx: Tx, request: Mapping[str, Any], *, run_id: UUID, now: datetime) -> Run | None:
    """Insert a queued run. None when its correlation id or its (repository, lane, subject) is taken."""
    values = dict(request) | {
        "id": run_id,
        "now": now,
        "notes": Jsonb(list(request["notes"])),
        "world": Jsonb(request["world"]),
    }
    return await tx.find(to_run, INSERT, **values)


async def save(tx: Tx, run: Run) -> Run:
    """Write ``run`` if nobody moved it since it was read (``version``); return it with the next version."""
    values = asdict(run)
    values |= {"notes": Jsonb(list(run.notes)), "world": Jsonb(values["world"])}
    saved = await tx.find(to_run, SAVE, **values)
    if saved is None:
        raise TransitionNotAllowed(f"run {run.id} was moved by another meanwhile; look again")
    return saved


async def get(reader: Reader, run_id: UUID) -> Run:
    """Return the run, or raise ``RunNotFound``."""
    run = await reader.find(to_run, GET, id=run_id)
    if run is None:
        raise RunNotFound(f"there is no run {run_id}")
    return run


async def find(reader: Reader, run_id: UUID) -> Run | None:
    """Return the run, or None."""
    return await reader.find(to_run, GET, id=run_id)


async def lock(tx: Tx, run_id: UUID) -> Run:
    """Return the run with its row locked until the transaction ends."""
    run = await tx.find(to_run, LOCK, id=run_id)
    if run is None:
        raise RunNotFound(f"there is no run {run_id}")
    return run


async def find_by_correlation(reader: Reader, correlation_id: str) -> Run | None:
    """Return the run that was requested under ``correlation_id``."""
    return await reader.find(to_run, BY_CORRELATION, correlation_id=correlation_id)


async def find_active(reader: Reader, repository_id: UUID, lane: str, subject: str) -> Run | None:
    """Return the non-terminal run of the lane and subject."""
    return await reader.find(to_run, ACTIVE, repository_id=repository_id, lane=lane, subject=subject)


async def find_active_repair(reader: Reader, project_id: UUID) -> Run | None:
    """Return the project's non-terminal repair; there is at most one."""
    return await reader.find(to_run, ACTIVE_REPAIR, project_id=project_id)


async def list_active(reader: Reader, repository_id: UUID) -> list[Run]:
    """Return the repository's non-terminal runs, oldest first."""
    return await reader.all(to_run, ACTIVE_IN_REPOSITORY, repository_id=repository_id)


async def claim(tx: Tx, work: Work, *, worker: str, now: datetime, until: datetime, limit: int) -> list[Run]:
    """Lease the oldest runs that need ``work`` now, passing over those another worker holds.

    Runs that only wait (for their runner's first call, for an act on the forge) are left out: they hide nobody.
    """
    return await tx.all(to_run, CLAIMS[work], worker=worker, now=now, until=until, limit=limit)


async def list_finishing_since(reader: Reader, *, before: datetime, limit: int) -> list[Run]:
    """Return runs that have been finishing since before ``before``."""
    return await reader.all(to_run, FINISHING_SINCE, before=before, limit=limit)


async def release(tx: Tx, run_id: UUID, worker: str) -> None:
    """Give up the worker's claim on the run."""
    await tx.execute(RELEASE, id=run_id, worker=worker)


async def renew(tx: Tx, run_id: UUID, worker: str, until: datetime) -> bool:
    """Prolong the worker's claim; False when another took the run over."""
    return await tx.execute(RENEW, id=run_id, worker=worker, until=until) > 0


async def postpone(tx: Tx, run_id: UUID, until: datetime) -> None:
    """Look at the run again after ``until``: a mark for the worker, outside the compare-and-set."""
    await tx.execute(POSTPONE, id=run_id, until=until)


async def mark_talk_end(tx: Tx, run_id: UUID, code: str) -> None:
    """Note on a locked run how its discussion ends; outside the compare-and-set."""
    await tx.execute(TALK_END, id=run_id, code=code)


async def mark_warned(tx: Tx, run_id: UUID, now: datetime) -> None:
    """Note that the agent was told to finish; outside the compare-and-set."""
    await tx.execute(WARNED, id=run_id, now=now)


async def list_of_link(reader: Reader, repository_id: UUID, pr_number: int) -> frozenset[UUID]:
    """Return the runs that worked on the pull request."""
    return frozenset(await reader.all(_id, OF_LINK, repository_id=repository_id, pr_number=pr_number))


async def list_failed_before(reader: Reader, run: Run) -> list[Row]:
    """Return id, kind, failure_class, finished_at, base_sha of failed runs of the same Issue and kind, newest first."""
    return await reader.all(
        lambda row: row,
        FAILED_BEFORE,
        repository_id=run.repository_id,
        issue=run.issue_number,
        kind=run.kind,
        id=run.id,
    )


def _id(row: Row) -> UUID:
    value: UUID = row["id"]
    return value


async def free_stale_claims(
    tx: Tx, *, worker: str, now: datetime, limit: int
) -> list[tuple[Run, str, datetime | None]]:
    """Free claims that ran out or whose worker died; return run, previous owner and until when it held."""
    return await tx.all(
        lambda row: (to_run(row), str(row["previous_owner"]), row["previous_until"]),
        TAKE_OVER,
        worker=worker,
        now=now,
        limit=limit,
    )


async def add_usage(tx: Tx, run_id: RunId, *, tokens_in: int, tokens_cached: int, tokens_out: int) -> None:
    """Add to the run's meters; they are outside the compare-and-set."""
    await tx.execute(ADD_USAGE, id=run_id, tokens_in=tokens_in, tokens_cached=tokens_cached, tokens_out=tokens_out)


async def finished_stages(reader: Reader, repository_id: UUID, issue: int) -> list[str]:
    """Return the stages of the Issue's succeeded runs, newest first."""
    return await reader.all(lambda row: str(row["stage"]), FINISHED_STAGES, repository_id=repository_id, issue=issue)


async def find_newest_ended(
    reader: Reader, repository_id: UUID, *, issue: int | None, pull_request: int | None = None
) -> Run | None:
    """Return the newest run that ended: of a pull request, its reviews too; of an Issue, of its work."""
    return await reader.find(to_run, NEWEST_ENDED, r=repository_id, issue=issue, pr=pull_request)


async def find_newest_success(reader: Reader, repository_id: UUID, issue: int) -> Run | None:
    """Return the newest work run of the Issue that succeeded."""
    return await reader.find(to_run, NEWEST_SUCCESS, r=repository_id, issue=issue)


async def have_runs(reader: Reader, repository_id: UUID, issues: Sequence[int]) -> bool:
    """Say whether one of the Issues ever had a run, but for reviews of its pull requests."""
    return bool(await reader.value(HAVE_RUNS, r=repository_id, issues=list(issues)))


async def issues_of_pull_request(reader: Reader, repository_id: UUID, number: int) -> list[int]:
    """Return the Issues for which runs worked on the pull request."""
    return await reader.all(
        lambda row: int(row["issue_number"]), ISSUES_OF_PULL, repository_id=repository_id, pr_number=number
    )


async def succeeded_stages(reader: Reader, repository_id: UUID, issue: int) -> frozenset[str]:
    """Return the stages that succeeded for the Issue."""
    rows = await reader.all(lambda row: str(row["stage"]), SUCCEEDED_STAGES, repository_id=repository_id, issue=issue)
    return frozenset(rows)
