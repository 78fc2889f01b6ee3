"""Rows of ``effects``: the outbox towards the forge."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from stagewright.contexts.runs.model import Effect
from stagewright.kit.db import Reader, Tx, record

to_effect = record(Effect)

INSERT = """
insert into effects (id, dedupe_key, kind, order_key, bucket, repository_id, target, payload, critical, status,
    not_before, run_id, correlation_id, created_at)
values (%(id)s, %(dedupe_key)s, %(kind)s, %(order_key)s, %(bucket)s, %(repository_id)s, %(target)s, %(payload)s,
    %(critical)s, 'reserved', %(now)s, %(run_id)s, %(correlation_id)s, %(now)s)
on conflict (dedupe_key) do nothing
returning *
"""
NEWEST_SETTLED = """
select coalesce(max(no), 0) as no from effects
where order_key = %(order_key)s and kind = %(kind)s and status in ('done', 'failed', 'superseded')
"""
SUPERSEDE = """
update effects set status = 'superseded', finished_at = %(now)s
where status = 'reserved' and kind = %(kind)s and run_id = %(run_id)s and dedupe_key <> %(keep)s
"""
SUPERSEDE_CRITICAL = """
update effects set status = 'superseded', finished_at = %(now)s
where status = 'reserved' and critical and run_id = %(run_id)s
"""
CLAIM = """
with wanted as (
    select e.id, e.no, e.bucket, e.critical, e.repository_id,
        coalesce(i.installation_id, 'repository:' || e.repository_id) as installation
    from effects e
    left join repository_installations i on i.repository_id = e.repository_id
        and i.purpose = case when starts_with(e.kind, 'label.') then 'management' else 'bot' end
    where e.status = 'reserved' and e.not_before <= %(now)s
      and (not e.critical or exists (select 1 from runs r where r.id = e.run_id
                                     and r.status in ('finishing', 'waiting')))
      and not exists (select 1 from effects earlier where earlier.order_key = e.order_key and earlier.no < e.no
                      and earlier.status in ('reserved', 'submitted', 'unknown'))),
due as (
    select w.*, row_number() over (partition by w.installation, w.bucket order by w.critical desc, w.no) as place
    from wanted w
    where not exists (select 1 from provider_limits l
                      where l.installation_id in (w.installation, 'repository:' || w.repository_id)
                        and (l.blocked_until > %(now)s and (l.bucket = w.bucket
                                                           or l.bucket = 'core' and w.bucket = 'content')
                             or l.bucket = 'content' and w.bucket = 'content' and l.last_write_at > %(spaced)s)))
update effects set status = 'submitted', leased_by = %(worker)s, leased_until = %(until)s, submitted_at = %(now)s,
    tries = tries + 1
where id in (
    select e.id from effects e join due on due.id = e.id
    where e.status = 'reserved' and (due.bucket <> 'content' or due.place = 1)
    order by due.critical desc, due.no
    limit %(limit)s
    for no key update of e skip locked)
returning *
"""
EXPIRED = """
update effects set status = 'unknown', not_before = %(now)s, code = 'lease_expired', leased_by = null
where status = 'submitted' and leased_until < %(now)s
returning *
"""
CLAIM_UNKNOWN = """
update effects set leased_by = %(worker)s, leased_until = %(until)s, not_before = %(until)s
where id in (
    select e.id from effects e
    left join repository_installations i on i.repository_id = e.repository_id
        and i.purpose = case when starts_with(e.kind, 'label.') then 'management' else 'bot' end
    where e.status = 'unknown' and e.not_before <= %(now)s
      and not exists (select 1 from provider_limits l
                      where l.installation_id in (i.installation_id, 'repository:' || e.repository_id)
                        and l.bucket = case when e.bucket = 'git' then 'git' else 'core' end
                        and l.blocked_until > %(now)s)
    order by e.no limit %(limit)s for no key update of e skip locked)
returning *
"""
DELAY = "update effects set not_before = %(until)s where id = %(id)s and status = 'reserved'"
FINISH = """
update effects set status = %(status)s, result = %(result)s, code = %(code)s, detail = %(detail)s,
    not_before = %(not_before)s, absent_reads = %(absent_reads)s, leased_by = null, leased_until = null,
    finished_at = case when %(status)s in ('done', 'failed', 'superseded') then %(now)s::timestamptz end
where id = %(id)s and status = %(was)s
returning *
"""
OF_RUN = "select * from effects where run_id = %(run_id)s order by no"
BY_KEY = "select * from effects where dedupe_key = %(key)s"
RECENT_LABEL = """
select 1 from effects
where repository_id = %(repository_id)s and kind = %(kind)s and target = %(target)s
  and payload ->> 'label' = %(label)s
  and (status in ('submitted', 'unknown') or (status = 'done' and finished_at >= %(since)s))
limit 1
"""
PLATFORM_LABEL = """
select kind = 'label.add' as added from effects
where repository_id = %(repository_id)s and kind in ('label.add', 'label.remove') and target = %(target)s
  and payload ->> 'label' = %(label)s and status in ('submitted', 'unknown', 'done')
