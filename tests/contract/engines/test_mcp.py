"""The small MCP client: what a tools door may answer, and what counts as no answer."""

import json
from typing import Any

import pytest
from tests.fakes.tools_stub import ToolsStub, a_reply

from stagewright.adapters.engines.mcp import ToolsClient, ToolsUnreachable, reachable


async def test_tools_are_listed_by_name_and_called_with_their_answer() -> None:
    with ToolsStub({"b": a_reply("two", status="ok"), "a": a_reply("one", error=True)}) as stub:
        client = ToolsClient(stub.url)
        await client.open()
        assert await client.list_tools() == ("a", "b")
        assert (await client.call("b", {})).text == "two"
        assert not (await client.call("a", {})).ok
        unknown = await client.call("c", {})
    assert (unknown.ok, unknown.text) == (False, "Unknown: tools/call")


async def test_a_pending_answer_asks_the_agent_to_end_its_turn() -> None:
    with ToolsStub({"ask": a_reply("ask", status="pending", request_id="r")}) as stub:
        client = ToolsClient(stub.url)
        await client.open()
        assert (await client.call("ask", {})).pending


async def test_a_long_list_comes_in_pages() -> None:
    with Paged({"x": a_reply("")}) as stub:
        client = ToolsClient(stub.url)
        await client.open()
        assert await client.list_tools() == ("first", "second")


@pytest.mark.parametrize("status", [401, 404, 500])
async def test_a_refusing_door_is_unreachable(status: int) -> None:
    with ToolsStub(status=status) as stub:
        assert await reachable(stub.url) == f"the tools door answered with status {status}"


async def test_a_closed_door_is_unreachable() -> None:
    assert await reachable("http://127.0.0.1:9/mcp") == "the tools door does not answer: ConnectionRefusedError"


async def test_a_door_that_answers_errors_is_unreachable() -> None:
    with Broken() as stub:
        assert await reachable(stub.url) == "the tools door refused to initialise: not today"
        with pytest.raises(ToolsUnreachable, match="gave no list: not today"):
            await ToolsClient(stub.url).list_tools()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "answered initialize with nothing"),
        (b"<html>", "something that is not JSON"),
        (b'{"jsonrpc": "2.0", "method": "ping"}', "answered initialize with nothing"),
    ],
)
async def test_an_answer_that_is_no_json_rpc_is_unreachable(body: bytes, reason: str) -> None:
    with Raw(body) as stub:
        assert reason in (await reachable(stub.url) or "")


async def test_an_answer_in_an_event_stream_is_read() -> None:
    reply = {"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": "2025-06-18"}}
    text = f"event: message\ndata: {json.dumps({'method': 'ping'})}\n\ndata: {json.dumps(reply)}\n\n"
    with Raw(text.encode(), "text/event-stream") as stub:
        assert await reachable(stub.url) is None


class Paged(ToolsStub):
    """Lists its tools on two pages."""

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
        if body.get("method") != "tools/list":
            return super().answer(body)
        if body["params"].get("cursor") == "next":
            return 200, {"id": body["id"], "result": {"tools": [{"name": "second"}]}}
        return 200, {"id": body["id"], "result": {"tools": [{"name": "first"}], "nextCursor": "next"}}


class Broken(ToolsStub):
    """Answers every request with an error."""

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any] | None]:
        return 200, {"jsonrpc": "2.0", "id": body.get("id"), "error": {"code": -1, "message": "not today"}}


class Raw(ToolsStub):
    """Answers every request with the same bytes."""

    def __init__(self, body: bytes, content_type: str = "application/json") -> None:
        super().__init__()
        self._body = body
        self.content_type = content_type

    def payload(self, answer: Any) -> bytes:
        return self._body
