"""Forget old deliveries: their bodies after a week, their rows after thirty days."""

from datetime import timedelta

from stagewright.contexts.intake import store
from stagewright.contexts.intake.reconcile.outside import Outside

BODIES_KEPT = timedelta(days=7)
ROWS_KEPT = timedelta(days=30)
BATCH = 500


async def sweep_deliveries(
    outside: Outside, *, bodies_kept: timedelta = BODIES_KEPT, rows_kept: timedelta = ROWS_KEPT
) -> int:
    """Forget one batch of each; return how many rows were touched, so that a full batch is followed by the next."""
    now = outside.clock.now()
    async with outside.db.transaction() as tx:
        bodies = await store.forget_bodies(tx, before=now - bodies_kept, limit=BATCH)
    async with outside.db.transaction() as tx:
        rows = await store.delete_old(tx, before=now - rows_kept, limit=BATCH)
    return max(bodies, rows)
