"""Requests whose time to decide is over become expired; who waits for them sees it by itself."""

from stagewright.contexts.approvals.usecases import ending
from stagewright.kit.clock import Clock
from stagewright.kit.db import Database

BATCH = 50


async def expire_requests(db: Database, clock: Clock) -> int:
    """One pass: safe to stop anywhere, and in several workers at once."""
    async with db.transaction() as tx:
        return await ending.expire_due(tx, now=clock.now(), limit=BATCH)
