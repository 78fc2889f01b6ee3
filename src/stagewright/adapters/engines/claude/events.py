"""From the lines of ``claude -p --output-format stream-json`` to engine events.

``is_error`` decides, not ``subtype``: an API failure may end as ``success``. A lost MCP server shows at ``init`` only.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stagewright.adapters.engines.claude.config import SERVER
from stagewright.adapters.engines.contract import EngineEvent
from stagewright.adapters.engines.jsonl import shorten

LONGEST_TEXT = 8_000
LONGEST_OUTPUT = 2_000
WRITERS = ("Write", "Edit", "NotebookEdit")
GOVERNED = f"mcp__{SERVER}__"


@dataclass(frozen=True, slots=True)
class Result:
    """The last line of a turn."""

    text: str
    structured: Any
    is_error: bool
    subtype: str
    status: int | None


class ClaudeParser:
    """Reads one turn. Afterwards ``result``, ``tools_lost`` and ``usage`` say how it ended and what it cost.

    A text is held back until something follows it: the last one of a turn is the answer, not talk.
    """

    def __init__(self, repo: Path) -> None:
        self._repo = repo
        self._held = ""
        self._calls: dict[str, Mapping[str, Any]] = {}
        self._costs: dict[str, tuple[int, int, int]] = {}
        self._total: tuple[int, int, int] | None = None
        self.session_id = ""
        self.tools_lost = ""
        self.result: Result | None = None

    @property
    def usage(self) -> tuple[int, int, int]:
        """Return (in, cached, out) of the turn: the CLI's sum, or what its messages said when it was killed."""
        if self._total is not None:
            return self._total
        costs = list(self._costs.values())
        return sum(cost[0] for cost in costs), sum(cost[1] for cost in costs), sum(cost[2] for cost in costs)

    def feed(self, message: Mapping[str, Any]) -> list[EngineEvent]:
        """Return the events of one line."""
        match message.get("type"):
            case "system":
                return self._system(message)
            case "assistant":
                return list(self._assistant(message))
            case "user":
                return [event for block in _blocks(message) for event in self._tool_result(block)]
            case "result":
                return self._ended(message)
        return []

    def _system(self, message: Mapping[str, Any]) -> list[EngineEvent]:
        match message.get("subtype"):
            case "init":
                return self._begun(message)
            case "api_retry":
                status = message.get("error_status") or message.get("error") or "no answer"
                attempts = f"{message.get('attempt')} of {message.get('max_retries')}"
                return [EngineEvent("warning", text=f"the provider failed ({status}); retry {attempts}")]
            case "permission_denied":
                return [EngineEvent("warning", text=f"the tool {message.get('tool_name')} is not allowed")]
        return []

    def _begun(self, message: Mapping[str, Any]) -> list[EngineEvent]:
        if self.session_id:
            return []
        self.session_id = str(message.get("session_id", ""))
        servers = message.get("mcp_servers")
        states = {_mapping(server).get("name"): _mapping(server).get("status") for server in servers or []}
        if (state := states.get(SERVER, "connected")) != "connected":
            self.tools_lost = f"the governed tools are not connected: {state}"
        return [EngineEvent("thread", thread_id=self.session_id), EngineEvent("turn_started")]

    def _assistant(self, message: Mapping[str, Any]) -> Iterator[EngineEvent]:
        inner = _mapping(message.get("message"))
        if message.get("is_api_error_message") or inner.get("model") == "<synthetic>":
            return
        self._costs[str(inner.get("id"))] = _counts(inner.get("usage"))
        for block in _blocks(message):
            yield from self._released()
            match block.get("type"):
                case "text":
                    self._held = str(block.get("text", ""))
                case "thinking":
                    yield EngineEvent("reasoning", text=shorten(str(block.get("thinking", "")), LONGEST_TEXT))
                case "tool_use":
                    self._calls[str(block.get("id"))] = block

    def _released(self) -> list[EngineEvent]:
        held, self._held = self._held, ""
        return [EngineEvent("message", text=shorten(held, LONGEST_TEXT))] if held else []

    def _tool_result(self, block: Mapping[str, Any]) -> list[EngineEvent]:
        call = self._calls.pop(str(block.get("tool_use_id")), None)
        if block.get("type") != "tool_result" or call is None:
            return []
        name, given, ok = str(call.get("name")), _mapping(call.get("input")), not block.get("is_error", False)
        text = _text(block.get("content"))
        if name == "Bash":
            return [_command(str(given.get("command", "")), text, ok)]
        if name in WRITERS and ok:
            path = str(given.get("file_path") or given.get("notebook_path") or "")
            return [EngineEvent("file_change", paths=(self._relative(path),))]
        if name.startswith(GOVERNED):
            tool = name.removeprefix(GOVERNED)
            return [EngineEvent("tool_call", tool=tool, ok=ok, text=shorten(text, LONGEST_OUTPUT))]
        return []

    def _relative(self, path: str) -> str:
        return os.path.relpath(path, self._repo) if os.path.isabs(path) else path

    def _ended(self, message: Mapping[str, Any]) -> list[EngineEvent]:
        status = message.get("api_error_status")
        self.result = Result(
            text=str(message.get("result") or ""),
            structured=message.get("structured_output"),
            is_error=bool(message.get("is_error")),
            subtype=str(message.get("subtype", "")),
            status=status if isinstance(status, int) else None,
        )
        self._total = _counts(message.get("usage"))
        return self._released() if self.result.structured is not None or self.result.is_error else []


def _command(command: str, text: str, ok: bool) -> EngineEvent:
    found = re.match(r"Exit code (\d+)\n?", text)
    code = 0 if ok else int(found[1]) if found else None
    output = text[found.end() :] if found and not ok else text
    return EngineEvent(
        "command",
        argv=shorten(command, LONGEST_OUTPUT),
        exit_code=code,
        text=shorten(output, LONGEST_OUTPUT),
        ok=ok,
    )


def _counts(usage: Any) -> tuple[int, int, int]:
    """Return (in, cached, out); what was read from or written to a cache is input too."""
    known = _mapping(usage)
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
    fresh, written, read, out = (count if type(count := known.get(name)) is int else 0 for name in names)
    return fresh + written + read, read, out


def _blocks(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = _mapping(message.get("message")).get("content")
    return [block for block in content if isinstance(block, Mapping)] if isinstance(content, list) else []


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(_mapping(part).get("text", "")) for part in content)
    return content if isinstance(content, str) else json.dumps(content)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
