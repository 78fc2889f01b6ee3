"""Rows of ``waits`` and ``run_inbox``."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.runs.model import Wait
from stagewright.kit.db import Reader, Row, Tx, record

to_wait = record(Wait)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a person who looks at a wait wants to know of its run."""

    run_id: UUID
    project: str
    repository: str
    stage: str | None
    issue_number: int | None
    pr_number: int | None
    status_since: datetime
    active_seconds: int
    limit_seconds: int
    question: str | None


to_circumstances = record(Circumstances)

OPEN = """
insert into waits (id, run_id, attempt_id, kind, target_kind, target_id, opened_at, who_can_act, deadline_at,
    resume_at, status)
values (%(id)s, %(run_id)s, %(attempt_id)s, %(kind)s, %(target_kind)s, %(target_id)s, %(now)s, %(who_can_act)s,
    %(deadline_at)s, %(resume_at)s, 'open')
on conflict (run_id, kind, target_id) where status = 'open' do update
    set resume_at = greatest(waits.resume_at, excluded.resume_at)
returning *
"""
CLOSE = """
update waits set status = %(status)s, resolution = %(resolution)s, resolution_text = %(text)s,
    resolved_by = %(by)s, resolved_at = %(now)s
where id = %(id)s and status = 'open'
returning *
"""
MARK_EXPIRED = "update waits set mark = 'approval_expired' where id = %(id)s and status = 'open'"
GET = "select * from waits where id = %(id)s"
OPEN_OF = "select * from waits where run_id = %(run_id)s and status = 'open' order by opened_at"
LIST_OF = "select * from waits where run_id = %(run_id)s order by opened_at"
CLOSED_SINCE = """
select * from waits where run_id = %(run_id)s and status <> 'open' and resolved_at >= %(since)s order by resolved_at
"""
MOVE_TARGET = """
update waits set target_id = %(target_id)s, deadline_at = %(deadline_at)s, mark = null
where id = %(id)s and status = 'open'
"""
# The target of these waits is a request; only one that was settled, given up or renewed moves its run.
ANSWERED = """
select r.id as run_id from runs r
where r.status = 'waiting' and exists (
    select 1 from waits w join requests q
      on q.id = case when w.target_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then w.target_id::uuid end
    where w.run_id = r.id and w.status = 'open' and w.kind in ('approval', 'owner_review')
      and q.state <> 'requested'
      and (q.state <> 'expired' or q.reason_code is not null or q.on_expiry = 'resume'
           or exists (select 1 from requests n where n.run_id = r.id and n.renews = q.id)))
order by r.status_since limit %(limit)s for no key update of r skip locked
"""
DUE_RUNS = """
select r.id as run_id from runs r
where exists (select 1 from waits w where w.run_id = r.id and w.status = 'open'
    and w.mark is null and ((w.kind = 'rate_limit' and w.resume_at <= %(now)s) or w.deadline_at <= %(now)s))
order by r.status_since limit %(limit)s for no key update skip locked
"""
DUE = """
select * from waits where run_id = any(%(runs)s) and status = 'open' and mark is null
  and ((kind = 'rate_limit' and resume_at <= %(now)s) or deadline_at <= %(now)s)
order by run_id, opened_at
"""
LIMIT_WAITED = """
select coalesce(sum(w.resolved_at - w.opened_at), interval '0') from waits w
where w.run_id = %(run_id)s and w.kind = 'rate_limit' and w.status = 'resolved'
  and not exists (select 1 from attempts a where a.run_id = w.run_id and a.started_at >= w.resolved_at
                  and (a.tokens_out > 0 or a.outcome is distinct from 'rate_limited'))
  and not exists (select 1 from waits o where o.run_id = w.run_id and o.kind <> 'rate_limit'
                  and o.opened_at >= w.resolved_at)
"""
ALL_CLOSED = """
select r.id as run_id from runs r
where r.status = 'waiting' and not exists (select 1 from waits w where w.run_id = r.id and w.status = 'open')
order by r.status_since limit %(limit)s for no key update skip locked
"""
ABANDONED = """
select r.id as run_id from runs r
where r.status = 'waiting' and r.status_since < %(before)s limit %(limit)s for no key update skip locked
"""


