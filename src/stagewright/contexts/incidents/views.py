"""The error journal as its screen shows it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from stagewright.contexts.incidents.model import Incident
from stagewright.kit.db import Reader, record

to_incident = record(Incident)

# `all` rows (also those of no project) are for the platform's admins only.
LIST = """
select * from incidents
where (%(visible)s::uuid[] is null or project_id = any(%(visible)s))
  and (%(projects)s::uuid[] is null or project_id = any(%(projects)s))
  and (%(runs)s::uuid[] is null or run_id = any(%(runs)s))
  and (%(states)s::text[] is null or state = any(%(states)s))
  and (%(levels)s::text[] is null or level = any(%(levels)s))
  and (%(sources)s::text[] is null or source = any(%(sources)s))
  and (%(before)s::timestamptz is null or (last_seen, id) < (%(before)s, %(before_id)s))
order by last_seen desc, id desc limit %(limit)s
"""
OPEN = "select level, count(*) as n from incidents where state = 'open' group by level"
GET = "select * from incidents where id = %(id)s"


async def list_page(
    reader: Reader,
    *,
    visible: Sequence[UUID] | None,
    projects: Sequence[UUID] | None,
    runs: Sequence[UUID] | None,
    states: Sequence[str] | None,
    levels: Sequence[str] | None,
    sources: Sequence[str] | None,
    after: Sequence[Any] | None,
    limit: int,
) -> list[Incident]:
    """Return incidents, the last seen first. ``visible`` None: all, those without a project too."""
    return await reader.all(
        to_incident,
        LIST,
        visible=visible,
        projects=projects,
        runs=runs,
        states=states,
        levels=levels,
        sources=sources,
        before=after[0] if after else None,
        before_id=after[1] if after else None,
        limit=limit,
    )


async def find(reader: Reader, incident_id: UUID) -> Incident | None:
    """Return one incident or None."""
    return await reader.find(to_incident, GET, id=incident_id)


async def count_open(reader: Reader) -> dict[str, int]:
    """Return how many incidents are open, by level."""
    return dict(await reader.all(lambda row: (str(row["level"]), int(row["n"])), OPEN))
