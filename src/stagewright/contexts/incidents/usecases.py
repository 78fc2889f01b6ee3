"""Report a problem: open an incident, or count one more of an open one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from stagewright.contexts.incidents import rules, store
from stagewright.contexts.incidents.events import IncidentOpened, IncidentRaised
from stagewright.contexts.incidents.model import Incident, Level
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
) -> Incident | None:
    """Report a problem of ``source``. Equal problems are one row with a count; the newest details are kept."""
    wanted = Level(level)
    print_ = rules.fingerprint(source=source, code=code, message=message, project_id=project_id, frame=frame)
    known = await store.find_open(tx, print_)
    kept = rules.bounded(details or {})
    if known is None:
        opened = await store.insert(
            tx,
            {
                "id": uuid7(),
                "fingerprint": print_,
                "level": wanted.value,
                "source": source,
                "code": code,
                "message": rules.cut(message),
                "details": kept,
                "stack": rules.cut(stack, 16_000) if stack else None,
                "project_id": project_id,
                "run_id": run_id,
                "correlation_id": tx.correlation_id,
                "now": now,
            },
        )
        if opened is not None:
            tx.publish(IncidentOpened(incident=opened))
            return opened
        known = await store.find_open(tx, print_)
        if known is None:
            return None
    return await _recur(tx, known, wanted, message, kept, run_id, now)


async def _recur(
    tx: Tx, known: Incident, level: Level, message: str, details: Mapping[str, Any], run_id: UUID | None, now: datetime
) -> Incident | None:
    reopened = rules.reopens(known, level, now)
    again = await store.recur(
        tx,
        {
            "id": known.id,
            "now": now,
            "level": rules.higher(known.level, level).value,
            "details": details,
            "message": rules.cut(message),
            "run_id": run_id,
            "reopens": reopened,
        },
    )
    if again is not None and reopened:
        tx.publish(IncidentRaised(incident=again))
    return again
