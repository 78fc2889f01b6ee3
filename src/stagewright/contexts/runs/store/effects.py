"""Rows of ``effects`` (the outbox towards the forge) and ``provider_limits``."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from stagewright.contexts.runs.model import Effect
from stagewright.kit.db import Reader, Row, Tx, record

to_effect = record(Effect)

INSERT = """
insert into effects (id, dedupe_key, kind, order_key, bucket, repository_id, target, payload, critical, status,
    not_before, run_id, correlation_id, created_at)
values (%(id)s, %(dedupe_key)s, %(kind)s, %(order_key)s, %(bucket)s, %(repository_id)s, %(target)s, %(payload)s,
    %(critical)s, 'reserved', %(now)s, %(run_id)s, %(correlation_id)s, %(now)s)
on conflict (dedupe_key) do nothing
returning *
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
with due as (
    select e.id, e.bucket, e.critical, e.no,
        row_number() over (partition by e.repository_id, e.bucket order by e.critical desc, e.no) as place
    from effects e
    where e.status = 'reserved' and e.not_before <= %(now)s
      and (not e.critical or exists (select 1 from runs r where r.id = e.run_id
                                     and r.status in ('finishing', 'waiting')))
      and not exists (select 1 from effects earlier where earlier.order_key = e.order_key and earlier.no < e.no
                      and earlier.status in ('reserved', 'submitted', 'unknown'))
      and not exists (select 1 from provider_limits l
                      where l.installation_id = %(installation)s || e.repository_id::text and l.bucket = e.bucket
                        and (l.blocked_until > %(now)s or l.bucket = 'content' and l.last_write_at > %(spaced)s)))
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
    select id from effects where status = 'unknown' and not_before <= %(now)s
    order by no limit %(limit)s for no key update skip locked)
returning *
"""
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
BLOCK = """
insert into provider_limits (installation_id, bucket, remaining, reset_at, blocked_until, cause, strikes, updated_at)
values (%(installation)s, %(bucket)s, %(remaining)s, %(reset_at)s, %(until)s, %(cause)s, 1, %(now)s)
on conflict (installation_id, bucket) do update set
    blocked_until = greatest(coalesce(provider_limits.blocked_until, excluded.blocked_until), excluded.blocked_until),
    cause = excluded.cause, strikes = provider_limits.strikes + 1, updated_at = excluded.updated_at
returning blocked_until, strikes
"""
READING = """
insert into provider_limits (installation_id, bucket, remaining, reset_at, updated_at)
values (%(installation)s, %(bucket)s, %(remaining)s, %(reset_at)s, %(now)s)
on conflict (installation_id, bucket) do update set
    remaining = excluded.remaining, reset_at = excluded.reset_at, updated_at = excluded.updated_at,
    strikes = case when coalesce(provider_limits.blocked_until, excluded.updated_at) <= excluded.updated_at
              then 0 else provider_limits.strikes end
"""
LIMIT = "select * from provider_limits where installation_id = %(installation)s and bucket = %(bucket)s"
CLEARED = """
update provider_limits set blocked_until = null, cause = null
where blocked_until is not null and blocked_until <= %(now)s
returning installation_id, bucket
"""
LAST_WRITE = """
insert into provider_limits (installation_id, bucket, last_write_at, updated_at)
values (%(installation)s, %(bucket)s, %(now)s, %(now)s)
on conflict (installation_id, bucket) do update set last_write_at = excluded.last_write_at
"""

FORGE = "forge:"
CONTENT = "content"
WRITE_SPACING = timedelta(seconds=1)


async def insert(tx: Tx, values: Mapping[str, Any], *, effect_id: UUID, now: datetime) -> Effect | None:
    """Reserve the effect; None when its dedupe key exists."""
    params = dict(values) | {"id": effect_id, "now": now, "payload": Jsonb(dict(values["payload"]))}
    return await tx.find(to_effect, INSERT, **params)


async def supersede_for_run(tx: Tx, *, run_id: UUID, kind: str, keep: str, now: datetime) -> int:
    """Make older reserved effects of the same kind of the run pointless."""
    return await tx.execute(SUPERSEDE, run_id=run_id, kind=kind, keep=keep, now=now)


async def supersede_critical(tx: Tx, run_id: UUID, now: datetime) -> int:
    """Drop the run's reserved critical effects (cancel before the push)."""
    return await tx.execute(SUPERSEDE_CRITICAL, run_id=run_id, now=now)


async def claim(tx: Tx, *, worker: str, now: datetime, until: datetime, limit: int) -> list[Effect]:
    """Submit due effects: the first of each order key whose bucket is open; one content write a second and repository.

    Committed before a request leaves. What a run's publishing needs goes before comments and labels.
    """
    claimed = await tx.all(
        to_effect,
        CLAIM,
        worker=worker,
        now=now,
        until=until,
        spaced=now - WRITE_SPACING,
        limit=limit,
        installation=FORGE,
    )
    for repository_id in {effect.repository_id for effect in claimed if effect.bucket == CONTENT}:
        await tx.execute(LAST_WRITE, installation=f"{FORGE}{repository_id}", bucket=CONTENT, now=now)
    return claimed


async def expire_leases(tx: Tx, now: datetime) -> list[Effect]:
    """Turn submitted effects whose lease ran out into unknown ones."""
    return await tx.all(to_effect, EXPIRED, now=now)


async def claim_unknown(tx: Tx, *, worker: str, now: datetime, until: datetime, limit: int) -> list[Effect]:
    """Lease unknown effects that are due to be looked up."""
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


async def block(
    tx: Tx,
    installation: str,
    bucket: str,
    *,
    until: datetime,
    cause: str,
    now: datetime,
    remaining: int | None = None,
    reset_at: datetime | None = None,
) -> None:
    """Close a bucket until ``until``; all effects, reads and runs of the installation obey."""
    await tx.execute(
        BLOCK,
        installation=installation,
        bucket=bucket,
        until=until,
        cause=cause,
        now=now,
        remaining=remaining,
        reset_at=reset_at,
    )


async def note_reading(
    tx: Tx, installation: str, bucket: str, *, remaining: int | None, reset_at: datetime | None, now: datetime
) -> None:
    """Keep what the newest response said of a bucket."""
    await tx.execute(READING, installation=installation, bucket=bucket, remaining=remaining, reset_at=reset_at, now=now)


async def blocked_until(reader: Reader, installation: str, bucket: str, now: datetime) -> datetime | None:
    """Return until when the bucket is closed, or None when it is open."""
    row = await reader.find(_row, LIMIT, installation=installation, bucket=bucket)
    until: datetime | None = row["blocked_until"] if row else None
    return until if until is not None and until > now else None


async def strikes(reader: Reader, installation: str, bucket: str) -> int:
    """Return how often in a row the bucket was closed without a stated time."""
    row = await reader.find(_row, LIMIT, installation=installation, bucket=bucket)
    return int(row["strikes"]) if row else 0


async def clear_limits(tx: Tx, now: datetime) -> Sequence[tuple[str, str]]:
    """Open the buckets whose time has come and return them."""
    return await tx.all(lambda row: (str(row["installation_id"]), str(row["bucket"])), CLEARED, now=now)


def _row(row: Row) -> Row:
    return row
