"""Reading Claude Code's stream: what is talk, what is the answer, what was lost, and what it cost."""

import json
from pathlib import Path
from typing import Any

import pytest

from stagewright.adapters.engines.claude.events import ClaudeParser
from stagewright.adapters.engines.contract import EngineEvent
from stagewright.adapters.engines.jsonl import events_of
from stagewright.adapters.engines.lines import Line

USAGE = {"input_tokens": 10, "cache_creation_input_tokens": 4, "cache_read_input_tokens": 2, "output_tokens": 5}


def fed(*messages: dict[str, Any]) -> tuple[ClaudeParser, list[EngineEvent]]:
    parser = ClaudeParser(Path("/repo"))
    return parser, [event for message in messages for event in parser.feed(message)]


def init(status: str = "connected") -> dict[str, Any]:
    servers = [{"name": "governed", "status": status}]
    return {"type": "system", "subtype": "init", "session_id": "s1", "mcp_servers": servers}


def said(*blocks: dict[str, Any], number: str = "m1", usage: dict[str, int] | None = None) -> dict[str, Any]:
    inner = {"id": number, "model": "m", "content": list(blocks), "usage": usage or {}}
    return {"type": "assistant", "message": inner}


def called(
    name: str, given: dict[str, Any], answer: Any, *, error: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    call = {"type": "tool_use", "id": "t1", "name": name, "input": given}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": answer, "is_error": error}
    return said(call), {"type": "user", "message": {"content": [result]}}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def test_texts_are_talk_but_the_last_one_which_is_the_answer() -> None:
    result = {"type": "result", "subtype": "success", "is_error": False, "result": "the answer", "usage": USAGE}
    parser, events = fed(init(), said(text("one")), said(text("two"), number="m2"), said(text("the answer")), result)
    assert [(event.kind, event.text) for event in events] == [
        ("thread", ""), ("turn_started", ""), ("message", "one"), ("message", "two"),
    ]  # fmt: skip
    assert parser.result is not None
    assert (parser.result.text, parser.result.structured) == ("the answer", None)


def test_with_a_structured_answer_every_text_is_talk() -> None:
    result = {"type": "result", "is_error": False, "structured_output": {"status": "completed"}, "result": "all done"}
    parser, events = fed(init(), said(text("all done")), result)
    assert [event.text for event in events if event.kind == "message"] == ["all done"]
    assert parser.result is not None
    assert parser.result.structured == {"status": "completed"}


def test_an_api_failure_is_an_error_although_it_is_called_a_success() -> None:
    synthetic = {"type": "assistant", "message": {"model": "<synthetic>", "content": [text("API Error: 529")]}}
    result = {"type": "result", "subtype": "success", "is_error": True, "api_error_status": 529, "result": "API Error"}
    retry = {"type": "system", "subtype": "api_retry", "attempt": 1, "max_retries": 3, "error_status": 529}
    parser, events = fed(init(), retry, synthetic, result)
    assert parser.result is not None
    assert (parser.result.is_error, parser.result.status) == (True, 529)
    assert [event.text for event in events if event.kind == "warning"] == ["the provider failed (529); retry 1 of 3"]
    assert "message" not in [event.kind for event in events]


@pytest.mark.parametrize("status", ["failed", "pending", "needs-auth", "disabled"])
def test_governed_tools_that_are_not_connected_are_lost(status: str) -> None:
    parser, _ = fed(init(status))
    assert parser.tools_lost == f"the governed tools are not connected: {status}"
    assert fed(init())[0].tools_lost == ""


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (called("Bash", {"command": "ls"}, "a.txt"), ("command", "ls", 0, True, "a.txt")),
        (
            called("Bash", {"command": "x"}, "Exit code 127\nx: not found", error=True),
            ("command", "x", 127, False, "x: not found"),
        ),
        (
            called("Bash", {"command": "x"}, "Command timed out", error=True),
            ("command", "x", None, False, "Command timed out"),
        ),
        (called("mcp__governed__push", {}, [text("refused")], error=True), ("tool_call", "", None, False, "refused")),
    ],
)
def test_tool_results_become_events(call: tuple[dict[str, Any], ...], expected: tuple[Any, ...]) -> None:
    (event,) = fed(*call)[1]
    assert (event.kind, event.argv, event.exit_code, event.ok, event.text) == expected


def test_changed_files_are_named_from_the_repository() -> None:
    (event,) = fed(*called("Write", {"file_path": "/repo/a/b.py"}, "written"))[1]
    assert (event.kind, event.paths) == ("file_change", ("a/b.py",))
    assert fed(*called("Edit", {"file_path": "/repo/a"}, "no such text", error=True))[1] == []
    assert fed(*called("Read", {"file_path": "/repo/a"}, "text"))[1] == []


def test_the_cost_is_the_results_sum_or_without_one_what_the_messages_said() -> None:
    messages = (
        init(),
        said(text("a"), usage=USAGE),
        said(text("b"), usage=USAGE),
        said(text("c"), number="m2", usage=USAGE),
    )
    assert fed(*messages)[0].usage == (32, 4, 10)
    total = {"input_tokens": 100, "cache_read_input_tokens": 50, "output_tokens": 7}
    assert fed(*messages, {"type": "result", "usage": total})[0].usage == (150, 50, 7)


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"type": "assistant"},
        {"type": "assistant", "message": {"content": "words"}},
        {"type": "user", "message": {"content": [{"type": "tool_result"}, "x"]}},
        {"type": "system", "subtype": "init", "mcp_servers": None},
        {"type": "system", "subtype": "invented"},
        {"type": "result", "usage": {"input_tokens": "many"}, "api_error_status": "x"},
        {"type": "invented"},
    ],
)
def test_missing_or_odd_fields_do_not_break_the_turn(message: dict[str, Any]) -> None:
    line = json.dumps(message).encode() + b"\n"
    events = events_of(Line(line), ClaudeParser(Path("/repo")))
    assert events[0].raw == line
