"""Forget old deliveries: their bodies after a week, their rows after thirty days."""

from datetime import timedelta

from stagewright.contexts.intake import store
from stagewright.contexts.intake.reconcile.outside import Outside

BODIES_KEPT = timedelta(days=7)
ROWS_KEPT = timedelta(days=30)
BATCH = 500


async def sweep_deliveries(outside: Outside) -> int:
    """Forget one batch of each; return how many rows were touched, so that a full batch is followed by the next."""
    now = outside.clock.now()
    async with outside.db.transaction() as tx:
        bodies = await store.forget_bodies(tx, before=now - BODIES_KEPT, limit=BATCH)
    async with outside.db.transaction() as tx:
        rows = await store.delete_old(tx, before=now - ROWS_KEPT, limit=BATCH)
    return max(bodies, rows)
