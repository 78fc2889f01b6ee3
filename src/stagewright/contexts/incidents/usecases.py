"""Report a problem, or count one more of an open one; look at it, mute it, resolve it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from stagewright.contexts.incidents import rules, store
from stagewright.contexts.incidents.errors import IncidentNotFound, IncidentResolved
from stagewright.contexts.incidents.events import (
    IncidentMuted,
    IncidentOpened,
    IncidentRaised,
    IncidentResolvedEvent,
    IncidentUnviewed,
    IncidentViewed,
)
from stagewright.contexts.incidents.model import NO_LINKS, Incident, IncidentState, Level, Links
from stagewright.kit.db import Tx
from stagewright.kit.ids import uuid7


async def report(
    tx: Tx,
    *,
    level: str,
    source: str,
    code: str,
    message: str,
    now: datetime,
    project_id: UUID | None = None,
    run_id: UUID | None = None,
    details: Mapping[str, Any] | None = None,
    stack: str | None = None,
    frame: str | None = None,
    links: Links = NO_LINKS,
    times: int = 1,
) -> Incident | None:
    """Report a problem of ``source`` that happened ``times`` times. Equal problems are one row with a count.

    Texts are redacted before they are compared or stored; the newest details are kept. A run's problem is its
    project's, also when the writer does not say so.
    """
    run = run_id or links.run_id
    project = project_id or (await store.find_project_of_run(tx, run) if run is not None else None)
    told = tx.redact(message)
    wanted = {
        **asdict(links),
        "fingerprint": rules.fingerprint(source=source, code=code, message=told, project_id=project, frame=frame),
        "level": Level(level).value,
        "source": rules.cut(source, rules.NAME_LIMIT),
        "code": rules.cut(code, rules.NAME_LIMIT),
        "message": rules.cut_message(told),
        "details": rules.bounded(rules.redacted(details or {}, tx.redact)),
        "stack": rules.cut(tx.redact(stack), rules.STACK_LIMIT) if stack else None,
        "project_id": project,
        "run_id": run,
        "delivery_id": links.delivery_id or _text((details or {}).get("delivery_id")),
        "correlation_id": tx.correlation_id,
        "times": times,
        "now": now,
    }
    known = await store.find_open(tx, wanted["fingerprint"])
    if known is None:
        opened = await store.insert(tx, wanted | {"id": uuid7()})
        if opened is not None:
            tx.publish(IncidentOpened(incident=opened))
            return opened
        known = await store.find_open(tx, wanted["fingerprint"])
    return await _recur(tx, known, wanted, now) if known is not None else None


def _text(value: Any) -> str | None:
    return rules.cut(value, rules.NAME_LIMIT) if isinstance(value, str) and value else None


async def _recur(tx: Tx, known: Incident, wanted: Mapping[str, Any], now: datetime) -> Incident | None:
    level = Level(wanted["level"])
    values = dict(wanted) | {
        "id": known.id,
        "level": rules.higher(known.level, level).value,
        "reopens": rules.reopens(known, level, now),
    }
    again = await store.recur(tx, values)
    if again is not None:
        tx.publish(IncidentRaised(incident=again))
    return again


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
