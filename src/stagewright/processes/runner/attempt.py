"""One attempt from its assignment to its reported outcome (`runs.md` 14)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from stagewright import __version__
from stagewright.kit.redact import Redactor
from stagewright.processes.runner.control import Control
from stagewright.processes.runner.door import Door
from stagewright.processes.runner.failures import AttemptOver, NotReported, NotTaken, Outcome, Refused, Unreachable
from stagewright.processes.runner.outbox import Outbox
from stagewright.processes.runner.results import Results
from stagewright.processes.runner.settings import Settings
from stagewright.processes.runner.stream import Stream, beat
from stagewright.processes.runner.workspace import Ready, Workspace
from stagewright.wire.v1 import assignment_pb2, outcome_pb2

FIRST_CONTACT_SECONDS = 60.0
MID_RUN_SECONDS = 300.0
OUTCOME_SECONDS = 600.0
DRAIN_SECONDS = 60.0
STOPPED_DRAIN_SECONDS = 5.0
AFTER_GRACE_SECONDS = 30.0


class Attempt:
    """Holds the parts of one attempt together."""

    def __init__(self, settings: Settings, control: Control, redactor: Redactor) -> None:
        self._settings = settings
        self._control = control
        self._door = Door(settings, patience=MID_RUN_SECONDS)
        self._outbox = Outbox(self._door.attempt, redactor)
        self._ready: Ready | None = None

    async def run(self) -> Outcome:
        """Do the attempt and report its outcome. Raises ``Refused``, ``NotTaken``, ``Unreachable``, ``NotReported``."""
        assignment = await self._first_contact()
        async with self._streaming():
            outcome = await self._outcome(assignment)
            await self._let_go()
        await self._report(outcome)
        return outcome

    async def tell_problem(self, text: str) -> None:
        """Try to tell the platform of an error of ours; this is the last thing that is done."""
        with contextlib.suppress(Refused, NotTaken, Unreachable):
            await self._door.report_problem("error", "runner_internal", text)

    async def close(self) -> None:
        """Close the connection."""
        await self._door.close()

    async def _first_contact(self) -> assignment_pb2.Assignment:
        asking = asyncio.create_task(self._door.get_assignment(__version__, patience=FIRST_CONTACT_SECONDS))
        told = asyncio.create_task(self._control.until(lambda: self._control.ending))
        try:
            await asyncio.wait({asking, told}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise Unreachable("stopped before the first contact")
            return asking.result()
        finally:
            await _cancel(asking, told)

    @contextlib.asynccontextmanager
    async def _streaming(self) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(Stream(self._door, self._outbox, self._control).run()),
            asyncio.create_task(beat(self._outbox, self._in_turn)),
        ]
        try:
            yield
        finally:
            await _cancel(*tasks)

    async def _outcome(self, assignment: assignment_pb2.Assignment) -> Outcome:
        """Work until there is an outcome. A stop ends the work at once; within a turn, the interrupted turn ends it."""
        work = asyncio.create_task(self._work(assignment))
        told = asyncio.create_task(self._control.until(lambda: self._control.ending))
        try:
            await asyncio.wait({work, told}, return_when=asyncio.FIRST_COMPLETED)
            if self._in_turn():
                await asyncio.wait({work}, timeout=self._control.grace.total_seconds() + AFTER_GRACE_SECONDS)
            work.cancel()
            return await work
        except AttemptOver as over:
            return over.outcome
        except asyncio.CancelledError:
            if self._control.refusal is not None:
                raise self._control.refusal from None
            if not self._control.stop_reason:
                raise
            return Outcome("interrupted", self._control.stop_reason)
        finally:
            await _cancel(work, told)

    async def _work(self, assignment: assignment_pb2.Assignment) -> Outcome:
        door, outbox, control = self._door, self._outbox, self._control
        workspace = Workspace(assignment, self._settings, door=door, outbox=outbox, control=control)
        try:
            self._ready = await workspace.prepare()
            timer = asyncio.create_task(self._ready.keeper.every_five_minutes())
            try:
                return await Results(assignment, self._ready, door, outbox, control).obtain(self._ready.prompt)
            finally:
                await _cancel(timer)
        finally:
            await workspace.close()

    async def _let_go(self) -> None:
        """Save the session a last time and wait until the platform has all events and logs."""
        if self._ready is not None:
            await self._ready.keeper.save("end")
        seconds = STOPPED_DRAIN_SECONDS if self._control.stop_reason else DRAIN_SECONDS
        drained = asyncio.create_task(self._outbox.drain(seconds))
        refused = asyncio.create_task(self._control.until(lambda: self._control.refusal is not None))
        await asyncio.wait({drained, refused}, return_when=asyncio.FIRST_COMPLETED)
        await _cancel(drained, refused)

    async def _report(self, outcome: Outcome) -> None:
        """Report the outcome until it is acknowledged."""
        totals = self._ready.driver.totals if self._ready is not None else {}
        request = outcome_pb2.ReportOutcomeRequest(
            outcome=outcome.outcome,
            code=outcome.code,
            detail=outcome.detail,
            resume_at=outcome.resume_at,
            tokens_in=totals.get("tokens_in", 0),
            tokens_cached=totals.get("tokens_cached", 0),
            tokens_out=totals.get("tokens_out", 0),
        )
        patience = self._control.grace.total_seconds() if self._control.stop_reason else OUTCOME_SECONDS
        try:
            await self._door.report_outcome(request, patience=patience)
        except Unreachable as error:
            raise NotReported(str(error)) from error

    def _in_turn(self) -> bool:
        return self._ready is not None and self._ready.driver.alive


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
