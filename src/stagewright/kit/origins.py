"""Where a person's change came from: kept beside the journal by correlation, for the audit only.

It is no part of a journal row: bodies are frames, equal for all readers, and an address is not everybody's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from stagewright.kit.db import Reader, Tx, record

NOTE = """
insert into request_origins (correlation_id, actor, channel, ip_prefix, at)
values (%(correlation_id)s, %(actor)s, %(channel)s, %(ip_prefix)s, %(now)s)
on conflict (correlation_id, actor) do nothing
"""
LIST = """
select correlation_id, actor, channel, ip_prefix from request_origins
where correlation_id = any(%(correlations)s) and actor = any(%(actors)s)
"""
FORGET = """
delete from request_origins where (correlation_id, actor) in (
    select correlation_id, actor from request_origins where at < %(before)s order by at limit %(limit)s)
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """The door and the network (/24 or /64) of one request."""

    correlation_id: str
    actor: str
    channel: str
    ip_prefix: str


to_origin = record(Origin)


async def note_origin(tx: Tx, *, channel: str, ip_prefix: str, now: datetime) -> None:
    """Keep where the transaction's actor asked from; the first note of a correlation counts."""
    await tx.execute(
        NOTE, correlation_id=tx.correlation_id, actor=tx.actor.id, channel=channel, ip_prefix=ip_prefix, now=now
    )


async def list_origins(
    reader: Reader, correlations: Sequence[str], actors: Sequence[str]
) -> dict[tuple[str, str], Origin]:
    """Return what is known of requests, by correlation and actor."""
    found = await reader.all(to_origin, LIST, correlations=list(correlations), actors=list(actors))
    return {(item.correlation_id, item.actor): item for item in found}


async def forget_origins(tx: Tx, *, before: datetime, limit: int) -> int:
    """Forget one batch of what is older than ``before``; return how many rows went."""
    return await tx.execute(FORGET, before=before, limit=limit)