CIRCUMSTANCES = """
select r.id as run_id, p.key as project, s.full_name as repository, r.stage, r.issue_number, r.pr_number,
    r.status_since, r.active_seconds, r.limit_seconds,
    (select left(x.report ->> 'question', 2000) from run_results x join attempts a on a.id = x.attempt_id
     where a.run_id = r.id order by x.proposed_at desc limit 1) as question
from runs r join projects p on p.id = r.project_id join repositories s on s.id = r.repository_id
where r.id = any(%(runs)s)
"""


async def open_wait(tx: Tx, values: dict[str, object]) -> Wait:
    """Open the wait, or return the one that is open for the same target."""
    wait = await tx.find(to_wait, OPEN, **values)
    assert wait is not None
    return wait


async def close(
    tx: Tx, wait_id: UUID, *, status: str, resolution: str | None, text: str | None, by: str, now: datetime
) -> Wait | None:
    """Close an open wait; None when it is not open any more."""
    return await tx.find(to_wait, CLOSE, id=wait_id, status=status, resolution=resolution, text=text, by=by, now=now)


async def mark_expired(tx: Tx, wait_id: UUID) -> None:
    """Mark that the time to answer is over; the wait stays open until a person renews or cancels."""
    await tx.execute(MARK_EXPIRED, id=wait_id)


async def find(reader: Reader, wait_id: UUID) -> Wait | None:
    """Return the wait or None."""
    return await reader.find(to_wait, GET, id=wait_id)


async def list_open(reader: Reader, run_id: UUID) -> list[Wait]:
    """Return the run's open waits, oldest first."""
    return await reader.all(to_wait, OPEN_OF, run_id=run_id)


async def list_of(reader: Reader, run_id: UUID) -> list[Wait]:
    """Return all waits of the run, oldest first."""
    return await reader.all(to_wait, LIST_OF, run_id=run_id)


async def list_closed_since(reader: Reader, run_id: UUID, since: datetime) -> list[Wait]:
    """Return the waits that closed since the last attempt: what the next one gets as answers."""
    return await reader.all(to_wait, CLOSED_SINCE, run_id=run_id, since=since)


async def move_target(tx: Tx, wait_id: UUID, *, target_id: str, deadline_at: datetime) -> None:
    """Let the open wait be for another request: the expired one was renewed."""
    await tx.execute(MOVE_TARGET, id=wait_id, target_id=target_id, deadline_at=deadline_at)


async def claim_answered(tx: Tx, *, limit: int) -> list[UUID]:
    """Return waiting runs with an open wait whose request nobody has to decide any more, locked."""
    return await tx.all(_run_id, ANSWERED, limit=limit)


async def list_circumstances(reader: Reader, runs: Sequence[UUID]) -> dict[UUID, Circumstances]:
    """Return what screens show of the runs that wait, by the run's id."""
    found = await reader.all(to_circumstances, CIRCUMSTANCES, runs=list(runs))
    return {item.run_id: item for item in found}


async def claim_due(tx: Tx, *, now: datetime, limit: int) -> list[Wait]:
    """Return open waits whose time has come, with their runs locked: whoever closes a wait holds its run first."""
    runs = await tx.all(_run_id, DUE_RUNS, now=now, limit=limit)
    return await tx.all(to_wait, DUE, runs=runs, now=now) if runs else []


async def limit_waited(reader: Reader, run_id: UUID) -> timedelta:
    """Return how long the run has waited for limits since it last got on: an attempt that did more than meet one."""
    waited: timedelta = await reader.value(LIMIT_WAITED, run_id=run_id)
    return waited


async def claim_runs_with_all_closed(tx: Tx, *, limit: int) -> list[UUID]:
    """Return waiting runs without an open wait, locked."""
    return await tx.all(_run_id, ALL_CLOSED, limit=limit)


async def claim_abandoned(tx: Tx, *, before: datetime, limit: int) -> list[UUID]:
    """Return runs that have waited since before ``before``, locked."""
    return await tx.all(_run_id, ABANDONED, before=before, limit=limit)


def _run_id(row: Row) -> UUID:
    value: UUID = row["run_id"]
    return value
