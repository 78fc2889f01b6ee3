"""Rows of ``provider_limits``, and of whose limits a repository's requests draw on (``repository_installations``).

Rows of limits are shared by many runs: lock them last, several of them in the order of their keys.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from stagewright.kit.db import Reader, Row, Tx

BLOCK = """
insert into provider_limits (installation_id, bucket, remaining, reset_at, blocked_until, cause, strikes, updated_at)
values (%(installation)s, %(bucket)s, %(remaining)s, %(reset_at)s, %(until)s, %(cause)s, %(strike)s, %(now)s)
on conflict (installation_id, bucket) do update set
    blocked_until = greatest(coalesce(provider_limits.blocked_until, excluded.blocked_until), excluded.blocked_until),
    cause = excluded.cause, strikes = provider_limits.strikes + excluded.strikes, updated_at = excluded.updated_at
"""
READING = """
insert into provider_limits (installation_id, bucket, remaining, reset_at, updated_at)
values (%(installation)s, %(bucket)s, %(remaining)s, %(reset_at)s, %(now)s)
on conflict (installation_id, bucket) do update set
    remaining = excluded.remaining, reset_at = excluded.reset_at, updated_at = excluded.updated_at
"""
WORKED = """
update provider_limits set strikes = 0
where installation_id = %(installation)s and bucket = %(bucket)s and strikes > 0
  and (blocked_until is null or blocked_until <= %(now)s)
"""
LIMIT = "select * from provider_limits where installation_id = %(installation)s and bucket = %(bucket)s"
CLOSED = """
select l.bucket, l.blocked_until from provider_limits l
where l.bucket = any(%(buckets)s) and l.blocked_until > %(now)s
  and (l.installation_id = 'repository:' || %(repository_id)s::text or l.installation_id in (
       select i.installation_id from repository_installations i where i.repository_id = %(repository_id)s))
order by l.blocked_until desc, l.bucket limit 1
"""
HELD_BACK = """
select r.id as run_id, l.bucket, max(l.blocked_until) as until
from runs r
join effects e on e.run_id = r.id and e.critical and e.status = 'reserved'
left join repository_installations i on i.repository_id = e.repository_id and i.purpose = 'bot'
join provider_limits l on l.installation_id in (i.installation_id, 'repository:' || e.repository_id)
    and (l.bucket = e.bucket or l.bucket = 'core' and e.bucket = 'content')
where r.status = 'finishing' and l.blocked_until > %(now)s
group by r.id, l.bucket
limit %(limit)s
"""
CLEARED = """
with over as (
    select installation_id, bucket from provider_limits where blocked_until <= %(now)s
    order by installation_id, bucket for no key update skip locked)
update provider_limits l set blocked_until = null, cause = null from over
where l.installation_id = over.installation_id and l.bucket = over.bucket
returning l.installation_id, l.bucket
"""
WRITTEN = """
insert into provider_limits (installation_id, bucket, last_write_at, updated_at)
select distinct coalesce(i.installation_id, 'repository:' || e.repository_id), e.bucket, %(now)s::timestamptz,
    %(now)s::timestamptz
from effects e
left join repository_installations i on i.repository_id = e.repository_id and i.purpose = 'bot'
where e.id = any(%(effects)s) and e.bucket = 'content'
order by 1
on conflict (installation_id, bucket) do update set last_write_at = excluded.last_write_at
"""
LEARN = """
insert into repository_installations (repository_id, purpose, installation_id, learned_at)
values (%(repository_id)s, %(purpose)s, %(installation)s, %(now)s)
on conflict (repository_id, purpose) do update
    set installation_id = excluded.installation_id, learned_at = excluded.learned_at
    where repository_installations.installation_id <> excluded.installation_id
"""
LEARNED = """
select installation_id from repository_installations
where repository_id = %(repository_id)s and purpose = %(purpose)s
"""
UNLEARNED = """
select r.id from repositories r
where r.state = 'enabled' and r.unbound_at is null
  and not exists (select 1 from repository_installations i where i.repository_id = r.id)
