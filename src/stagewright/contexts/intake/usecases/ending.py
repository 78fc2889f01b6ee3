"""What ends with a thread: its runs are cancelled, unless their result is being published already."""

from uuid import UUID

import structlog

from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.clock import Clock
from stagewright.kit.db import Tx

log = structlog.get_logger(__name__)


async def clean_up(tx: Tx, cleanup: workflow.Cleanup, *, clock: Clock) -> None:
    """Cancel the runs that were decided to end. A submitted push is not called back: its result stays."""
    for run in cleanup.cancel:
        try:
            async with tx.savepoint():
                await runs.cancel_run(tx, UUID(run.id), cause=cleanup.cause, clock=clock)
        except runs.RunPublishing:
            log.info("run is being published and goes on", run_id=run.id, cause=cleanup.cause)
