"""Keep verifying the journal's chains, one worker at a time; a chain that does not fit is a critical incident."""

from collections.abc import Sequence
from datetime import timedelta

from stagewright.contexts.incidents import api as incidents
from stagewright.kit import feed
from stagewright.kit.db import Tx
from stagewright.kit.feed import Break
from stagewright.processes.common import Platform

EVERY = timedelta(seconds=10)
NAME = "journal.verification"
MOST_NAMED = 20


async def verify_journal(platform: Platform) -> int:
    """Verify some more rows and note how far it went. Return how many streams were newly found broken."""
    now = platform.clock.now()

    async def tell(tx: Tx, breaks: Sequence[Break]) -> None:
        first, more = breaks[0], len(breaks) - 1
        others = f", nor those of {more} other streams" if more else ""
        await incidents.report(
            tx,
            level="critical",
            source=NAME,
            code="journal.chain_broken",
            message=f"the journal was changed: the chain of {first.stream} does not fit at row {first.seq}{others}",
            details={item.stream: item.seq for item in breaks[:MOST_NAMED]},
            frame=first.stream,
            now=now,
        )

    async with platform.db.exclusive(NAME) as mine:
        found = await feed.verify_some(platform.db, tell, now=now) if mine else 0
    async with platform.db.reading() as reader:
        state = await feed.read_verification(reader)
    platform.metrics.audit_chain_verified_seq.set(state.seq or 0)
    return found
