"""The error journal as its screen and the alert stack show it to one person."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from stagewright.contexts.incidents.model import Incident, Seen
from stagewright.contexts.incidents.rules import ALERTING
from stagewright.kit.db import Reader, Row, record

to_incident = record(Incident)
STACKED = 5
MOST_COUNTED = 1000

# `visible` null: all rows, those of no project too; that is for the platform's admins only.
CHOSEN: LiteralString = """
from incidents i left join incident_views v on v.incident_id = i.id and v.user_id = %(user)s
where (%(visible)s::uuid[] is null or i.project_id = any(%(visible)s))
  and (%(projects)s::uuid[] is null or i.project_id = any(%(projects)s))
  and (%(runs)s::uuid[] is null or i.run_id = any(%(runs)s))
  and (%(states)s::text[] is null or i.state = any(%(states)s))
  and (%(levels)s::text[] is null or i.level = any(%(levels)s))
  and (%(sources)s::text[] is null or i.source = any(%(sources)s))
  and (%(codes)s::text[] is null or i.code = any(%(codes)s))
  and (%(muted)s::boolean is null or (i.state = 'open' and coalesce(i.muted_until > %(now)s, false)) = %(muted)s)
  and (%(viewed)s::boolean is null or coalesce(v.viewed_at >= i.reopened_at, false) = %(viewed)s)
"""
LIST: LiteralString = (
    "select i.*, v.viewed_at"
    + CHOSEN
    + """
  and (%(before)s::timestamptz is null or (i.last_seen, i.id) < (%(before)s, %(before_id)s))
order by i.last_seen desc, i.id desc limit %(limit)s
"""
)
COUNTED: LiteralString = "select count(*) from (select 1 "
COUNT: LiteralString = COUNTED + CHOSEN + " limit %(limit)s) counted"
GET = """
select i.*, v.viewed_at from incidents i left join incident_views v on v.incident_id = i.id and v.user_id = %(user)s
where i.id = %(id)s
"""
OPEN = "select level, count(*) as n from incidents where state = 'open' group by level"
NOTHING: Mapping[str, Any] = {
    "projects": None,
    "runs": None,
    "states": None,
    "levels": None,
    "sources": None,
    "codes": None,
    "muted": None,
    "viewed": None,
}
ALERTS: Mapping[str, Any] = {
    **NOTHING,
    "states": ["open"],
    "levels": [level.value for level in ALERTING],
    "muted": False,
    "viewed": False,
}
"""What the alert stack shows: open, error or worse, not muted, and not viewed by the person since it last came up."""


def _seen(row: Row) -> Seen:
    return Seen(to_incident(row), row["viewed_at"])


async def list_page(
    reader: Reader,
    filters: Mapping[str, Any],
    *,
    user: UUID,
    visible: Sequence[UUID] | None,
    now: datetime,
    after: Sequence[Any] | None,
    limit: int,
) -> list[Seen]:
    """Return incidents as ``user`` sees them, the last seen first. ``filters`` replace those of ``NOTHING``."""
    return await reader.all(
        _seen,
        LIST,
        **{**NOTHING, **filters},
        user=user,
        visible=visible,
        now=now,
        before=after[0] if after else None,
        before_id=after[1] if after else None,
        limit=limit,
    )


async def count(
    reader: Reader, filters: Mapping[str, Any], *, user: UUID, visible: Sequence[UUID] | None, now: datetime
) -> int:
    """Return how many incidents there are, counting no further than ``MOST_COUNTED``."""
    return int(
        await reader.value(COUNT, **{**NOTHING, **filters}, user=user, visible=visible, now=now, limit=MOST_COUNTED)
    )


async def alert_stack(
    reader: Reader, *, user: UUID, visible: Sequence[UUID] | None, now: datetime
) -> tuple[list[Seen], int]:
    """Return the newest five alerts of ``user``, and how many more there are."""
    shown = await list_page(reader, ALERTS, user=user, visible=visible, now=now, after=None, limit=STACKED)
    total = await count(reader, ALERTS, user=user, visible=visible, now=now)
    return shown, max(0, total - len(shown))


async def find(reader: Reader, incident_id: UUID, *, user: UUID) -> Seen | None:
    """Return one incident as ``user`` sees it, or None."""
    return await reader.find(_seen, GET, id=incident_id, user=user)


async def count_open(reader: Reader) -> dict[str, int]:
    """Return how many incidents are open, by level."""
    return dict(await reader.all(lambda row: (str(row["level"]), int(row["n"])), OPEN))
