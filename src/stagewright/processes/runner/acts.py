"""Counts what the engine does, for the session summary: totals of the attempt, so that the newest count says all."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from stagewright.adapters.engines.contract import EngineEvent
from stagewright.processes.runner.outbox import Outbox

EVENT = "run.agent.acted"
EVERY_SECONDS = 5.0
MOST_TOOLS = 50
LONGEST_NAME = 64
OTHER_TOOLS = "…"


class Acts:
    """Turns, messages, commands, file changes and calls of tools; told when they change, at most every five seconds."""

    def __init__(self, outbox: Outbox, now: Callable[[], float] = time.monotonic) -> None:
        self._outbox = outbox
        self._now = now
        self._told_at = -EVERY_SECONDS
        self._changed = False
        self._turns = 0
        self._messages = 0
        self._commands = [0, 0]
        self._file_changes = [0, 0]
        self._tools: dict[str, list[int]] = {}

    def turn(self) -> None:
        """Count a turn that begins."""
        self._turns += 1
        self._changed = True

    def take(self, event: EngineEvent) -> None:
        """Count one event, and tell the totals when they are due."""
        match event.kind:
            case "message":
                self._messages += 1
            case "command":
                _count(self._commands, failed=not event.ok or bool(event.exit_code))
            case "file_change":
                _count(self._file_changes, failed=not event.ok)
            case "tool_call":
                _count(self._tools.setdefault(self._name(event.tool), [0, 0]), failed=not event.ok)
            case _:
                return
        self._changed = True
        if self._now() - self._told_at >= EVERY_SECONDS:
            self.tell()

    def tell(self) -> None:
        """Tell the totals if they are others than those told before."""
        if not self._changed:
            return
        self._changed, self._told_at = False, self._now()
        self._outbox.event(EVENT, **self._body())

    def _name(self, tool: str) -> str:
        name = tool[:LONGEST_NAME] or OTHER_TOOLS
        return name if name in self._tools or len(self._tools) < MOST_TOOLS - 1 else OTHER_TOOLS

    def _body(self) -> Mapping[str, Any]:
        return {
            "turns": self._turns,
            "messages": self._messages,
            "commands": _uses(self._commands),
            "file_changes": _uses(self._file_changes),
            "tools": {name: _uses(pair) for name, pair in self._tools.items()},
        }


def _count(pair: list[int], *, failed: bool) -> None:
    pair[0] += 1
    pair[1] += failed


def _uses(pair: list[int]) -> dict[str, int]:
    return {"calls": pair[0], "failed": pair[1]}
