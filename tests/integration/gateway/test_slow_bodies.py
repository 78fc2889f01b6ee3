"""Slow and many bodies at the webhook door: bounded in time and in bytes before anybody has proved who they are."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from uuid import uuid4

from tests.fakes.gateway import Gateway

from stagewright.contexts.intake.http import PATH, Bodies, WebhookDoor
from stagewright.contexts.projects import api as projects
from stagewright.kit.crypto import hmac_sha256_header
from stagewright.kit.http import serving
from stagewright.kit.settings import Listen
from stagewright.processes.common import Purpose

DEADLINE = 15.0
RAW = json.dumps({"action": "labeled", "issue": {"number": 1}}).encode()


@asynccontextmanager
async def door(gateway: Gateway, bodies: Bodies, **options: int) -> "AsyncIterator[Clients]":
    """Serve a webhook door on a port of its own; return clients of it."""
    platform = gateway.platform
    made = WebhookDoor(
        gateway.db,
        sealer=platform.sealer(Purpose.WEBHOOK_SECRETS),
        clock=platform.clock,
        metrics=platform.metrics,
        bodies=bodies,
    )
    async with serving(made, Listen("127.0.0.1", 0), grace=timedelta(seconds=1), http="httptools", **options) as bound:
        clients = Clients(bound.port)
        try:
            yield clients
        finally:
            await clients.end()


class Clients:
    """Raw clients of a port; all of them end with the block."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: list[asyncio.StreamWriter] = []

    async def begin(self, place: str, headers: dict[str, str], body: bytes) -> asyncio.StreamReader:
        """Send a head, and of the body no more than given. The connection stays open."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._open.append(writer)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"POST {place} HTTP/1.1\r\nhost: test\r\n{lines}\r\n".encode() + body)
        await writer.drain()
        return reader

    async def end(self) -> None:
        """Close all connections."""
        while self._open:
            writer = self._open.pop()
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def answer(reader: asyncio.StreamReader) -> str:
    """Return the whole answer: the door closes what it refuses."""
    async with asyncio.timeout(DEADLINE):
        return (await reader.read()).decode()


async def signed(gateway: Gateway, repository: projects.Repository) -> dict[str, str]:
    """Return the head of a good delivery."""
    async with gateway.db.reading() as rows:
        sealer = gateway.platform.sealer(Purpose.WEBHOOK_SECRETS)
        (secret,) = await projects.open_webhook_secrets(rows, repository.id, sealer=sealer)
    return {
        "content-type": "application/json",
        "content-length": str(len(RAW)),
        "x-github-event": "issues",
        "x-github-delivery": str(uuid4()),
        "x-hub-signature-256": hmac_sha256_header(secret, RAW),
        "connection": "close",
    }


async def test_a_body_that_does_not_come_in_time_is_refused_and_its_connection_closed(gateway: Gateway) -> None:
    async with door(gateway, Bodies(patience=timedelta(seconds=0.1))) as clients:
        for head in ({"content-length": "1000"}, {"transfer-encoding": "chunked"}):
            told = await answer(await clients.begin(PATH, head, b'5\r\n{"a":\r\n'))
            assert told.startswith("HTTP/1.1 400 ")
            assert "did not come within 0.1 s" in told
            assert "connection: close" in told


async def test_bodies_under_way_are_bounded_in_all_and_room_comes_back(gateway: Gateway) -> None:
    repository = await gateway.repository(await gateway.project())
    place = f"{PATH}/{repository.id}"
    async with door(gateway, Bodies(most=1000, patience=timedelta(seconds=DEADLINE))) as clients:

        async def delivered() -> str:
            return await answer(await clients.begin(place, await signed(gateway, repository), RAW))

        for _ in range(2):
            await clients.begin(PATH, {"content-length": "480"}, b"{")
        told = ""
        async with asyncio.timeout(DEADLINE):
            while not told.startswith("HTTP/1.1 503 "):  # until both have their room
                told = await delivered()
        assert "retry-after: 2" in told
        assert "webhook.busy" in told
        await clients.end()
        async with asyncio.timeout(DEADLINE):
            while not told.startswith("HTTP/1.1 202 "):
                told = await delivered()


async def test_connections_beyond_the_listeners_measure_are_answered_503(gateway: Gateway) -> None:
    async with door(gateway, Bodies(patience=timedelta(seconds=DEADLINE)), limit_concurrency=3) as clients:
        for _ in range(2):
            await clients.begin(PATH, {"content-length": "10"}, b"")
        told = await answer(await clients.begin(PATH, {"content-length": "10"}, b""))
        assert told.startswith("HTTP/1.1 503 ")