order by no desc limit 1
"""
COUNT_CAUSE = """
select count(*) from effects
where repository_id = %(repository_id)s and target = %(target)s and payload ->> 'label' = %(label)s
  and starts_with(dedupe_key, %(prefix)s) and created_at >= %(since)s
"""
STUCK = "select * from effects where status = 'submitted' and submitted_at < %(before)s"
WRITE_SPACING = timedelta(seconds=1)


async def insert(tx: Tx, values: Mapping[str, Any], *, effect_id: UUID, now: datetime) -> Effect | None:
    """Reserve the effect; None when its dedupe key exists."""
    params = dict(values) | {"id": effect_id, "now": now, "payload": Jsonb(dict(values["payload"]))}
    return await tx.find(to_effect, INSERT, **params)


async def newest_settled(reader: Reader, kind: str, order_key: str) -> int:
    """Return the number of the newest act of this kind and place that is over; 0 before any."""
    return int(await reader.value(NEWEST_SETTLED, kind=kind, order_key=order_key))


async def supersede_for_run(tx: Tx, *, run_id: UUID, kind: str, keep: str, now: datetime) -> int:
    """Make older reserved effects of the same kind of the run pointless."""
    return await tx.execute(SUPERSEDE, run_id=run_id, kind=kind, keep=keep, now=now)


async def supersede_critical(tx: Tx, run_id: UUID, now: datetime) -> int:
    """Drop the run's reserved critical effects (cancel before the push)."""
    return await tx.execute(SUPERSEDE_CRITICAL, run_id=run_id, now=now)


async def claim(tx: Tx, *, worker: str, now: datetime, until: datetime, limit: int) -> list[Effect]:
    """Submit due effects: the first of each order key whose bucket is open, one content write a second.

    Buckets and the second are those of the installation; who writes content reads too, so a closed core limit holds it
    back. Committed before a request leaves. What a run's publishing needs goes before comments and labels.
    """
    return await tx.all(to_effect, CLAIM, worker=worker, now=now, until=until, spaced=now - WRITE_SPACING, limit=limit)


async def expire_leases(tx: Tx, now: datetime) -> list[Effect]:
    """Turn submitted effects whose lease ran out into unknown ones."""
    return await tx.all(to_effect, EXPIRED, now=now)


async def claim_unknown(tx: Tx, *, worker: str, now: datetime, until: datetime, limit: int) -> list[Effect]:
    """Lease unknown effects that are due to be looked up, where the limits allow to read."""
    return await tx.all(to_effect, CLAIM_UNKNOWN, worker=worker, now=now, until=until, limit=limit)


async def finish(
    tx: Tx,
    effect: Effect,
    status: str,
    *,
    now: datetime,
    result: Mapping[str, Any] | None = None,
    code: str | None = None,
    detail: str | None = None,
    not_before: datetime | None = None,
    absent_reads: int = 0,
) -> Effect | None:
    """Move the effect on from the status it was read with; None when another did."""
    return await tx.find(
        to_effect,
        FINISH,
        id=effect.id,
        was=effect.status.value,
        status=status,
        result=None if result is None else Jsonb(dict(result)),
        code=code,
        detail=detail[:2000] if detail else None,
        not_before=not_before or now,
        absent_reads=absent_reads,
        now=now,
    )


async def delay(tx: Tx, effect_id: UUID, until: datetime) -> None:
    """Do the reserved effect not before ``until``."""
    await tx.execute(DELAY, id=effect_id, until=until)


async def list_of(reader: Reader, run_id: UUID) -> list[Effect]:
    """Return the run's effects in order."""
    return await reader.all(to_effect, OF_RUN, run_id=run_id)


async def find_by_key(reader: Reader, key: str) -> Effect | None:
    """Return the effect with the dedupe key."""
    return await reader.find(to_effect, BY_KEY, key=key)


async def is_own_label_act(
    reader: Reader, repository_id: UUID, *, kind: str, target: str, label: str, since: datetime
) -> bool:
    """Say whether the label act on the thread is (or was, since ``since``) an effect of ours."""
    found = await reader.value(
        RECENT_LABEL, repository_id=repository_id, kind=kind, target=target, label=label, since=since
    )
    return found is not None


async def is_platform_label(reader: Reader, repository_id: UUID, *, target: str, label: str) -> bool:
    """Say whether the newest act of ours about the label on the thread put it there."""
    return bool(await reader.value(PLATFORM_LABEL, repository_id=repository_id, target=target, label=label))


async def count_of_cause(
    reader: Reader, repository_id: UUID, *, target: str, label: str, prefix: str, since: datetime
) -> int:
    """Return how many label acts whose dedupe key begins with ``prefix`` were reserved since ``since``."""
    return int(
        await reader.value(
            COUNT_CAUSE, repository_id=repository_id, target=target, label=label, prefix=prefix, since=since
        )
    )


async def list_stuck(reader: Reader, before: datetime) -> list[Effect]:
    """Return effects submitted before ``before`` and still without an answer."""
    return await reader.all(to_effect, STUCK, before=before)
