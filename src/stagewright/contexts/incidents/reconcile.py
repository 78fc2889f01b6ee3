"""Forget incidents that nobody has met for ninety days."""

from datetime import timedelta

from stagewright.contexts.incidents import rules, store
from stagewright.kit.clock import Clock
from stagewright.kit.db import Database

BATCH = 500


async def sweep_old(db: Database, clock: Clock, *, kept: timedelta = rules.KEPT) -> int:
    """Delete one batch of incidents last seen longer ago than ``kept``; return how many, so that another follows."""
    async with db.transaction() as tx:
        return await store.delete_old(tx, before=clock.now() - kept, limit=BATCH)
