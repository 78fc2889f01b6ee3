"""Rows of several contexts about the labels of one repository: their last use, and threads beside their runs."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Reader, Row, record

MOST_THREADS = 2000


@dataclass(frozen=True, slots=True)
class LabelUse:
    """How often a label started or was decided about on threads, and when last."""

    key: str
    uses: int
    last_used_at: datetime
    last_thread: int


to_use = record(LabelUse)
USES = """
select distinct on (label) label as key, count(*) over (partition by label) as uses, occurred_at as last_used_at,
    thread as last_thread
from trigger_ledger where repository_id = %(repository)s order by label, occurred_at desc
"""
# Open threads, and closed ones on which a run is active.
THREADS = """
select t.number, t.is_pull_request, t.state = 'open' as open, t.labels,
    (select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'kind', r.kind, 'lane', r.lane, 'label', r.trigger_label,
        'source', r.trigger_source) order by r.number), '[]') from runs r
     where r.repository_id = t.repository_id and r.status not in ('succeeded', 'failed', 'cancelled')
       and r.subject = case when t.is_pull_request then 'pr:' else 'issue:' end || t.number) as active,
    array(select distinct l.label from trigger_ledger l
          where l.repository_id = t.repository_id and l.thread = t.number) as handled,
    exists (select 1 from pull_request_links p where p.repository_id = t.repository_id and p.state = 'in_review'
            and (p.pr_number = t.number or p.issue_number = t.number)) as in_review,
    exists (select 1 from pull_request_links p where p.repository_id = t.repository_id
            and (p.pr_number = t.number or p.issue_number = t.number)) as linked
from threads t
where t.repository_id = %(repository)s and (t.state = 'open' or exists (
    select 1 from runs r where r.repository_id = t.repository_id
      and r.status not in ('succeeded', 'failed', 'cancelled')
      and r.subject = case when t.is_pull_request then 'pr:' else 'issue:' end || t.number))
order by t.number desc limit %(limit)s
"""


async def list_uses(reader: Reader, repository_id: UUID) -> dict[str, LabelUse]:
    """Return the use of labels that the ledger knows, by key."""
    return {use.key: use for use in await reader.all(to_use, USES, repository=repository_id)}


async def list_threads(reader: Reader, repository_id: UUID) -> list[workflow.ThreadNow]:
    """Return the threads that a scan looks at, the newest first."""
    return await reader.all(_thread, THREADS, repository=repository_id, limit=MOST_THREADS)


def _thread(row: Row) -> workflow.ThreadNow:
    return workflow.ThreadNow(
        number=int(row["number"]),
        is_pull_request=bool(row["is_pull_request"]),
        open=bool(row["open"]),
        labels=tuple(row["labels"]),
        active=tuple(workflow.ActiveOnThread(**item) for item in row["active"]),
        handled=frozenset(row["handled"]),
        in_review=bool(row["in_review"]),
        linked=bool(row["linked"]),
    )
