"""Rows of ``webhook_deliveries``, ``trigger_ledger``, ``threads`` and ``issue_workflows``."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from stagewright.contexts.intake.model import Delivery, LedgerRow, NewDelivery
from stagewright.kit.db import Reader, Row, Tx, record

to_delivery = record(Delivery)
to_ledger = record(LedgerRow)

# Binary payloads: as text, a batch of them would cost three hundred times as much to write down.
KEEP = """
insert into webhook_deliveries (delivery_id, repository_id, app_id, binding, event, payload, received_at, not_before)
select * from unnest(%(ids)s::text[], %(repositories)s::uuid[], %(apps)s::bigint[], %(bindings)s::text[],
    %(events)s::text[], %(payloads)b::bytea[], %(times)s::timestamptz[], %(times)s::timestamptz[])
on conflict (delivery_id) do nothing
returning delivery_id
"""
CLAIM = """
select delivery_id, repository_id, app_id, binding, event, payload, received_at, tries from webhook_deliveries
where status = 'received' and not_before <= %(now)s
order by received_at, delivery_id
limit %(limit)s
"""
LOCK = """
select delivery_id, repository_id, app_id, binding, event, payload, received_at, tries from webhook_deliveries
where delivery_id = %(id)s and status = 'received' for no key update skip locked
"""
DECIDED = """
update webhook_deliveries set status = 'decided', verdict = %(verdict)s, reason = %(reason)s, action = %(action)s,
    thread = %(thread)s, repository_id = coalesce(%(repository_id)s, repository_id)
where delivery_id = %(id)s
"""
POSTPONED = """
update webhook_deliveries set tries = tries + 1, not_before = %(not_before)s,
    status = case when tries + 1 >= %(most)s then 'dead' else status end, reason = %(reason)s
where delivery_id = %(id)s and status = 'received'
returning status
"""
LEDGER = """
insert into trigger_ledger (repository_id, thread, label, occurred_at, source, decision, reason, run_id, delivery_id,
    decided_at)
values (%(repository_id)s, %(thread)s, %(label)s, %(occurred_at)s, %(source)s, %(decision)s, %(reason)s, %(run_id)s,
    %(delivery_id)s, %(now)s)
on conflict do nothing
"""
HANDLED_AT = """
select max(occurred_at) from trigger_ledger
where repository_id = %(repository_id)s and thread = %(thread)s and label = %(label)s
  and reason is distinct from 'deferred_active_run'
"""
SETTLE_DEFERRED = """
update trigger_ledger set decision = %(decision)s, reason = %(reason)s, run_id = %(run_id)s
where repository_id = %(repository_id)s and thread = %(thread)s and label = %(label)s
  and reason = 'deferred_active_run' and occurred_at <= %(occurred_at)s
"""
DEFERRED = """
select distinct repository_id, thread from trigger_ledger where reason = 'deferred_active_run' limit %(limit)s
"""
THREAD = """
insert into threads (repository_id, number, is_pull_request, state, labels, seen_at)
values (%(repository_id)s, %(number)s, %(is_pull_request)s, %(state)s, %(labels)s, %(seen_at)s)
on conflict (repository_id, number) do update set state = excluded.state, labels = excluded.labels,
    seen_at = excluded.seen_at
where threads.seen_at <= excluded.seen_at
"""
# What a rethink ended with is decided anew: a profile that is older is provisional again.
PROFILE = """
select p.profile, case when exists (
        select 1 from runs r where r.repository_id = p.repository_id and r.issue_number = p.issue_number
          and r.kind = 'rethink' and r.status = 'succeeded' and r.finished_at >= p.updated_at
    ) then 'default' else p.source end as source
from issue_workflows p where p.repository_id = %(repository_id)s and p.issue_number = %(n)s
"""
SET_PROFILE = """
insert into issue_workflows (repository_id, issue_number, profile, source, last_stage, updated_by, updated_at)
values (%(repository_id)s, %(n)s, %(profile)s, %(source)s, %(stage)s, %(by)s, %(now)s)
on conflict (repository_id, issue_number) do update set profile = excluded.profile, source = excluded.source,
    last_stage = excluded.last_stage, updated_by = excluded.updated_by, updated_at = excluded.updated_at
"""
DELAYED = "update webhook_deliveries set not_before = %(until)s where delivery_id = %(id)s and status = 'received'"
OLD_BODIES = """
update webhook_deliveries set payload = ''
where delivery_id in (select delivery_id from webhook_deliveries
    where received_at < %(before)s and status <> 'received' and payload <> '' limit %(limit)s)
"""
OLD = """
delete from webhook_deliveries
where delivery_id in (select delivery_id from webhook_deliveries
    where received_at < %(before)s and status <> 'received' limit %(limit)s)
