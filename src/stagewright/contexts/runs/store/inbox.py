"""Rows of ``run_inbox``: what people said to a run and no attempt was told yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from stagewright.kit.db import Reader, Row, Tx, record
from stagewright.kit.ids import uuid7


@dataclass(frozen=True, slots=True)
class Item:
    """Something a person said; ``source_ref`` is ``comment:<id>``."""

    source_ref: str
    author: str
    body: str
    received_at: datetime


to_item = record(Item)

ADD = """
insert into run_inbox (id, run_id, kind, source_ref, author, body, received_at)
values (%(id)s, %(run_id)s, %(kind)s, %(source_ref)s, %(author)s, %(body)s, %(received_at)s)
on conflict (run_id, source_ref) do nothing
"""
TAKE = """
update run_inbox set consumed_by = %(attempt_id)s where run_id = %(run_id)s and consumed_by is null
returning source_ref, author, body, received_at
"""
TAKEN = """
select source_ref, author, body, received_at from run_inbox where consumed_by = %(attempt_id)s order by received_at, id
"""
GIVE_BACK = "update run_inbox set consumed_by = null where consumed_by = %(attempt_id)s"
DUE = """
select r.id as run_id from runs r
where r.status = 'waiting' and r.lane = 'talk'
  and exists (select 1 from waits w where w.run_id = r.id and w.status = 'open' and w.target_kind = 'discussion')
  and exists (select 1 from run_inbox i where i.run_id = r.id and i.consumed_by is null
              having max(i.received_at) <= %(quiet)s or min(i.received_at) <= %(longest)s)
order by r.status_since limit %(limit)s for no key update of r skip locked
"""


async def add(
    tx: Tx, run_id: UUID, *, kind: str, source_ref: str, author: str, body: str, received_at: datetime
) -> bool:
    """Keep what was said once; say whether it was new."""
    added = await tx.execute(
        ADD,
        id=uuid7(),
        run_id=run_id,
        kind=kind,
        source_ref=source_ref,
        author=author,
        body=body,
        received_at=received_at,
    )
    return added > 0


async def take(tx: Tx, run_id: UUID, attempt_id: UUID) -> list[Item]:
    """Give the attempt everything that none was told yet, oldest first."""
    taken = await tx.all(to_item, TAKE, run_id=run_id, attempt_id=attempt_id)
    return sorted(taken, key=lambda item: (item.received_at, item.source_ref))


async def list_taken(reader: Reader, attempt_id: UUID) -> Sequence[Item]:
    """Return what the attempt was told, oldest first."""
    return await reader.all(to_item, TAKEN, attempt_id=attempt_id)


async def give_back(tx: Tx, attempt_id: UUID) -> None:
    """The attempt answered nothing: the next one is told the same."""
    await tx.execute(GIVE_BACK, attempt_id=attempt_id)


async def claim_due(tx: Tx, *, quiet: datetime, longest: datetime, limit: int) -> list[UUID]:
    """Return waiting talk runs, locked, to which something was said: nothing since ``quiet``, or the first of it before
    ``longest``."""
    return await tx.all(_run_id, DUE, quiet=quiet, longest=longest, limit=limit)


def _run_id(row: Row) -> UUID:
    value: UUID = row["run_id"]
    return value
