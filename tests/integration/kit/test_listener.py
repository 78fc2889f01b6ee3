"""Serving an HTTP application on a real port."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

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
