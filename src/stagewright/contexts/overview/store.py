"""Rows of ``inbox_snoozes``: what a person has put aside."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from stagewright.contexts.overview.model import Snooze
from stagewright.kit.db import Reader, Tx, record

to_snooze = record(Snooze)
OF_USER = "select item, until, snoozed_at from inbox_snoozes where user_id = %(user)s and until > %(now)s"
PUT = """
insert into inbox_snoozes (user_id, item, until, snoozed_at) values (%(user)s, %(item)s, %(until)s, %(now)s)
on conflict (user_id, item) do update set until = excluded.until, snoozed_at = excluded.snoozed_at
"""
TAKE_BACK = "delete from inbox_snoozes where user_id = %(user)s and item = %(item)s"
FORGET = "delete from inbox_snoozes where user_id = %(user)s and until <= %(now)s"


async def list_snoozes(reader: Reader, user_id: UUID, *, now: datetime) -> Mapping[str, Snooze]:
    """Return what the person has put aside beyond ``now``, by item."""
    return {item.item: item for item in await reader.all(to_snooze, OF_USER, user=user_id, now=now)}


async def put_aside(tx: Tx, user_id: UUID, item: str, *, until: datetime, now: datetime) -> None:
    """Put an item aside until ``until``; what is over is forgotten."""
    await tx.execute(FORGET, user=user_id, now=now)
    await tx.execute(PUT, user=user_id, item=item, until=until, now=now)


async def take_back(tx: Tx, user_id: UUID, item: str) -> bool:
    """Show an item again; return whether it was put aside."""
    return await tx.execute(TAKE_BACK, user=user_id, item=item) > 0
