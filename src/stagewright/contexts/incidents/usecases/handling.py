"""Look at an incident, mute it, resolve it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.incidents import rules, store
from stagewright.contexts.incidents.errors import IncidentNotFound, IncidentResolved
from stagewright.contexts.incidents.events import (
    IncidentMuted,
    IncidentResolvedEvent,
    IncidentUnviewed,
    IncidentViewed,
)
from stagewright.contexts.incidents.model import Incident, IncidentState
from stagewright.kit.db import Tx


async def view(tx: Tx, user_id: UUID, incident: Incident, *, now: datetime) -> None:
    """Note that the person has seen the incident as it is now."""
    await store.view(tx, user_id, incident.id, now=now)
    tx.publish(IncidentViewed(user_id=user_id, incident_id=incident.id, viewed_at=now))


async def unview(tx: Tx, user_id: UUID, incident: Incident) -> None:
    """Undo ``view``."""
    if await store.unview(tx, user_id, incident.id):
        tx.publish(IncidentUnviewed(user_id=user_id, incident_id=incident.id, viewed_at=None))


async def view_all(tx: Tx, user_id: UUID, *, visible: Sequence[UUID] | None, now: datetime) -> int:
    """Note that the person has seen every open incident of the ``visible`` projects (None: all). Return how many."""
    count = await store.view_all(tx, user_id, visible=visible, now=now)
    if count:
        tx.publish(IncidentViewed(user_id=user_id, incident_id=None, viewed_at=now))
    return count


async def mute(tx: Tx, incident_id: UUID, *, length: timedelta, reason: str, by: UUID, now: datetime) -> Incident:
    """Hide an open incident from everybody for ``length``; it is counted all the same."""
    until = now + min(length, rules.LONGEST_MUTE)
    muted = await store.mute(tx, incident_id, until=until, reason=rules.cut(tx.redact(reason), 500), by=by)
    if muted is None:
        raise IncidentResolved("the incident is resolved; only an open one can be muted")
    tx.publish(IncidentMuted(incident=muted))
    return muted


async def resolve(tx: Tx, incident_id: UUID, *, by: str, reason: str | None, now: datetime) -> Incident:
    """Close an incident. If it happens again, a new one is opened, linked to this one. Resolved once, it stays so."""
    text = rules.cut(tx.redact(reason), 500) if reason else None
    resolved = await store.resolve(tx, incident_id, by=by, reason=text, now=now)
    if resolved is not None:
        tx.publish(IncidentResolvedEvent(incident=resolved))
        return resolved
    known = await store.lock(tx, incident_id)
    if known is None:
        raise IncidentNotFound(f"there is no incident {incident_id}")
    assert known.state is IncidentState.RESOLVED
    return known