order by r.bound_at limit %(limit)s
"""


def own_key(repository_id: UUID) -> str:
    """Return the key under which a repository's limits are kept as long as its installation is not known."""
    return f"repository:{repository_id}"


async def learn(tx: Tx, repository_id: UUID, purpose: str, installation: str, *, now: datetime) -> None:
    """Note whose limits the repository's requests draw on with the credential of ``purpose``."""
    await tx.execute(LEARN, repository_id=repository_id, purpose=purpose, installation=installation, now=now)


async def installation_of(reader: Reader, repository_id: UUID, purpose: str) -> str:
    """Return the key of the limits that the repository draws on with the credential of ``purpose``."""
    found = await reader.value(LEARNED, repository_id=repository_id, purpose=purpose)
    return own_key(repository_id) if found is None else str(found)


async def list_unlearned(reader: Reader, *, limit: int) -> list[UUID]:
    """Return enabled repositories of which nobody knows whose limits they draw on."""
    return await reader.all(_id, UNLEARNED, limit=limit)


async def block(
    tx: Tx,
    installation: str,
    bucket: str,
    *,
    until: datetime,
    cause: str,
    now: datetime,
    strike: bool = True,
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
        strike=int(strike),
        remaining=remaining,
        reset_at=reset_at,
    )


async def note_reading(
    tx: Tx, installation: str, bucket: str, *, remaining: int | None, reset_at: datetime | None, now: datetime
) -> None:
    """Keep what the newest response said of a bucket."""
    await tx.execute(READING, installation=installation, bucket=bucket, remaining=remaining, reset_at=reset_at, now=now)


async def note_worked(tx: Tx, installation: str, bucket: str, *, now: datetime) -> None:
    """A request was taken: strikes of an open bucket begin anew."""
    await tx.execute(WORKED, installation=installation, bucket=bucket, now=now)


async def note_writes(tx: Tx, effects: Iterable[UUID], *, now: datetime) -> None:
    """Note when the installations of these effects write content: the next one is a second later."""
    await tx.execute(WRITTEN, effects=list(effects), now=now)


async def blocked_until(reader: Reader, installation: str, bucket: str, now: datetime) -> datetime | None:
    """Return until when the bucket is closed, or None when it is open."""
    row = await reader.find(_row, LIMIT, installation=installation, bucket=bucket)
    until: datetime | None = row["blocked_until"] if row else None
    return until if until is not None and until > now else None


async def find_closed(
    reader: Reader, repository_id: UUID, buckets: Iterable[str], *, now: datetime
) -> tuple[str, datetime] | None:
    """Return the bucket of the repository's installations that opens last and until when it is closed, or None."""
    return await reader.find(_closed, CLOSED, repository_id=repository_id, buckets=list(buckets), now=now)


async def list_held_back(reader: Reader, *, now: datetime, limit: int) -> list[tuple[UUID, str, datetime]]:
    """Return finishing runs whose next act has to wait for a closed bucket: run, bucket, until when."""
    return await reader.all(
        lambda row: (row["run_id"], str(row["bucket"]), row["until"]), HELD_BACK, now=now, limit=limit
    )


async def strikes(reader: Reader, installation: str, bucket: str) -> int:
    """Return how often in a row the bucket was closed without a stated time."""
    row = await reader.find(_row, LIMIT, installation=installation, bucket=bucket)
    return int(row["strikes"]) if row else 0


async def clear_limits(tx: Tx, now: datetime) -> Sequence[tuple[str, str]]:
    """Open the buckets whose time has come and return them."""
    return await tx.all(lambda row: (str(row["installation_id"]), str(row["bucket"])), CLEARED, now=now)


def _row(row: Row) -> Row:
    return row


def _id(row: Row) -> UUID:
    value: UUID = row["id"]
    return value


def _closed(row: Row) -> tuple[str, datetime]:
    return str(row["bucket"]), row["blocked_until"]
