"""How many sockets a person has open over all gateways: one row for each gateway and person (access.md §5.5).

A gateway writes its own present number, never a difference, and all of them anew every few seconds: whatever a crash
left, of a gateway or of the unlogged table, mends itself. Numbers of a gateway that writes no more count no more.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.kit.db import Tx

KEPT_FRESH = timedelta(seconds=15)
DEAD_AFTER = timedelta(seconds=60)

KEEP = """
insert into open_sockets (gateway, user_id, sockets, seen_at)
select %(gateway)s, user_id, sockets, %(now)s
from unnest(%(users)s::uuid[], %(sockets)s::integer[]) as s (user_id, sockets)
order by user_id
on conflict (user_id, gateway) do update set sockets = excluded.sockets, seen_at = excluded.seen_at
"""
ELSEWHERE = """
select coalesce(sum(sockets), 0)::integer from open_sockets
where user_id = %(user_id)s and gateway <> %(gateway)s and seen_at > %(since)s
"""
GONE = "delete from open_sockets where gateway = %(gateway)s and user_id = any(%(users)s)"
ONLY = "delete from open_sockets where gateway = %(gateway)s and not user_id = any(%(users)s)"
FORGET = "delete from open_sockets where seen_at < %(before)s"
LEAVE = "delete from open_sockets where gateway = %(gateway)s"


async def take_seat(tx: Tx, gateway: str, user_id: UUID, sockets: int, *, now: datetime) -> int:
    """Write that the person has ``sockets`` open at ``gateway``; return how many they have at the others.

    Two gateways must not ask at once for one person: whoever takes from the person's bucket before is alone.
    """
    await keep_seats(tx, gateway, {user_id: sockets}, now=now)
    since = now - DEAD_AFTER
    return int(await tx.value(ELSEWHERE, user_id=user_id, gateway=gateway, since=since))


async def keep_seats(tx: Tx, gateway: str, seats: Mapping[UUID, int], *, now: datetime) -> None:
    """Write how many sockets these people have at ``gateway``; those with none are removed."""
    there = {user: sockets for user, sockets in seats.items() if sockets > 0}
    await tx.execute(KEEP, gateway=gateway, users=list(there), sockets=list(there.values()), now=now)
    await tx.execute(GONE, gateway=gateway, users=[user for user in seats if user not in there])


async def keep_all_seats(tx: Tx, gateway: str, seats: Mapping[UUID, int], *, now: datetime) -> None:
    """Write that these are all who have sockets at ``gateway``, and forget gateways that are no more."""
    await keep_seats(tx, gateway, seats, now=now)
    await tx.execute(ONLY, gateway=gateway, users=list(seats))
    await tx.execute(FORGET, before=now - 2 * DEAD_AFTER)


async def leave_seats(tx: Tx, gateway: str) -> None:
    """Remove what ``gateway`` wrote: it ends."""
    await tx.execute(LEAVE, gateway=gateway)
