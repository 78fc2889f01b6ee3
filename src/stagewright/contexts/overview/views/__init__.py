"""Rows of several contexts as the inbox and the figures read them."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from stagewright.contexts.overview.model import DayFigures, FailedRow, ReviewRow, WaitingRow
from stagewright.kit.db import Reader, record

MOST = 200
UUID_TEXT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
to_waiting = record(WaitingRow)
to_failed = record(FailedRow)
to_review = record(ReviewRow)
to_day = record(DayFigures)

# A rate limit ends by itself, and a discussion waits for whoever wants to say something: neither needs anybody.
WAITING = """
select w.id as wait_id, w.kind, w.target_kind, w.target_id, w.who_can_act, w.opened_at, w.deadline_at, w.resume_at,
    w.mark, r.status_since as waiting_since,
    case when w.kind = 'question' then (
        select left(x.report ->> 'question', 2000) from run_results x join attempts a on a.id = x.attempt_id
        where a.run_id = r.id order by x.proposed_at desc limit 1) end as question,
    r.id as run_id, r.number, r.stage, r.issue_number, r.pr_number, r.project_id, p.key as project,
    s.full_name as repository, s.web_url
from waits w join runs r on r.id = w.run_id join projects p on p.id = r.project_id
    join repositories s on s.id = r.repository_id
where w.status = 'open' and r.status = 'waiting' and w.kind <> 'rate_limit'
  and w.target_kind <> 'discussion'
  and (%(visible)s::uuid[] is null or r.project_id = any(%(visible)s))
order by w.opened_at desc limit %(limit)s
"""
# The newest run of its subject failed, and the thread is still open: nothing goes on without a person.
FAILED = """
select r.id as run_id, r.number, r.stage, r.kind, r.issue_number, r.pr_number, r.failure_class, r.code, r.detail,
    r.finished_at, r.project_id, p.key as project, s.full_name as repository, s.web_url
from runs r join projects p on p.id = r.project_id join repositories s on s.id = r.repository_id
where r.status = 'failed' and r.finished_at >= %(since)s
  and (%(visible)s::uuid[] is null or r.project_id = any(%(visible)s))
  and not exists (select 1 from runs n where n.repository_id = r.repository_id and n.lane = r.lane
                  and n.subject = r.subject and n.number > r.number)
  and not exists (select 1 from threads t where t.repository_id = r.repository_id
                  and t.number = coalesce(r.issue_number, r.pr_number) and t.state = 'closed')
order by r.finished_at desc limit %(limit)s
"""
# Nobody of ours works on it now.
REVIEWS = """
select l.repository_id, l.pr_number, l.issue_number, l.stage, l.url, coalesce(r.finished_at, l.updated_at) as since,
    r.id as run_id, r.number, r.project_id, p.key as project, s.full_name as repository
from pull_request_links l join runs r on r.id = l.last_run join projects p on p.id = r.project_id
    join repositories s on s.id = l.repository_id
where l.state = 'in_review'
  and (%(visible)s::uuid[] is null or r.project_id = any(%(visible)s))
  and not exists (select 1 from runs n where n.repository_id = l.repository_id
                  and n.status not in ('succeeded', 'failed', 'cancelled')
                  and (n.pr_number = l.pr_number or n.issue_number = l.issue_number))
  and not exists (select 1 from threads t where t.repository_id = l.repository_id and t.number = l.pr_number
                  and t.state = 'closed')
order by since desc limit %(limit)s
"""
DAYS = """
with days as (
    select generate_series(%(first)s::date, %(last)s::date, interval '1 day')::date as day),
begun as (
    select (created_at at time zone 'UTC')::date as day, count(*) as started from runs
    where created_at >= %(since)s and (%(visible)s::uuid[] is null or project_id = any(%(visible)s)) group by 1),
ended as (
    select (finished_at at time zone 'UTC')::date as day, count(*) filter (where status = 'succeeded') as succeeded,
        count(*) filter (where status = 'failed') as failed, count(*) filter (where status = 'cancelled') as cancelled,
        sum(active_seconds) as active_seconds, sum(tokens_in) as tokens_in, sum(tokens_cached) as tokens_cached,
        sum(tokens_out) as tokens_out, sum(cost_micros) as cost_micros
    from runs
    where finished_at >= %(since)s and (%(visible)s::uuid[] is null or project_id = any(%(visible)s)) group by 1),
waited as (
    select (w.resolved_at at time zone 'UTC')::date as day, count(*) as waits,
        sum(extract(epoch from w.resolved_at - w.opened_at)) as waited_seconds,
        count(*) filter (where w.kind in ('approval', 'owner_review') and w.status = 'resolved') as approvals
    from waits w join runs r on r.id = w.run_id
    where w.resolved_at >= %(since)s and (%(visible)s::uuid[] is null or r.project_id = any(%(visible)s)) group by 1),