"""
LOCK_THREAD = "select pg_advisory_xact_lock(hashtextextended('thread:' || %(r)s::text || ':' || %(n)s::text, 0))"
PENDING = "select count(*) from webhook_deliveries where status = 'received'"


async def keep(tx: Tx, deliveries: Sequence[NewDelivery], *, now: datetime) -> frozenset[str]:
    """Insert deliveries in one statement; return the ids that were new."""
    rows = await tx.all(
        lambda row: str(row["delivery_id"]),
        KEEP,
        ids=[item.delivery_id for item in deliveries],
        repositories=[item.repository_id for item in deliveries],
        apps=[item.app_id for item in deliveries],
        bindings=[item.binding for item in deliveries],
        events=[item.event for item in deliveries],
        payloads=[item.payload for item in deliveries],
        times=[now] * len(deliveries),
    )
    return frozenset(rows)


async def list_due(reader: Reader, *, now: datetime, limit: int) -> list[Delivery]:
    """Return undecided deliveries in order of receipt."""
    return await reader.all(to_delivery, CLAIM, now=now, limit=limit)


async def lock(tx: Tx, delivery_id: str) -> Delivery | None:
    """Return the delivery locked, or None when another worker has it or decided it."""
    return await tx.find(to_delivery, LOCK, id=delivery_id)


async def set_decided(
    tx: Tx,
    delivery_id: str,
    *,
    verdict: str,
    reason: str | None,
    action: str | None,
    thread: int | None,
    repository_id: UUID | None,
) -> None:
    """Write the verdict."""
    await tx.execute(
        DECIDED,
        id=delivery_id,
        verdict=verdict,
        reason=reason,
        action=action,
        thread=thread,
        repository_id=repository_id,
    )


async def postpone(tx: Tx, delivery_id: str, *, not_before: datetime, most: int, reason: str) -> bool:
    """Try the delivery again later; say whether it is dead now."""
    status = await tx.value(POSTPONED, id=delivery_id, not_before=not_before, most=most, reason=reason)
    return bool(status == "dead")


async def delay(tx: Tx, delivery_id: str, until: datetime) -> None:
    """Look at the delivery again after ``until``; it is no failed try."""
    await tx.execute(DELAYED, id=delivery_id, until=until)


async def forget_bodies(tx: Tx, *, before: datetime, limit: int) -> int:
    """Drop the payloads of decided deliveries that came before ``before``."""
    return await tx.execute(OLD_BODIES, before=before, limit=limit)


async def delete_old(tx: Tx, *, before: datetime, limit: int) -> int:
    """Delete decided deliveries that came before ``before``."""
    return await tx.execute(OLD, before=before, limit=limit)


async def add_ledger(tx: Tx, row: LedgerRow, *, now: datetime) -> None:
    """Write an occurrence as handled, whatever the decision."""
    await tx.execute(
        LEDGER,
        repository_id=row.repository_id,
        thread=row.thread,
        label=row.label,
        occurred_at=row.occurred_at,
        source=row.source,
        decision=row.decision,
        reason=row.reason,
        run_id=row.run_id,
        delivery_id=row.delivery_id,
        now=now,
    )


async def settle_deferred(tx: Tx, row: LedgerRow) -> None:
    """Let a decision stand for all earlier acts of its thread and label that were put off."""
    await tx.execute(
        SETTLE_DEFERRED,
        repository_id=row.repository_id,
        thread=row.thread,
        label=row.label,
        occurred_at=row.occurred_at,
        decision=row.decision,
        reason=row.reason,
        run_id=row.run_id,
    )


async def list_deferred(reader: Reader, *, limit: int) -> list[tuple[UUID, int]]:
    """Return repository and thread of acts that were put off until a run has ended."""
    return await reader.all(lambda row: (row["repository_id"], int(row["thread"])), DEFERRED, limit=limit)


async def handled_at(reader: Reader, repository_id: UUID, thread: int, label: str) -> datetime | None:
    """Return the newest handled occurrence of the label on the thread."""
    value: datetime | None = await reader.value(HANDLED_AT, repository_id=repository_id, thread=thread, label=label)
    return value


async def keep_thread(tx: Tx, values: Mapping[str, Any]) -> bool:
    """Keep the thread's state and labels; an older fact never overwrites a newer one. Say whether it was kept."""
    return await tx.execute(THREAD, **values) > 0


async def find_profile(reader: Reader, repository_id: UUID, issue: int) -> tuple[str, str] | None:
    """Return the Issue's launch profile and its source."""
    return await reader.find(_profile, PROFILE, repository_id=repository_id, n=issue)


def _profile(row: Row) -> tuple[str, str]:
    return str(row["profile"]), str(row["source"])


async def set_profile(
    tx: Tx,
    repository_id: UUID,
    issue: int,
    *,
    profile: str,
    source: str,
    stage: str | None,
    by: str,
    now: datetime,
) -> None:
    """Write the Issue's launch profile and its newest stage."""
    await tx.execute(
        SET_PROFILE,
        repository_id=repository_id,
        n=issue,
        profile=profile,
        source=source,
        stage=stage,
        by=by,
        now=now,
    )


async def lock_thread(tx: Tx, repository_id: UUID, thread: int) -> None:
    """Let one worker at a time decide about a thread."""
    await tx.value(LOCK_THREAD, r=repository_id, n=thread)


async def count_pending(reader: Reader) -> int:
    """Return how many deliveries wait for their decision."""
    return int(await reader.value(PENDING))
