"""Writes what a process did not foresee into the error journal: in a transaction of its own, and never raising.

More than ten equal problems in a second are counted here and written once a second: a storm of errors is no storm of
writes. What could not be written is counted in ``incident_writes_failed_total`` and logged.
"""

import asyncio
import traceback
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from stagewright.contexts.incidents import api as incidents
from stagewright.kit import logs
from stagewright.kit.clock import Clock
from stagewright.kit.db import Database
from stagewright.kit.metrics import Metrics
from stagewright.kit.redact import Redactor

SINK = "incidents"
WINDOW = timedelta(seconds=1)
AT_ONCE = 10
MOST_KINDS = 1000
log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem, its texts redacted."""

    level: str
    source: str
    code: str
    message: str
    stack: str | None
    frame: str | None
    request_id: str
    project_id: UUID | None
    run_id: UUID | None

    @property
    def fingerprint(self) -> bytes:
        """Return what equal problems have in common."""
        return incidents.fingerprint(
            source=self.source, code=self.code, message=self.message, project_id=self.project_id, frame=self.frame
        )


@dataclass(slots=True)
class _Lately:
    """How often a problem came within the present second, and what is not written yet."""

    since: datetime
    written: int = 0
    held: int = 0
    newest: Problem | None = None


class IncidentWriter:
    """The error journal's pen of one process. Run ``run`` as a task, or call ``flush`` each second."""

    def __init__(self, db: Database, *, clock: Clock, metrics: Metrics, redactor: Redactor) -> None:
        self._db = db
        self._clock = clock
        self._metrics = metrics
        self._redactor = redactor
        self._lately: dict[bytes, _Lately] = {}

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
            Problem(
                level=incidents.Level.ERROR,
                source=source,
                code="internal",
                message=self._redactor(f"{type(error).__name__}: {error}", SINK),
                stack=self._redactor("".join(traceback.format_exception(error)), SINK),
                frame=incidents.own_frame(frames),
                request_id=request_id,
                project_id=project_id,
                run_id=run_id,
            )
        )

    async def report(self, problem: Problem) -> None:
        """Write ``problem`` now, or count it for the next flush when too many equal ones came in this second."""
        now = self._clock.now()
        lately = self._lately.get(problem.fingerprint)
        if lately is None or (not lately.held and now - lately.since >= WINDOW):
            if len(self._lately) >= MOST_KINDS:
                self._forget(now)
            lately = self._lately[problem.fingerprint] = _Lately(now)
        lately.newest = problem
        if lately.written >= AT_ONCE:
            lately.held += 1
            return
        lately.written += 1
        await self._write(problem, 1)

    async def flush(self) -> int:
        """Write what was counted; return how many rows that took."""
        now = self._clock.now()
        held = [item for item in self._lately.values() if item.held and item.newest is not None]
        for item in held:
            times, item.held = item.held, 0
            item.since, item.written = now, 0
            assert item.newest is not None
            await self._write(item.newest, times)
        self._forget(now)
        return len(held)

    async def run(self) -> None:
        """Flush each second, until cancelled."""
        while True:
            await asyncio.sleep(WINDOW.total_seconds())
            await self.flush()

    def _forget(self, now: datetime) -> None:
        """Forget problems whose second is over."""
        over = [key for key, item in self._lately.items() if not item.held and now - item.since >= WINDOW]
        for key in over:
            del self._lately[key]

    async def _write(self, problem: Problem, times: int) -> None:
        try:
            async with self._db.transaction(correlation_id=problem.request_id or None) as tx:
                await incidents.report(
                    tx,
                    level=problem.level,
                    source=problem.source,
                    code=problem.code,
                    message=problem.message,
                    details={"request_id": problem.request_id} if problem.request_id else {},
                    stack=problem.stack,
                    frame=problem.frame,
                    project_id=problem.project_id,
                    run_id=problem.run_id,
                    times=times,
                    now=self._clock.now(),
                )
        except Exception as failure:  # the error wrapper of a process: what cannot be stored is counted and logged
            self._metrics.incident_writes_failed.inc(times)
            log.error("an incident could not be stored", source=problem.source, exc_info=failure)
