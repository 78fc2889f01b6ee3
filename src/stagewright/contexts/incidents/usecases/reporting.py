"""Report a problem, or count one more of an open one."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from stagewright.contexts.incidents import rules, store
from stagewright.contexts.incidents.events import IncidentOpened, IncidentRaised
from stagewright.contexts.incidents.model import NO_LINKS, Incident, Level, Links, Report
from stagewright.contexts.incidents.usecases import pace
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
) -> Incident | None:
    """Report a problem of ``source``. Equal problems are one row with a count.

    Texts are redacted before they are compared or stored; the newest details are kept. A run's problem is its
    project's, also when the writer does not say so. None when the process's pace counts it and writes it soon; it
    happened, so it is counted even if this transaction does not commit.
    """
    item = Report(
        level=Level(level).value,
        source=source,
        code=code,
        message=tx.redact(message),
        details=details or {},
        stack=stack,
        frame=frame,
        project_id=project_id,
        run_id=run_id or links.run_id,
        links=links,
        correlation_id=tx.correlation_id,
    )
    return await write(tx, item, now=now) if pace.lets(item, now=now) else None


async def write(tx: Tx, item: Report, *, now: datetime, times: int = 1) -> Incident | None:
    """Write a problem that happened ``times`` times, whatever the pace."""
    project = item.project_id
    if project is None and item.run_id is not None:
        project = await store.find_project_of_run(tx, item.run_id)
    told = tx.redact(item.message)
    wanted = {
        **asdict(item.links),
        "fingerprint": rules.fingerprint(
            source=item.source, code=item.code, message=told, project_id=project, frame=item.frame
        ),
        "level": Level(item.level).value,
        "source": rules.cut(item.source, rules.NAME_LIMIT),
        "code": rules.cut(item.code, rules.NAME_LIMIT),
        "message": rules.cut_message(told),
        "details": rules.bounded(rules.redacted(item.details, tx.redact)),
        "stack": rules.cut(tx.redact(item.stack), rules.STACK_LIMIT) if item.stack else None,
        "project_id": project,
        "run_id": item.run_id,
        "delivery_id": item.links.delivery_id or _text(item.details.get("delivery_id")),
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
