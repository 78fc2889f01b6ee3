"""Serving an HTTP application on a real port."""

import asyncio
import socket
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import uvloop
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from stagewright.kit.http import serving
from stagewright.kit.http.listener import AddressTaken
from stagewright.kit.settings import Listen


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_an_application_is_served_on_a_free_port(host: str) -> None:
    app = FastAPI()

    @app.get("/")
    async def root() -> str:
        return "here"

    async with serving(app, Listen(host, 0)) as bound, httpx.AsyncClient() as client:
        answer = await client.get(f"{bound.url}/")
        assert answer.json() == "here"
        assert "server" not in answer.headers
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{bound.url}/")


async def test_a_taken_address_is_named() -> None:
    async with serving(FastAPI(), Listen("127.0.0.1", 0)) as bound:
        with pytest.raises(AddressTaken, match=f"127.0.0.1:{bound.port}"):
            async with serving(FastAPI(), Listen("127.0.0.1", bound.port)):
                pass


async def test_answers_under_way_end_before_the_listener_does() -> None:
    app = FastAPI()
    entered, go = asyncio.Event(), asyncio.Event()

    @app.get("/")
    async def slow() -> str:
        entered.set()
        await go.wait()
        return "done"

    async with httpx.AsyncClient() as client:
        async with serving(app, Listen("127.0.0.1", 0), grace=timedelta(seconds=5)) as bound:
            asking = asyncio.create_task(client.get(f"{bound.url}/"))
            async with asyncio.timeout(5):
                await entered.wait()
            asyncio.get_running_loop().call_later(0.05, go.set)
        assert (await asking).json() == "done"


@pytest.mark.skipif(sys.platform != "linux", reason="the options are Linux's")
@pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_peer_that_is_gone_without_a_word_is_noticed(make_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    options = {
        "keepalive": (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        "asked after": (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
        "asked every": (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
        "asked": (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
        "unheard": (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 120_000),
    }
    seen: dict[str, int] = {}

    class Looking(HttpToolsProtocol):
        """Reads the options of the accepted socket."""

        def connection_made(self, transport: Any) -> None:
            accepted = transport.get_extra_info("socket")
            seen.update({name: accepted.getsockopt(level, key) for name, (level, key, _) in options.items()})
            super().connection_made(transport)

    async def ask() -> None:
        async with serving(FastAPI(), Listen("127.0.0.1", 0), http=Looking) as bound, httpx.AsyncClient() as client:
            assert (await client.get(f"{bound.url}/")).status_code == 404

    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(ask())
    assert seen == {name: value for name, (_, _, value) in options.items()}
