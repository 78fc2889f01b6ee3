"""Rows of ``incidents``, one open row per fingerprint, and of ``incident_views``."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from stagewright.contexts.incidents.model import Incident
from stagewright.kit.db import Reader, Tx, record

to_incident = record(Incident)

FIND_OPEN = "select * from incidents where fingerprint = %(fingerprint)s and state = 'open' for no key update"
LOCK = "select * from incidents where id = %(id)s for no key update"
INSERT = """
insert into incidents (id, fingerprint, level, source, code, message, details, stack, project_id, run_id, deploy_id,
    environment_id, namespace, job_name, request_id, delivery_id, correlation_id, count, first_seen, last_seen,
    reopened_at, previous_id)
values (%(id)s, %(fingerprint)s, %(level)s, %(source)s, %(code)s, %(message)s, %(details)s, %(stack)s,
    %(project_id)s, %(run_id)s, %(deploy_id)s, %(environment_id)s, %(namespace)s, %(job_name)s, %(request_id)s,
    %(delivery_id)s, %(correlation_id)s, %(times)s, %(now)s, %(now)s, %(now)s,
    (select id from incidents p where p.fingerprint = %(fingerprint)s order by p.last_seen desc, p.id desc limit 1))
on conflict (fingerprint) where state = 'open' do nothing
returning *
"""
RECUR = """
update incidents set count = count + %(times)s, last_seen = greatest(last_seen, %(now)s), level = %(level)s,
    details = %(details)s, message = %(message)s, stack = coalesce(%(stack)s, stack),
    run_id = coalesce(%(run_id)s, run_id), deploy_id = coalesce(%(deploy_id)s, deploy_id),
    environment_id = coalesce(%(environment_id)s, environment_id), namespace = coalesce(%(namespace)s, namespace),
    job_name = coalesce(%(job_name)s, job_name), request_id = coalesce(%(request_id)s, request_id),
    delivery_id = coalesce(%(delivery_id)s, delivery_id), correlation_id = %(correlation_id)s,
    reopened_at = case when %(reopens)s then %(now)s else reopened_at end, version = version + 1
where id = %(id)s
returning *
"""
MUTE = """
update incidents set muted_until = %(until)s, muted_reason = %(reason)s, muted_by = %(by)s, version = version + 1
where id = %(id)s and state = 'open'
returning *
"""
RESOLVE = """
update incidents set state = 'resolved', resolved_at = %(now)s, resolved_by = %(by)s, resolved_reason = %(reason)s,
    version = version + 1
where id = %(id)s and state = 'open'
returning *
"""
VIEW = """
insert into incident_views (user_id, incident_id, viewed_at) values (%(user_id)s, %(incident_id)s, %(now)s)
on conflict (user_id, incident_id) do update set viewed_at = excluded.viewed_at
"""
UNVIEW = "delete from incident_views where user_id = %(user_id)s and incident_id = %(incident_id)s"
VIEW_ALL = """
insert into incident_views (user_id, incident_id, viewed_at)
select %(user_id)s, i.id, %(now)s from incidents i
where i.state = 'open' and (%(visible)s::uuid[] is null or i.project_id = any(%(visible)s))
  and not exists (select 1 from incident_views v where v.user_id = %(user_id)s and v.incident_id = i.id
                  and v.viewed_at >= i.reopened_at)
order by i.id
on conflict (user_id, incident_id) do update set viewed_at = excluded.viewed_at
"""
LIST = """
select * from incidents
where (%(state)s::text is null or state = %(state)s) and (%(run_id)s::uuid is null or run_id = %(run_id)s)
order by last_seen desc limit %(limit)s
"""
DELETE_OLD = """
delete from incidents where id in (
    select id from incidents where last_seen < %(before)s order by last_seen limit %(limit)s for update skip locked)
"""
# The journal is everybody's: a run's first fact names its project.
PROJECT_OF_RUN = "select project_id from journal where run_id = %(run_id)s and project_id is not null limit 1"


def _row(values: Mapping[str, Any]) -> dict[str, Any]:
    return dict(values) | {"details": Jsonb(dict(values["details"]))}


async def find_open(tx: Tx, fingerprint: bytes) -> Incident | None:
    """Return the open incident with the fingerprint, locked."""
    return await tx.find(to_incident, FIND_OPEN, fingerprint=fingerprint)


async def lock(tx: Tx, incident_id: UUID) -> Incident | None:
    """Return the incident, locked, or None."""
    return await tx.find(to_incident, LOCK, id=incident_id)


async def insert(tx: Tx, values: Mapping[str, Any]) -> Incident | None:
    """Open an incident; None when another transaction opened the same one meanwhile."""
    return await tx.find(to_incident, INSERT, **_row(values))


async def recur(tx: Tx, values: Mapping[str, Any]) -> Incident | None:
    """Count an open incident again."""
    return await tx.find(to_incident, RECUR, **_row(values))


async def mute(tx: Tx, incident_id: UUID, *, until: datetime, reason: str, by: UUID) -> Incident | None:
    """Mute an open incident; None when it is not open."""
    return await tx.find(to_incident, MUTE, id=incident_id, until=until, reason=reason, by=by)


async def resolve(tx: Tx, incident_id: UUID, *, by: str, reason: str | None, now: datetime) -> Incident | None:
    """Close an open incident; None when it is not open."""
    return await tx.find(to_incident, RESOLVE, id=incident_id, by=by, reason=reason, now=now)


async def view(tx: Tx, user_id: UUID, incident_id: UUID, *, now: datetime) -> None:
    """Note that the person has seen the incident as it is."""
    await tx.execute(VIEW, user_id=user_id, incident_id=incident_id, now=now)


async def unview(tx: Tx, user_id: UUID, incident_id: UUID) -> bool:
    """Forget that the person has seen the incident; return whether there was anything to forget."""
    return await tx.execute(UNVIEW, user_id=user_id, incident_id=incident_id) > 0


async def view_all(tx: Tx, user_id: UUID, *, visible: Sequence[UUID] | None, now: datetime) -> int:
    """Note that the person has seen every open incident of the ``visible`` projects (None: all); return how many."""
    return await tx.execute(VIEW_ALL, user_id=user_id, visible=visible, now=now)


async def delete_old(tx: Tx, *, before: datetime, limit: int) -> int:
    """Delete incidents last seen before ``before``; return how many went."""
    return await tx.execute(DELETE_OLD, before=before, limit=limit)


async def find_project_of_run(reader: Reader, run_id: UUID) -> UUID | None:
    """Return the project of a run, as the journal knows it."""
    found: UUID | None = await reader.value(PROJECT_OF_RUN, run_id=run_id)
    return found


async def list_newest(
    reader: Reader, *, limit: int, state: str | None = None, run_id: object | None = None
) -> list[Incident]:
    """Return the newest incidents."""
    return await reader.all(to_incident, LIST, state=state, run_id=run_id, limit=limit)
