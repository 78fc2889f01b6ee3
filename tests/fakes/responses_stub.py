"""A stand-in for the Responses API, as the Codex CLI uses it. Loopback only; the step is derived from the request.

Actions: ``message``, ``reasoning`` (text); ``function`` with ``args``, maybe ``namespace``; ``custom`` with ``input``;
``fail`` (status) with ``times``, ``retry_after``, ``code``; ``sse_fail`` (code); ``sleep`` (seconds); ``drop``.
"""

import json
from collections.abc import Iterator, Sequence
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

CALLS = ("function", "custom")
DEFAULT: Scenario = [[{"message": "done"}]]


@dataclass
class ResponsesStub(ModelStub):
    """``POST …/responses``; everything else is 404."""

    def serve(self, handler: StubHandler, seen: Seen) -> None:
        if not self.authorised(seen):
            handler.send_json(401, {"error": {"code": "invalid_api_key", "message": "Incorrect API key provided"}})
            return
        if seen.method == "GET" and seen.path.endswith("/models"):
            handler.send_json(200, {"object": "list", "data": [{"id": "stub-model", "object": "model"}]})
            return
        if seen.method != "POST" or not seen.path.split("?")[0].endswith("/responses"):
            handler.send_json(404, {"error": {"code": "not_found", "message": f"no {seen.method} {seen.path}"}})
            return
        name, done = _place(seen.body.get("input", []), self.scenarios)
        scenario = self.scenarios.get(name, DEFAULT)
        number = choose_step(scenario, done, CALLS)
        self._play(handler, seen, scenario[number], (seen.body.get("prompt_cache_key"), name, number))

    def _play(self, handler: StubHandler, seen: Seen, step: Sequence[Action], where: tuple[object, ...]) -> None:
        for action in step:
            if "fail" in action and self.still_fails(action, *where):
                headers = {"retry-after": str(action["retry_after"])} if "retry_after" in action else {}
                error = {"code": action.get("code", "stub_failure"), "message": action.get("text", "told to fail")}
                handler.send_json(action["fail"], {"error": error}, headers)
                return
        sleep_for(step)
        handler.send_events(_events(self, seen, step), dropped=any("drop" in action for action in step))


def _place(items: list[dict[str, Any]], scenarios: Any) -> tuple[str, int]:
    """Return the scenario the newest prompt names and how many calls were answered since."""
    name, begin = "default", 0
    for index, item in enumerate(items):
        if item.get("role") != "user":
            continue
        text = _text_of(item)
        if found := MARKER.search(text):
            name, begin = found[1], index
        elif not text.startswith(("<", "# AGENTS.md")):
            name, begin = "default", index
    assert name == "default" or name in scenarios, f"the stub has no scenario {name!r}"
    return name, sum(1 for item in items[begin:] if str(item.get("type", "")).endswith("_output"))


def _text_of(item: dict[str, Any]) -> str:
    content = item.get("content", "")
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def _events(stub: ModelStub, seen: Seen, step: Sequence[Action]) -> Iterator[dict[str, Any]]:
    response = new_id("resp")
    number = 0
    yield {"type": "response.created", "sequence_number": number, "response": {"id": response, "status": "in_progress"}}
    out = 0
    for action in step:
        if "drop" in action:
            return
        if "sse_fail" in action:
            error = {"code": action["sse_fail"], "message": action.get("text", "told to fail")}
            yield {"type": "response.failed", "response": {"id": response, "status": "failed", "error": error}}
            return
        item = _item(action)
        if item is not None:
            number += 1
            out += tokens(item)
            yield {"type": "response.output_item.done", "sequence_number": number, "item": item}
    usage = {
        "input_tokens": tokens(seen.body.get("input", [])),
        "input_tokens_details": {"cached_tokens": 3},
        "output_tokens": out,
        "output_tokens_details": {"reasoning_tokens": 0},
    }
    stub.spend(tokens(seen.body.get("input", [])), out)
    usage["total_tokens"] = tokens(seen.body.get("input", [])) + out
    yield {
        "type": "response.completed",
        "sequence_number": number + 1,
        "response": {"id": response, "status": "completed", "usage": usage},
    }


def _item(action: Action) -> dict[str, Any] | None:
    if "message" in action:
        part = {"type": "output_text", "text": action["message"], "annotations": []}
        return {"type": "message", "id": new_id("msg"), "role": "assistant", "status": "completed", "content": [part]}
    if "reasoning" in action:
        summary = [{"type": "summary_text", "text": action["reasoning"]}]
        return {"type": "reasoning", "id": new_id("rs"), "summary": summary, "encrypted_content": "c3R1Yg=="}
    if "function" in action:
        call = {"type": "function_call", "id": new_id("fc"), "call_id": new_id("call"), "status": "completed"}
        extra = {"namespace": action["namespace"]} if "namespace" in action else {}
        return {**call, "name": action["function"], "arguments": json.dumps(action.get("args", {})), **extra}
    if "custom" in action:
        call = {"type": "custom_tool_call", "id": new_id("ctc"), "call_id": new_id("call"), "status": "completed"}
        return {**call, "name": action["custom"], "input": action["input"]}
    return None
