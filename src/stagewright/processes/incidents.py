"""Writes what a process did not foresee into the error journal: in a transaction of its own, and never raising.

It also writes what the process's pace counted, once a second, whoever reported it. While the database is away, problems
are kept in memory and written when it is back; what could not be written is counted in
``incident_writes_failed_total`` and logged.
"""

import asyncio
import traceback
from uuid import UUID

from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.incidents.api import Pace, Report
from stagewright.kit import logs
from stagewright.kit.clock import Clock
from stagewright.kit.db import Database
from stagewright.kit.errors import Unavailable
from stagewright.kit.metrics import Metrics
from stagewright.kit.redact import Redactor

SINK = "incidents"
EVERY = 1.0
log = logs.get_logger(__name__)


class IncidentWriter:
    """The error journal's pen of one process. Run ``run`` as a task, or call ``flush`` each second."""

    def __init__(self, db: Database, *, clock: Clock, metrics: Metrics, redactor: Redactor) -> None:
        self._db = db
        self._clock = clock
        self._metrics = metrics
        self._redactor = redactor
        self.pace = Pace()

    async def report_bug(
        self,
        source: str,
        error: BaseException,
        *,
        request_id: str = "",
        project_id: UUID | None = None,
        run_id: UUID | None = None,
    ) -> None:
        """Report an unforeseen exception with its stack."""
        frames = [(item.filename, item.name) for item in traceback.extract_tb(error.__traceback__)]
        await self.report(
            Report(
                level=incidents.Level.ERROR,
                source=source,
                code="internal",
                message=self._redactor(f"{type(error).__name__}: {error}", SINK),
                details={"request_id": request_id} if request_id else {},
                stack=self._redactor("".join(traceback.format_exception(error)), SINK),
                frame=incidents.own_frame(frames),
                project_id=project_id,
                run_id=run_id,
                correlation_id=request_id or None,
            )
        )

    async def report(self, problem: Report) -> None:
        """Write ``problem`` now, or count it for the next flush when too many equal ones came in this second."""
        if self.pace.lets(problem, now=self._clock.now()):
            await self._write(problem, 1)

    async def flush(self) -> int:
        """Write what was counted; return how many rows that took."""
        due = self.pace.due(now=self._clock.now())
        for problem, times in due:
            await self._write(problem, times)
        return len(due)

    async def run(self) -> None:
        """Flush each second, until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            await self.flush()

    async def _write(self, problem: Report, times: int) -> None:
        try:
            async with self._db.transaction(correlation_id=problem.correlation_id) as tx:
                await incidents.write(tx, problem, times=times, now=self._clock.now())
        except Unavailable as failure:
            kept = self.pace.hold(problem, times, now=self._clock.now())
            self._failed(problem, failure, times, kept=kept)
        except Exception as failure:  # the error wrapper of a process: what cannot be stored is counted and logged
            self._failed(problem, failure, times, kept=False)

    def _failed(self, problem: Report, failure: Exception, times: int, *, kept: bool) -> None:
        self._metrics.incident_writes_failed.inc(times)
        log.error("an incident could not be stored", source=problem.source, kept=kept, exc_info=failure)