opened as (
    select (l.created_at at time zone 'UTC')::date as day, count(*) as pull_requests
    from pull_request_links l join runs r on r.id = l.created_by_run
    where l.created_at >= %(since)s and (%(visible)s::uuid[] is null or r.project_id = any(%(visible)s)) group by 1)
select d.day, coalesce(started, 0)::bigint as started, coalesce(succeeded, 0)::bigint as succeeded,
    coalesce(failed, 0)::bigint as failed, coalesce(cancelled, 0)::bigint as cancelled,
    coalesce(active_seconds, 0)::bigint as active_seconds, coalesce(tokens_in, 0)::bigint as tokens_in,
    coalesce(tokens_cached, 0)::bigint as tokens_cached, coalesce(tokens_out, 0)::bigint as tokens_out,
    cost_micros::bigint as cost_micros, coalesce(approvals, 0)::bigint as approvals,
    coalesce(waits, 0)::bigint as waits, coalesce(waited_seconds, 0)::bigint as waited_seconds,
    coalesce(pull_requests, 0)::bigint as pull_requests
from days d left join begun b using (day) left join ended e using (day) left join waited w using (day)
    left join opened o using (day)
order by d.day
"""
PROJECT_KEYS = "select id, key from projects where id = any(%(ids)s)"


NAMES: Mapping[str, LiteralString] = {
    "run": "select id::text as id, 'run-' || lpad(number::text, greatest(4, length(number::text)), '0') as label"
    " from runs where id = any(%(ids)s::uuid[])",
    "project": "select id::text as id, key as label from projects where id = any(%(ids)s::uuid[])",
    "repository": "select id::text as id, full_name as label from repositories where id = any(%(ids)s::uuid[])",
    "user": "select id::text as id, display_name as label from users where id = any(%(ids)s::uuid[])",
    "incident": "select id::text as id, code as label from incidents where id = any(%(ids)s::uuid[])",
    "thread": "select id::text as id, full_name as label from repositories where id = any(%(ids)s::uuid[])",
}
"""How the things that journal streams are about are called."""

REQUESTERS = """
select r.id, r.requested_by_kind as kind, r.requested_by as actor, u.display_name as name
from runs r left join users u on r.requested_by_kind = 'user' and u.id::text = r.requested_by
where r.id = any(%(ids)s)
"""
FORGE_NAMES = """
select lower(github_login) as login, display_name from users where lower(github_login) = any(%(logins)s)
"""


async def list_waiting(reader: Reader, *, visible: Sequence[UUID] | None) -> list[WaitingRow]:
    """Return open waits that a person ends, newest first."""
    return await reader.all(to_waiting, WAITING, visible=visible, limit=MOST)


async def list_failed(reader: Reader, *, visible: Sequence[UUID] | None, since: datetime) -> list[FailedRow]:
    """Return runs that failed since ``since`` and that nothing followed, newest first."""
    return await reader.all(to_failed, FAILED, visible=visible, since=since, limit=MOST)


async def list_reviews(reader: Reader, *, visible: Sequence[UUID] | None) -> list[ReviewRow]:
    """Return pull requests in review on which no run works, newest first."""
    return await reader.all(to_review, REVIEWS, visible=visible, limit=MOST)


async def list_days(
    reader: Reader, *, visible: Sequence[UUID] | None, since: datetime, until: datetime
) -> list[DayFigures]:
    """Return the figures of each day (UTC) from ``since`` to ``until``, both included."""
    values: dict[str, Any] = {"first": since.date(), "last": until.date(), "since": since}
    return await reader.all(to_day, DAYS, visible=visible, **values)


async def project_keys(reader: Reader, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the keys of projects."""
    return dict(await reader.all(lambda row: (row["id"], str(row["key"])), PROJECT_KEYS, ids=list(ids)))


async def name_objects(reader: Reader, kind: str, ids: Sequence[str]) -> dict[str, str]:
    """Return what things of one kind are called, by id; of an unknown kind, nothing."""
    valid = [key for key in ids if UUID_TEXT.fullmatch(key)]
    if kind not in NAMES or not valid:
        return {}
    return dict(await reader.all(lambda row: (str(row["id"]), str(row["label"])), NAMES[kind], ids=valid))


async def list_requesters(reader: Reader, runs: Sequence[UUID]) -> dict[UUID, tuple[str, str, str | None]]:
    """Return who asked for runs: kind, id and name of each."""
    rows = await reader.all(lambda row: row, REQUESTERS, ids=list(runs))
    return {row["id"]: (row["kind"], row["actor"], row["name"]) for row in rows}


async def name_logins(reader: Reader, logins: Sequence[str]) -> dict[str, str]:
    """Return the names of people by forge login: for display only, rights never go by login."""
    wanted = [login.lower() for login in logins]
    return dict(await reader.all(lambda row: (str(row["login"]), str(row["display_name"])), FORGE_NAMES, logins=wanted))
