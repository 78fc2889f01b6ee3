"""Rows of ``incidents``: one open row per fingerprint."""

from collections.abc import Mapping
from typing import Any

from psycopg.types.json import Jsonb

from stagewright.contexts.incidents.model import Incident
from stagewright.kit.db import Reader, Tx, record

to_incident = record(Incident)

FIND_OPEN = "select * from incidents where fingerprint = %(fingerprint)s and state = 'open' for no key update"
INSERT = """
insert into incidents (id, fingerprint, level, source, code, message, details, stack, project_id, run_id,
    correlation_id, first_seen, last_seen, reopened_at, previous_id)
values (%(id)s, %(fingerprint)s, %(level)s, %(source)s, %(code)s, %(message)s, %(details)s, %(stack)s,
    %(project_id)s, %(run_id)s, %(correlation_id)s, %(now)s, %(now)s, %(now)s,
    (select id from incidents p where p.fingerprint = %(fingerprint)s order by p.last_seen desc limit 1))
on conflict (fingerprint) where state = 'open' do nothing
returning *
"""
RECUR = """
update incidents set count = count + 1, last_seen = %(now)s, level = %(level)s, details = %(details)s,
    message = %(message)s, run_id = coalesce(%(run_id)s, run_id),
    reopened_at = case when %(reopens)s then %(now)s else reopened_at end, version = version + 1
where id = %(id)s
returning *
"""
LIST = """
select * from incidents
where (%(state)s::text is null or state = %(state)s) and (%(run_id)s::uuid is null or run_id = %(run_id)s)
order by last_seen desc limit %(limit)s
"""


async def find_open(tx: Tx, fingerprint: bytes) -> Incident | None:
    """Return the open incident with the fingerprint, locked."""
    return await tx.find(to_incident, FIND_OPEN, fingerprint=fingerprint)


async def insert(tx: Tx, values: Mapping[str, Any]) -> Incident | None:
    """Open an incident; None when another transaction opened the same one meanwhile."""
    return await tx.find(to_incident, INSERT, **(dict(values) | {"details": Jsonb(dict(values["details"]))}))


async def recur(tx: Tx, values: Mapping[str, Any]) -> Incident | None:
    """Count one more of an open incident."""
    return await tx.find(to_incident, RECUR, **(dict(values) | {"details": Jsonb(dict(values["details"]))}))


async def list_newest(
    reader: Reader, *, limit: int, state: str | None = None, run_id: object | None = None
) -> list[Incident]:
    """Return the newest incidents."""
    return await reader.all(to_incident, LIST, state=state, run_id=run_id, limit=limit)
