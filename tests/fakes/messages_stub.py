"""A stand-in for the Messages API, as Claude Code uses it. Loopback only; the step is derived from the request.

Actions: ``text``, ``thinking``; ``tool`` with ``input``; ``fail`` (status) with ``times``, ``retry_after``, ``kind``;
``sleep`` (seconds); ``drop``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.fakes.model_stub import (
    MARKER,
    Action,
    ModelStub,
    Scenario,
    Seen,
    StubHandler,
    choose_step,
    new_id,
    sleep_for,
    tokens,
)

CALLS = ("tool",)
DEFAULT: Scenario = [[{"text": "done"}]]
KINDS = {401: "authentication_error", 402: "billing_error", 403: "permission_error", 404: "not_found_error"}
KINDS |= {400: "invalid_request_error", 429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"}


@dataclass
class MessagesStub(ModelStub):
    """``POST …/v1/messages``, streamed or not, and ``count_tokens``; everything else is 404."""

    def serve(self, handler: StubHandler, seen: Seen) -> None:
        path = seen.path.split("?")[0]
        if seen.method == "HEAD":
            handler.send_json(200, {})
        elif not self.authorised(seen):
            handler.send_json(401, _error(401, "invalid x-api-key"))
        elif seen.method == "POST" and path.endswith("/v1/messages/count_tokens"):
            handler.send_json(200, {"input_tokens": tokens(seen.body)})
        elif seen.method == "POST" and path.endswith("/v1/messages"):
            self._answer(handler, seen)
        else:
            handler.send_json(404, _error(404, f"no {seen.method} {path}"))

    def _answer(self, handler: StubHandler, seen: Seen) -> None:
        name, done = _place(seen.body.get("messages", []))
        scenario = self.scenarios.get(name, DEFAULT)
        number = choose_step(scenario, done, CALLS)
        step = scenario[number]
        for action in step:
            if "fail" in action and self.still_fails(action, name, number):
                headers = {"retry-after": str(action["retry_after"])} if "retry_after" in action else {}
                handler.send_json(action["fail"], _error(action["fail"], action.get("text", "told to fail")), headers)
                return
        sleep_for(step)
        blocks = [block for action in step if (block := _block(action)) is not None]
        usage = {"input_tokens": tokens(seen.body.get("messages", [])), "output_tokens": max(2, tokens(blocks))}
        usage |= {"cache_read_input_tokens": 3, "cache_creation_input_tokens": 0}
        if any("drop" in action for action in step):
            handler.send_events([], dropped=True)
            return
        self.spend(usage["input_tokens"] + 3, usage["output_tokens"])
        if seen.body.get("stream"):
            handler.send_events(_events(seen, blocks, usage))
        else:
            handler.send_json(200, {**_message(seen, usage), "content": blocks, "stop_reason": _reason(blocks)})


def _place(messages: list[dict[str, Any]]) -> tuple[str, int]:
    """Return the scenario the newest marked prompt names and how many tools were called since."""
    name, begin = "default", 0
    for index, message in enumerate(messages):
        if message.get("role") != "user":
            continue
        for text in _texts(message.get("content", "")):
            if found := MARKER.search(text):
                name, begin = found[1], index
    later = [block for message in messages[begin:] if message.get("role") == "assistant" for block in _parts(message)]
    return name, sum(1 for block in later if block.get("type") == "tool_use")


def _texts(content: str | list[dict[str, Any]]) -> list[str]:
    if isinstance(content, str):
        return [content]
    return [str(part.get("text", "")) for part in content if part.get("type") == "text"]


def _parts(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content", [])
    return content if isinstance(content, list) else []


def _block(action: Action) -> dict[str, Any] | None:
    if "text" in action and "fail" not in action:
        return {"type": "text", "text": action["text"]}
    if "thinking" in action:
        return {"type": "thinking", "thinking": action["thinking"], "signature": "c3R1Yg=="}
    if "tool" in action:
        return {"type": "tool_use", "id": new_id("toolu"), "name": action["tool"], "input": action.get("input", {})}
    return None


def _events(seen: Seen, blocks: Sequence[dict[str, Any]], usage: dict[str, int]) -> Iterator[dict[str, Any]]:
    yield {"type": "message_start", "message": _message(seen, {**usage, "output_tokens": 1})}
    for index, block in enumerate(blocks):
        yield {"type": "content_block_start", "index": index, "content_block": _empty(block)}
        for delta in _deltas(block):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    reason = {"stop_reason": _reason(blocks), "stop_sequence": None}
    yield {"type": "message_delta", "delta": reason, "usage": {"output_tokens": usage["output_tokens"]}}
    yield {"type": "message_stop"}


def _message(seen: Seen, usage: Mapping[str, int]) -> dict[str, Any]:
    facts = {"id": new_id("msg"), "type": "message", "role": "assistant", "model": seen.body.get("model", "stub-model")}
    return {**facts, "content": [], "stop_reason": None, "stop_sequence": None, "usage": dict(usage)}


def _reason(blocks: Sequence[Mapping[str, Any]]) -> str:
    return "tool_use" if any(block["type"] == "tool_use" for block in blocks) else "end_turn"


def _empty(block: Mapping[str, Any]) -> dict[str, Any]:
    nothing: dict[str, Any] = {"text": "", "thinking": "", "signature": "", "input": {}}
    return {name: nothing.get(name, value) for name, value in block.items()}


def _deltas(block: Mapping[str, Any]) -> list[dict[str, Any]]:
    match block["type"]:
        case "text":
            return [{"type": "text_delta", "text": block["text"]}]
        case "thinking":
            signature = {"type": "signature_delta", "signature": block["signature"]}
            return [{"type": "thinking_delta", "thinking": block["thinking"]}, signature]
        case _:
            return [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]


def _error(status: int, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": KINDS.get(status, "api_error"), "message": message}}
