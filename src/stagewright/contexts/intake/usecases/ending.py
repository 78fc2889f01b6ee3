"""What ends with a thread: its runs are cancelled, unless their result is being published already."""

from uuid import UUID

import structlog

from stagewright.contexts.intake.usecases.words import Occurrence, Seen
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.clock import Clock
from stagewright.kit.db import Tx

log = structlog.get_logger(__name__)


async def clean_up(tx: Tx, occurrence: Occurrence, seen: Seen, cleanup: workflow.Cleanup, *, clock: Clock) -> None:
    """End the discussion, and cancel the runs that were decided to end. A submitted push is not called back."""
    if cleanup.end_talk is not None:
        talk = await runs.find_active(tx, seen.repository.id, "talk", f"issue:{occurrence.thread}")
        if talk is not None:
            await runs.end_talk(tx, talk.id, cleanup.end_talk, clock=clock)
    for run in cleanup.cancel:
        try:
            async with tx.savepoint():
                await runs.cancel_run(tx, UUID(run.id), cause=cleanup.cause, clock=clock)
        except runs.RunPublishing:
            log.info("run is being published and goes on", run_id=run.id, cause=cleanup.cause)
