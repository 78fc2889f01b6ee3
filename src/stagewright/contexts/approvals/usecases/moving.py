"""The one way a request changes state: checked by the table, compare-and-set, one event in the same transaction."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from stagewright.contexts.approvals import store
from stagewright.contexts.approvals.events import MOVED
from stagewright.contexts.approvals.model import Request, RequestState
from stagewright.contexts.approvals.rules import transitions
from stagewright.kit.db import Tx


async def move(tx: Tx, request: Request, to: RequestState, *, now: datetime, **changes: Any) -> Request:
    """Move ``request`` to ``to`` and journal it. Raises ``AlreadyResolved`` for an event that does not fit."""
    transitions.check_move(request, to)
    settled = now if to in transitions.TERMINAL else None
    saved = await store.save(tx, replace(request, state=to, settled_at=settled, **changes))
    tx.publish(MOVED[to](request=saved))
    return saved
