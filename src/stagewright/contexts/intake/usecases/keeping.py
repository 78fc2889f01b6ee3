"""Keep deliveries as they came in: nothing else happens in the request."""

from collections.abc import Sequence
from datetime import datetime

from stagewright.contexts.intake import store
from stagewright.contexts.intake.model import NewDelivery
from stagewright.kit.db import Tx


async def keep_deliveries(tx: Tx, deliveries: Sequence[NewDelivery], *, now: datetime) -> frozenset[str]:
    """Insert deliveries together; return the ids that were new."""
    return await store.keep(tx, deliveries, now=now)
