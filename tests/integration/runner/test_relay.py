"""The loopback relay over real sockets: tokens added, streams both ways, nothing else passed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.fakes.controlplane import FakeControlPlane
from tests.fakes.tools_stub import ToolsStub, a_reply
from tests.integration.runner.harness import TOKENS, Run, scenario

from stagewright.processes.runner import peers
from stagewright.processes.runner.exchange import Route
from stagewright.processes.runner.http1 import Head
from stagewright.processes.runner.relay import Relay

# A command of the engine `command` is not told the relay's address: it looks for its parent's listening socket.
ASK_THE_RELAY = """
import glob, os, urllib.request
rows = [line.split() for line in open("/proc/net/tcp").readlines()[1:]]
links = [os.readlink(path) for path in glob.glob("/proc/%d/fd/*" % os.getppid()) if os.path.lexists(path)]
inodes = [link[8:-1] for link in links if link.startswith("socket:")]
port = next(int(row[1][9:], 16) for row in rows if row[3] == "0A" and row[9] in inodes)
urllib.request.urlopen("http://127.0.0.1:%d/model/command/v1/x" % port)
"""


class Upstream:
    """A door of the platform: keeps raw requests, answers what the test wrote, piece by piece."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.pieces: list[bytes] = [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"]
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.hung_up = asyncio.Event()
        self.port = 0

    async def start(self) -> None:
        """Listen."""
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        while b"chunked" in request.lower() and not request.endswith(b"0\r\n\r\n"):
            request += await reader.read(65536)
        length = next(
            (int(line[15:]) for line in request.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        request += await reader.readexactly(length)
        self.requests.append(request)
        for number, piece in enumerate(self.pieces):
            if number:
                await self.go_on.wait()
            writer.write(piece)
            await writer.drain()
        if not self.go_on.is_set():
            await reader.read()
            self.hung_up.set()
        writer.close()


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    made = Upstream()
    await made.start()
    yield made
    made.server.close()


@pytest.fixture
async def seen() -> list[tuple[str, int]]:
    return []


@pytest.fixture
async def relay(upstream: Upstream, seen: list[tuple[str, int]]) -> AsyncIterator[Relay]:
    routes = [
        Route("tools", "/mcp", f"http://127.0.0.1:{upstream.port}/mcp", "tools-token"),
        Route("model", "/model/codex", f"http://127.0.0.1:{upstream.port}/model/codex", "model-token"),
    ]

    def note(route: Route, status: int, head: Head) -> None:
        seen.append((route.kind, status))

    made = Relay(routes, seen=note)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def client(relay: Relay) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{relay.port}", timeout=10, trust_env=False) as made:
        yield made


async def raw(relay: Relay, request: str) -> bytes:
    """Send exact bytes and return the whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    writer.write(request.replace("HOST", f"127.0.0.1:{relay.port}").encode("latin-1"))
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    return answer


async def test_the_token_is_added_and_the_clients_own_credentials_are_not_passed(
    client: httpx.AsyncClient, upstream: Upstream, seen: list[tuple[str, int]]
) -> None:
    headers = {"authorization": "Bearer mine", "x-api-key": "mine", "cookie": "a=mine", "x-custom": "kept"}
    answer = await client.post("/model/codex/v1/responses?beta=1", json={"x": 1}, headers=headers)
    assert (answer.status_code, answer.text) == (200, "ok")
    [request] = upstream.requests
    assert request.startswith(b"POST /model/codex/v1/responses?beta=1 HTTP/1.1\r\n")
    assert request.count(b"authorization: Bearer model-token\r\n") == 1
    assert f"host: 127.0.0.1:{upstream.port}\r\n".encode() in request
    assert b"x-custom: kept" in request
    assert b"mine" not in request
    assert request.endswith(b'{"x":1}')
    assert seen == [("model", 200)]


async def test_each_path_gets_its_own_token(client: httpx.AsyncClient, upstream: Upstream) -> None:
    await client.post("/mcp", json={"method": "ping"})
    assert b"authorization: Bearer tools-token\r\n" in upstream.requests[0]
    assert upstream.requests[0].startswith(b"POST /mcp HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 404),
        ("/mcp/other", 404),
        ("/mcpx", 404),
        ("/model/claude/v1/messages", 404),
        ("/model/codexx", 404),
        ("/source/1", 404),
        ("/model/codex/../../mcp", 400),
        ("/model/codex/%2e%2e/x", 400),
        ("/model/codex/a%2Fb", 400),
        ("//model/codex", 400),
        ("http://elsewhere/mcp", 400),
    ],
)
async def test_every_other_path_is_refused(relay: Relay, upstream: Upstream, path: str, status: int) -> None:
    answer = await raw(relay, f"GET {path} HTTP/1.1\r\nhost: HOST\r\n\r\n")
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert not upstream.requests


@pytest.mark.parametrize(
    "head",
    [
        "POST /mcp HTTP/1.1\r\nhost: HOST\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /mcp HTTP/1.1\r\nhost: HOST\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nabcd",
        "GET /mcp HTTP/1.1\r\nhost: evil.example\r\n\r\n",
        "GET /mcp HTTP/1.1\r\n\r\n",
        "GET /mcp HTTP/1.1\r\nhost: HOST\r\norigin: http://evil.example\r\n\r\n",
        "CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: HOST\r\n\r\n",
        "GET /mcp HTTP/1.1\r\nhost: HOST\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
        "PUT /mcp HTTP/1.1\r\nhost: HOST\r\n\r\n",
        "GET /mcp HTTP/1.1\r\nhost: HOST\r\nx: " + "a" * 200_000 + "\r\n\r\n",
        "nonsense\r\n\r\n",
    ],
)
async def test_what_could_fool_the_door_behind_is_refused(relay: Relay, upstream: Upstream, head: str) -> None:
    answer = await raw(relay, head)
    assert answer[9:12] in (b"400", b"403", b"405")
    assert not upstream.requests


async def test_a_second_request_on_the_connection_is_not_passed(relay: Relay, upstream: Upstream) -> None:
    one = "GET /mcp HTTP/1.1\r\nhost: HOST\r\n\r\n"
    await raw(relay, one + one.replace("/mcp", "/model/codex/x"))
    assert len(upstream.requests) <= 1


async def test_events_arrive_while_the_answer_goes_on(client: httpx.AsyncClient, upstream: Upstream) -> None:
    upstream.go_on.clear()
    upstream.pieces = [
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n",
        b"9\r\ndata: 2\n\n\r\n0\r\n\r\n",
    ]
    async with client.stream("GET", "/model/codex/events") as answer:
        pieces = answer.aiter_raw()
        assert await anext(pieces) == b"data: 1\n\n"
        upstream.go_on.set()
        assert [piece async for piece in pieces] == [b"data: 2\n\n"]
    assert answer.headers["content-type"] == "text/event-stream"


async def test_a_large_body_is_streamed_up_in_chunks(client: httpx.AsyncClient, upstream: Upstream) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 65536

    assert (await client.post("/model/codex/upload", content=body())).text == "ok"
    assert b"transfer-encoding: chunked" in upstream.requests[0]
    assert upstream.requests[0].count(b"x") >= 40 * 65536


async def test_a_cut_answer_is_not_made_to_look_whole(client: httpx.AsyncClient, upstream: Upstream) -> None:
    upstream.pieces = [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"]
    with pytest.raises(httpx.TransportError):
        await client.get("/model/codex/x")


async def test_hanging_up_ends_the_call_behind(relay: Relay, upstream: Upstream) -> None:
    upstream.go_on.clear()
    upstream.pieces = [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n"]
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    writer.write(f"GET /model/codex/x HTTP/1.1\r\nhost: 127.0.0.1:{relay.port}\r\n\r\n".encode())
    await reader.readuntil(b"x\r\n")
    writer.close()
    await writer.wait_closed()
    await asyncio.wait_for(upstream.hung_up.wait(), 10)


async def test_an_interim_answer_is_passed_over(client: httpx.AsyncClient, upstream: Upstream) -> None:
    upstream.pieces = [b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 1\r\n\r\n!"]
    answer = await client.get("/model/codex/x", headers={"expect": "100-continue"})
    assert (answer.status_code, answer.text) == (201, "!")


async def test_answers_without_a_body_and_without_a_length_are_passed(
    client: httpx.AsyncClient, upstream: Upstream
) -> None:
    upstream.pieces = [b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n"]
    assert (await client.head("/model/codex/x")).status_code == 200
    upstream.pieces = [b"HTTP/1.1 200 OK\r\n\r\nuntil the end"]
    assert (await client.get("/model/codex/x")).text == "until the end"
    upstream.pieces = [b"HTTP/1.1 204 No Content\r\n\r\n"]
    assert (await client.get("/model/codex/x")).status_code == 204


async def test_a_door_that_is_away_is_a_bad_gateway(upstream: Upstream) -> None:
    relay = Relay([Route("tools", "/mcp", "http://127.0.0.1:1/mcp", "t")])
    await relay.start()
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"http://127.0.0.1:{relay.port}/mcp", json={})
    assert answer.status_code == 502
    assert "tools door cannot be reached" in answer.json()["error"]["message"]
    await relay.close()


async def test_plain_http_to_another_machine_is_refused() -> None:
    relay = Relay([Route("tools", "/mcp", "http://192.0.2.1/mcp", "t")])
    await relay.start()
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"http://127.0.0.1:{relay.port}/mcp", json={})
    assert "https" in answer.json()["error"]["message"]
    await relay.close()


async def test_a_redeploy_waits_for_the_save(upstream: Upstream) -> None:
    order: list[str] = []

    async def save() -> None:
        order.append(f"saved before {len(upstream.requests)} calls")

    relay = Relay([Route("tools", "/mcp", f"http://127.0.0.1:{upstream.port}/mcp", "t")], hold=save)
    await relay.start()
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "label_add"}}
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.post(f"http://127.0.0.1:{relay.port}/mcp", json=call)
        call["params"] = {"name": "environment_redeploy"}
        await client.post(f"http://127.0.0.1:{relay.port}/mcp", json=call)
        await client.post(f"http://127.0.0.1:{relay.port}/mcp", json=[call])
    assert order == ["saved before 1 calls", "saved before 2 calls"]
    await relay.close()


async def test_an_mcp_call_larger_than_the_limit_is_refused(client: httpx.AsyncClient, upstream: Upstream) -> None:
    answer = await client.post("/mcp", content=b"x" * (5 * 1024 * 1024))
    assert answer.status_code == 413
    assert not upstream.requests


def test_the_kernel_says_whose_connection_it_is(tmp_path: Path) -> None:
    row = "   0: 0100007F:1388 0100007F:1770 01 00000000:00000000 00:00000000 00000000  1001  0 1\n"
    mapped = row.replace("0100007F", "0000000000000000FFFF00000100007F").replace("1001", "1002")
    table, table6 = tmp_path / "tcp", tmp_path / "tcp6"
    table.write_text("head\n" + row)
    assert peers.owners(5000, 6000, (str(table), str(table6))) == {1001}
    table6.write_text("head\n" + mapped)
    assert peers.owners(5000, 6000, (str(table6),)) == {1002}
    assert peers.owners(5001, 6000, (str(table),)) == set()


async def test_the_tools_of_the_assignment_are_checked_and_used_through_the_relay(
    run: Run, platform: FakeControlPlane
) -> None:
    with ToolsStub({"label_add": a_reply("added")}) as tools:
        platform.assignment.tools_url = tools.url
        platform.assignment.tools.append("label_add")
        platform.assignment.scenario = scenario({"tool": {"name": "label_add", "arguments": {"label": "x"}}})
        assert await run.done() == 0, run.output
        assert platform.outcomes[0].outcome == "completed"
        assert tools.calls() == [("label_add", {"label": "x"})]
        assert {headers["authorization"] for headers, _ in tools.requests} == {f"Bearer {TOKENS['tools']}"}


async def test_other_tools_than_assigned_stop_the_attempt(run: Run, platform: FakeControlPlane) -> None:
    with ToolsStub({"label_add": a_reply("added")}) as tools:
        platform.assignment.tools_url = tools.url
        platform.assignment.tools.extend(["label_add", "comment_create"])
        assert await run.done() == 0, run.output
    [outcome] = platform.outcomes
    assert outcome.code == "engine_error"
    assert "comment_create" in outcome.detail


@pytest.mark.parametrize(("status", "outcome"), [(402, "budget"), (429, "rate_limited")])
async def test_a_refusal_of_the_model_relay_explains_a_failed_turn(
    run: Run, platform: FakeControlPlane, upstream: Upstream, status: int, outcome: str
) -> None:
    upstream.pieces = [f"HTTP/1.1 {status} No\r\nretry-after: 60\r\ncontent-length: 0\r\n\r\n".encode()]
    platform.assignment.engine = "command"
    platform.assignment.relay_url = f"http://127.0.0.1:{upstream.port}/model/command"
    platform.assignment.engine_argv.extend(["python3", "-c", ASK_THE_RELAY])
    await run.start()
    assert await run.ended() == 0, run.output
    [told] = platform.outcomes
    assert told.outcome == outcome
    assert bool(told.resume_at) == (status == 429)
