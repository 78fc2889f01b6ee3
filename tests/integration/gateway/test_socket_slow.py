"""A client of the realtime socket that does not read: its queue is bounded, and it is told so."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.gateway import Gateway, Person
from tests.fakes.socket import Listening, listening
from tests.integration.gateway.notes import note, values

from stagewright.processes.gateway.realtime import Limits


@dataclass
class HeldWire:
    """The client's side of an ASGI connection; what is sent waits until ``open`` is set."""

    inbox: "asyncio.Queue[dict[str, Any]]" = field(default_factory=asyncio.Queue)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    said: list[dict[str, Any]] = field(default_factory=list)
    closed: int | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Take what the gateway sends."""
        if message["type"] == "websocket.send":
            await self.open.wait()
            self.said.append(json.loads(message["text"]))
        elif message["type"] == "websocket.close":
            self.closed = message["code"]
        self._news.set()

    @property
    def operations(self) -> list[str]:
        """Return what kinds of messages came."""
        return [item["op"] for item in self.said]

    @property
    def values(self) -> list[Any]:
        """Return the values of the notes that came."""
        return values([frame for item in self.said if item["op"] == "events" for frame in item["frames"]])

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until it holds."""
        async with asyncio.timeout(10):
            while not holds():
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def held(server: Listening, who: Person, topic: str) -> AsyncIterator[HeldWire]:
    """Open a socket whose writes are held, and wait until it follows the topic."""
    await server.settled()
    wire = HeldWire()
    headers = [(b"authorization", f"Bearer {who.token}".encode())]
    scope = {"type": "websocket", "path": "/api/v1/realtime", "headers": headers, "subprotocols": ["stagewright.v1"]}
    await wire.inbox.put({"type": "websocket.connect"})
    hello = json.dumps({"op": "hello", "v": 1, "topics": [topic]})
    await wire.inbox.put({"type": "websocket.receive", "text": hello})
    serving = asyncio.create_task(server.live.serve(scope, wire.inbox.get, wire.send))
    async with asyncio.timeout(10):
        while not any(socket.followed for socket in server.live.sockets):
            server.live.poke()
            await asyncio.sleep(0.01)  # its answer is held, too: only the gateway's own side shows it
    try:
        yield wire
    finally:
        await wire.inbox.put({"type": "websocket.disconnect", "code": 1005})
        wire.open.set()
        await asyncio.wait_for(serving, 10)


class TestSlow:
    """A client that does not read: the gateway's ASGI side with a wire that is held."""

    async def test_a_full_queue_is_given_up_for_one_resync_and_the_socket_lives(self, gateway: Gateway) -> None:
        _, _, run = await gateway.scene()
        owner, topic = await gateway.person(role="owner"), f"run:{run.id}"
        async with listening(gateway, Limits(messages=4)) as server, held(server, owner, topic) as wire:
            for value in range(8):
                await note(gateway, run, value)
                await server.settled()
            assert len(next(iter(server.live.sockets)).outbox) <= 4
            wire.open.set()
            await wire.until(lambda: "resync" in wire.operations)
            await note(gateway, run, "after")
            await wire.until(lambda: "after" in wire.values)
            resync = next(item for item in wire.said if item["op"] == "resync")
            assert (resync["topics"], resync["reason"]) == ("all", "overflow")
            assert wire.closed is None

    async def test_the_third_overflow_of_a_minute_ends_the_socket(self, gateway: Gateway) -> None:
        _, _, run = await gateway.scene()
        owner, topic = await gateway.person(role="owner"), f"run:{run.id}"
        async with listening(gateway, Limits(messages=2)) as server, held(server, owner, topic) as wire:
            for value in range(12):
                await note(gateway, run, value)
                await server.settled()
            wire.open.set()
            await wire.until(lambda: wire.closed == 4408)
