"""Forget what has been kept long enough, in small transactions; make the journal's next partitions."""

from datetime import timedelta

from stagewright.contexts.agents import api as agents
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.reconcile.together import each
from stagewright.contexts.runs.store import retention as rows

KEPT = timedelta(days=30)
BATCH = 50
CHUNKS = 500
SETTLED = timedelta(minutes=10)
LATELY = timedelta(days=2)
DAYS_AHEAD = 3


async def sweep_ended(outside: Outside, *, kept: timedelta = KEPT) -> int:
    """Forget logs, prompts, results and sessions of runs that ended ``kept`` ago. Return how many attempts."""
    now = outside.clock.now()
    async with outside.db.reading() as reader:
        old = await rows.list_old_attempts(reader, before=now - kept, limit=BATCH)
    for attempt_id in old:
        while True:
            async with outside.db.transaction() as tx:
                deleted = await rows.delete_logs(tx, attempt_id, limit=CHUNKS)
            if deleted < CHUNKS:
                break
        async with outside.db.transaction() as tx:
            await agents.forget_attempt(tx, attempt_id)
            await rows.forget_attempt(tx, attempt_id)
    return len(old)


async def sweep_quarantines(outside: Outside) -> int:
    """Remove quarantines that a stopped worker or a failed run left behind."""
    now = outside.clock.now()
    async with outside.db.reading() as reader:
        ended = await rows.list_ended_lately(reader, since=now - LATELY, before=now - SETTLED, limit=1000)
    await each(outside.git.forget(attempt_id) for attempt_id in ended)
    return 0


async def make_partitions(outside: Outside) -> int:
    """Make the journal's partitions of the next days; rows of a day without one are in the default partition."""
    today = outside.clock.now().date()
    async with outside.db.exclusive("journal.partitions") as mine:  # two at once would make the same table
        for ahead in range(1, DAYS_AHEAD + 1 if mine else 0):
            async with outside.db.transaction() as tx:
                await rows.make_journal_partition(tx, today + timedelta(days=ahead))
    return 0
