"""Runs that break an invariant of the watchdog (specification: runs, section 6.4)."""

from datetime import datetime, timedelta
from uuid import UUID

from stagewright.kit.db import Reader

WAITING_FOR_NOTHING = "all waits are closed but the run still waits"
RUNNING_WITHOUT_ATTEMPT = "the run is running without a live attempt"
FINISHING_TOO_LONG = "the run has been finishing for over fifteen minutes"
CANCELLING_WITHOUT_ATTEMPT = "the run is cancelling without an attempt"
TERMINAL_WITH_WAITS = "the run has ended and still has open waits"
TERMINAL_WITH_ATTEMPT = "the run ended over fifteen minutes ago and its workload still works"

QUERY = """
select id, %(waiting)s as what from runs r
where status = 'waiting' and status_since < %(minute)s
  and not exists (select 1 from waits w where w.run_id = r.id and (w.status = 'open' or w.resolved_at > %(minute)s))
union all
select id, %(running)s from runs r
where status = 'running' and status_since < %(minute)s
  and not exists (select 1 from attempts a where a.run_id = r.id
      and (a.status <> 'ended' or a.ended_at > %(minute)s))
  and not exists (select 1 from run_results p join attempts a on a.id = p.attempt_id
      where a.run_id = r.id and p.verdict is null and p.proposed_at > %(quarter)s)
union all
select id, %(finishing)s from runs where status = 'finishing' and status_since < %(quarter)s
union all
select id, %(cancelling)s from runs r
where status = 'cancelling' and status_since < %(minute)s
  and not exists (select 1 from attempts a where a.run_id = r.id and a.status <> 'ended')
union all
select r.id, %(terminal)s from runs r
where status in ('succeeded', 'failed', 'cancelled')
  and exists (select 1 from waits w where w.run_id = r.id and w.status = 'open')
union all
select r.id, %(attempt)s from runs r
where status in ('succeeded', 'failed', 'cancelled') and r.finished_at < %(quarter)s
  and exists (select 1 from attempts a where a.run_id = r.id and a.status <> 'ended')
limit %(limit)s
"""


async def list_wedged(reader: Reader, *, now: datetime, limit: int) -> list[tuple[UUID, str]]:
    """Return run ids with the sentence that says what is wrong."""
    return await reader.all(
        lambda row: (row["id"], str(row["what"])),
        QUERY,
        waiting=WAITING_FOR_NOTHING,
        running=RUNNING_WITHOUT_ATTEMPT,
        finishing=FINISHING_TOO_LONG,
        cancelling=CANCELLING_WITHOUT_ATTEMPT,
        terminal=TERMINAL_WITH_WAITS,
        attempt=TERMINAL_WITH_ATTEMPT,
        minute=now - timedelta(minutes=1),
        quarter=now - timedelta(minutes=15),
        limit=limit,
    )
