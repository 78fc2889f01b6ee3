"""From the lines of ``codex exec --json`` to engine events. An ``error`` is never final, only ``turn.*`` is."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stagewright.adapters.engines.contract import EngineEvent
from stagewright.adapters.engines.jsonl import shorten

LONGEST_TEXT = 8_000
LONGEST_OUTPUT = 2_000


class CodexParser:
    """Reads one turn. Afterwards ``completed``, ``failure`` and ``last_message`` say how it ended.

    A message is held back until something follows it: the last one of a turn is the report, not talk.
    """

    def __init__(self, repo: Path) -> None:
        self._repo = repo
        self._held: str | None = None
        self.thread_id = ""
        self.completed = False
        self.failure: str | None = None
        self.usage: Mapping[str, Any] = {}

    @property
    def last_message(self) -> str | None:
        """Return the message nothing followed."""
        return self._held

    def feed(self, message: Mapping[str, Any]) -> list[EngineEvent]:
        """Return the events of one line."""
        match message.get("type"):
            case "thread.started":
                self.thread_id = str(message.get("thread_id", ""))
                return [EngineEvent("thread", thread_id=self.thread_id)]
            case "turn.started":
                return [EngineEvent("turn_started")]
            case "turn.completed":
                self.completed = True
                self.usage = _mapping(message.get("usage"))
                return []
            case "turn.failed":
                self.failure = str(_mapping(message.get("error")).get("message", "no reason given"))
                return self._released()
            case "error":
                return [*self._released(), EngineEvent("warning", text=shorten(_text(message), LONGEST_TEXT))]
            case "item.completed":
                return self._item(_mapping(message.get("item")))
        return []

    def _released(self) -> list[EngineEvent]:
        held, self._held = self._held, None
        return [EngineEvent("message", text=shorten(held, LONGEST_TEXT))] if held else []

    def _item(self, item: Mapping[str, Any]) -> list[EngineEvent]:
        before = self._released()
        match item.get("type"):
            case "agent_message":
                self._held = str(item.get("text", ""))
                return before
            case "reasoning":
                return [*before, EngineEvent("reasoning", text=shorten(str(item.get("text", "")), LONGEST_TEXT))]
            case "command_execution":
                return [*before, _command(item)]
            case "file_change":
                return [*before, self._file_change(item)]
            case "mcp_tool_call":
                return [*before, _tool_call(item)]
            case "error":
                return [*before, EngineEvent("warning", text=shorten(_text(item), LONGEST_TEXT))]
        return before

    def _file_change(self, item: Mapping[str, Any]) -> EngineEvent:
        changes = item.get("changes")
        found = [str(_mapping(change).get("path", "")) for change in changes] if isinstance(changes, list) else []
        paths = tuple(os.path.relpath(path, self._repo) if os.path.isabs(path) else path for path in found)
        return EngineEvent("file_change", paths=paths, ok=item.get("status") == "completed")


def _command(item: Mapping[str, Any]) -> EngineEvent:
    code = item.get("exit_code")
    return EngineEvent(
        "command",
        argv=shorten(str(item.get("command", "")), LONGEST_OUTPUT),
        exit_code=code if isinstance(code, int) else None,
        text=shorten(str(item.get("aggregated_output", "")), LONGEST_OUTPUT),
        ok=item.get("status") == "completed",
    )


def _tool_call(item: Mapping[str, Any]) -> EngineEvent:
    error = _mapping(item.get("error")).get("message")
    content = _mapping(item.get("result")).get("content")
    texts = [str(_mapping(part).get("text", "")) for part in content] if isinstance(content, list) else []
    return EngineEvent(
        "tool_call",
        tool=str(item.get("tool", "")),
        ok=item.get("status") == "completed",
        text=shorten(str(error) if error else "\n".join(texts), LONGEST_OUTPUT),
    )


def _text(message: Mapping[str, Any]) -> str:
    text = message.get("message", "")
    return text if isinstance(text, str) else json.dumps(text)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
