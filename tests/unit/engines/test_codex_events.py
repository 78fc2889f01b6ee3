"""Reading ``codex exec --json``: what is final, what is talk and what is the report, and lines nobody expects."""

import json
from pathlib import Path
from typing import Any

import pytest

from stagewright.adapters.engines.codex.events import CodexParser
from stagewright.adapters.engines.jsonl import events_of
from stagewright.adapters.engines.lines import Line


def fed(*messages: dict[str, Any]) -> tuple[CodexParser, list[tuple[str, str]]]:
    parser = CodexParser(Path("/repo"))
    events = [event for message in messages for event in parser.feed(message)]
    return parser, [(event.kind, event.text or event.thread_id) for event in events]


def item(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": "item.completed", "item": {"id": "item_0", "type": kind, **fields}}


def test_the_last_message_of_a_completed_turn_is_the_report_and_earlier_ones_are_talk() -> None:
    parser, events = fed(
        {"type": "thread.started", "thread_id": "t1"},
        {"type": "turn.started"},
        item("agent_message", text="looking"),
        item("agent_message", text="still looking"),
        item("reasoning", text="hm"),
        item("agent_message", text='{"status":"completed"}'),
        {"type": "turn.completed", "usage": {"input_tokens": 3}},
    )
    assert events == [
        ("thread", "t1"),
        ("turn_started", ""),
        ("message", "looking"),
        ("message", "still looking"),
        ("reasoning", "hm"),
    ]
    assert (parser.completed, parser.last_message, parser.usage) == (
        True,
        '{"status":"completed"}',
        {"input_tokens": 3},
    )


def test_an_error_is_a_warning_and_only_turn_failed_is_final() -> None:
    parser, events = fed(
        item("agent_message", text="hi"),
        {"type": "error", "message": "Reconnecting... 1/5"},
        item("error", message="deprecated"),
        {"type": "turn.failed", "error": {"message": "unexpected status 401 Unauthorized"}},
    )
    assert events == [("message", "hi"), ("warning", "Reconnecting... 1/5"), ("warning", "deprecated")]
    assert parser.failure == "unexpected status 401 Unauthorized"
    assert not parser.completed


def test_commands_changes_and_tool_calls_keep_what_a_screen_shows() -> None:
    parser = CodexParser(Path("/repo"))
    command = parser.feed(
        item("command_execution", command="sh -c x", exit_code=127, aggregated_output="x: not found", status="failed")
    )[0]
    assert (command.kind, command.argv, command.exit_code, command.ok) == ("command", "sh -c x", 127, False)
    changes = [{"path": "/repo/a/b.py", "kind": "add"}, {"path": "c.py", "kind": "update"}]
    change = parser.feed(item("file_change", changes=changes, status="completed"))[0]
    assert (change.paths, change.ok) == (("a/b.py", "c.py"), True)
    call = parser.feed(
        item("mcp_tool_call", tool="push", status="failed", error={"message": "timed out"}, result=None)
    )[0]
    assert (call.tool, call.ok, call.text) == ("push", False, "timed out")


@pytest.mark.parametrize(
    "line",
    [
        b"not json\n",
        b"[1, 2]\n",
        b"{}\n",
        b'{"type": "item.completed"}\n',
        b'{"type": "item.completed", "item": {"type": "invented"}}\n',
        b'{"type": "item.started", "item": {"type": "agent_message"}}\n',
        b'{"type": "invented.event", "x": ' + b"[" * 5000 + b"\n",
        b"\xff\xfe\n",
    ],
)
def test_an_unexpected_line_is_log_and_nothing_else(line: bytes) -> None:
    events = events_of(Line(line), CodexParser(Path("/repo")))
    assert [(event.kind, event.raw) for event in events] == [("log", line)]


@pytest.mark.parametrize(
    "message",
    [
        item("command_execution"),
        item("file_change", changes=None),
        item("file_change", changes=["x"]),
        item("mcp_tool_call", result={"content": [1]}),
        {"type": "turn.failed"},
        {"type": "error", "message": {"deep": 1}},
        {"type": "turn.completed", "usage": []},
    ],
)
def test_missing_or_odd_fields_do_not_break_the_turn(message: dict[str, Any]) -> None:
    fed(message)


def test_the_part_of_an_overlong_line_is_log() -> None:
    events = events_of(Line(json.dumps({"type": "turn.started"}).encode(), whole=False), CodexParser(Path("/repo")))
    assert [event.kind for event in events] == ["log"]


def test_half_a_character_becomes_a_question_mark() -> None:
    line = json.dumps(item("reasoning", text="half \ud83d, whole \U0001f600")).encode()
    (event,) = events_of(Line(line), CodexParser(Path("/repo")))
    assert event.text == "half ?, whole \U0001f600"
