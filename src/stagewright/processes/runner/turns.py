"""Drives the engine turn by turn: its events become log bytes and usage, its end a report text or the attempt's end."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import cast

from stagewright.adapters.engines.contract import Engine, EngineEvent
from stagewright.processes.runner.acts import Acts
from stagewright.processes.runner.control import Control
from stagewright.processes.runner.exchange import Route
from stagewright.processes.runner.failures import AttemptOver, Failed
from stagewright.processes.runner.gaps import ToolGaps
from stagewright.processes.runner.http1 import Head
from stagewright.processes.runner.outbox import Outbox

WAIT_SECONDS = 120.0
AFTER_INTERRUPT_SECONDS = 30.0
REMEMBERED_OUTPUT = 4096
REFUSED_GRACE = timedelta(seconds=2)
WAIT_GRACE = timedelta(seconds=10)
COUNTS = ("tokens_in", "tokens_cached", "tokens_out")
CODE_HEADER = "stagewright-code"
BY_CODE = frozenset({"agent_not_configured", "credential_rejected", "rate_limited", "budget"})
BY_STATUS = {402: "budget", 429: "rate_limited"}
REFUSALS = (401, 403)


class RelayAnswers:
    """What the platform's model relay said last: a refusal there explains a turn that fails."""

    def __init__(self) -> None:
        self.status = 0
        self.code = ""
        self.retry_after = 0

    def seen(self, route: Route, status: int, head: Head) -> None:
        """Note an answer."""
        if route.kind == "model":
            self.status = status
            self.code = head.one(CODE_HEADER)
            after = (head.all("retry-after") or ["0"])[0]
            self.retry_after = int(after) if after.isdecimal() else 0

    def resume_at(self) -> str:
        """Return when the limit ends, empty when nobody said."""
        if not self.retry_after:
            return ""
        return (datetime.now(UTC) + timedelta(seconds=self.retry_after)).isoformat().replace("+00:00", "Z")


class Driver:
    """One engine, one thread of turns."""

    def __init__(
        self, engine: Engine, outbox: Outbox, control: Control, relay: RelayAnswers, model: str, *, thread: str | None
    ) -> None:
        self._engine = engine
        self._outbox = outbox
        self._control = control
        self._relay = relay
        self._model = model
        self.thread = thread
        self._said = b""
        self.gaps = ToolGaps()
        self._acts = Acts(outbox)
        self.alive = False
        self.totals = dict.fromkeys(COUNTS, 0)

    async def turn(self, prompt: str) -> str | None:
        """Drive one turn and return its result. Raises ``AttemptOver`` when the attempt ends with it."""
        self.alive = True
        self._acts.turn()
        watcher = asyncio.create_task(self._interrupt_when_asked())
        try:
            end = await self._events(prompt)
        finally:
            self.alive = False
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)
            self._outbox.flush_logs()
            self._acts.tell()
        self._end_if_asked(end)
        if end is None:
            raise Failed("workload_lost", "the engine ended without a final event")
        if end.kind == "turn_failed":
            raise failure_of(end, self._relay)
        return end.result

    async def _events(self, prompt: str) -> EngineEvent | None:
        turn = cast(AsyncGenerator[EngineEvent, None], self._engine.turn(prompt, thread_id=self.thread))
        async with contextlib.aclosing(turn) as events:
            async for event in events:
                await self._take(event)
                if event.kind in ("turn_ended", "turn_failed"):
                    return event
        return None

    async def _take(self, event: EngineEvent) -> None:
        raw = event.raw or (f"{event.text}\n".encode() if event.kind in ("message", "warning", "turn_failed") else b"")
        await self._outbox.log("engine", raw)
        self._acts.take(event)
        if event.kind == "log":
            self._said = (self._said + raw)[-REMEMBERED_OUTPUT:]
        elif event.kind == "thread":
            self.thread = event.thread_id
        elif event.kind == "command":
            self.gaps.command(event.argv, event.exit_code, event.text or self._said.decode("utf-8", "replace"))
        elif event.kind == "usage":
            counts = {name: getattr(event, name) for name in COUNTS}
            self._outbox.usage(self._model, counts)
            for name, value in counts.items():
                self.totals[name] += value
        if event.kind == "command":
            self._said = b""

    async def _interrupt_when_asked(self) -> None:
        """Interrupt the engine on a stop, or when a turn goes on for 120 s with an open wait."""
        control = self._control
        await control.until(lambda: control.ending or bool(control.waits))
        grace = WAIT_GRACE
        if not control.ending:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WAIT_SECONDS):
                    await control.until(lambda: control.ending)
        if control.refusal is not None:
            grace = REFUSED_GRACE
        elif control.stop_reason:
            grace = control.grace / 2  # the other half is for saving and reporting
        await self._engine.interrupt(grace)

    def _end_if_asked(self, end: EngineEvent | None) -> None:
        control = self._control
        if control.refusal is not None:
            raise control.refusal
        if control.stop_reason:
            raise AttemptOver("interrupted", control.stop_reason)
        if control.waits and (end is None or end.failure in ("interrupted", "lost")):
            raise AttemptOver("parked")


def failure_of(end: EngineEvent, relay: RelayAnswers) -> AttemptOver:
    """Return what a failed turn means for the attempt (`runs.md` 16.4)."""
    failure = _class_of(end, relay)
    detail = end.text or failure
    match failure:
        case "rate_limited":
            return AttemptOver("rate_limited", "rate_limited", detail, resume_at=relay.resume_at())
        case "budget":
            return AttemptOver("budget", "budget", detail)
        case "credential_rejected":
            return AttemptOver("parked", "credential_rejected", detail)
        case "agent_not_configured":
            return AttemptOver("precondition_failed", "agent_not_configured", detail)
        case "interrupted" | "lost":
            return Failed("workload_lost", detail)
        case "mcp_unavailable":
            return Failed("engine_error", f"mcp_unavailable: {detail}")
        case "context_exhausted" | "provider_unavailable":
            return Failed(failure, detail)
        case _:
            return Failed("engine_error", f"{end.code}: {detail}" if end.code not in ("", "engine_error") else detail)


def _class_of(end: EngineEvent, relay: RelayAnswers) -> str:
    """The relay's own word counts most: to the engine its refusals look like a provider's."""
    if relay.code in BY_CODE:
        return relay.code
    if relay.code and relay.status in REFUSALS:
        return "engine_error"  # it refused the call, and says nothing of the key
    return BY_STATUS.get(relay.status, end.failure or "engine_error")
