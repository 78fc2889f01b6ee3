"""A client of the realtime socket that remembers what it was told, and a gateway that listens on a real port."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from stagewright.kit import feed
from stagewright.kit.http import serving
from stagewright.kit.http.browser import Browser
from stagewright.kit.settings import Listen
from stagewright.processes.gateway import realtime
from stagewright.processes.gateway.doorkeeper import Doorkeeper, SocketDoor
from stagewright.processes.gateway.main import SOCKETS
from tests.fakes.gateway import PUBLIC_URL, Gateway, Person, Visitor

PATIENCE = 10.0
Json = dict[str, Any]


@dataclass
class Client:
    """One socket. Everything received stands in ``said`` and ``chunks``, in order."""

    connection: ClientConnection
    said: list[Json] = field(default_factory=list)
    chunks: list[tuple[Json, bytes]] = field(default_factory=list)
    cursor: str | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        """Take what comes until the end."""
        with suppress(ConnectionClosed):
            async for message in self.connection:
                self._take(message)
        self._news.set()

    def _take(self, message: str | bytes) -> None:
        if isinstance(message, str):
            found = json.loads(message)
            self.said.append(found)
            self.cursor = found.get("cursor", self.cursor)
        else:
            header, _, data = message.partition(b"\n")
            self.chunks.append((json.loads(header), data))
        self._news.set()

    async def say(self, **message: Any) -> None:
        """Send a message."""
        await self.connection.send(json.dumps(message))

    async def hello(self, *topics: str, last_event_id: str | None = None, **more: Any) -> Json:
        """Send ``hello`` and return the answer ``ready``."""
        await self.say(op="hello", v=1, last_event_id=last_event_id, topics=list(topics), **more)
        return await self.heard("ready")

    async def sub(self, number: int, *topics: str, **more: Any) -> Json:
        """Send ``sub`` and return the answer ``ack``."""
        await self.say(op="sub", n=number, topics=list(topics), **more)
        return await self.heard("ack", lambda message: message["n"] == number)

    async def heard(self, op: str, fits: Callable[[Json], bool] = lambda message: True) -> Json:
        """Return the first message that fits, waiting for it."""
        await self.until(lambda: any(item["op"] == op and fits(item) for item in self.said))
        return next(item for item in self.said if item["op"] == op and fits(item))

    def told(self, op: str) -> bool:
        """Say whether a message of this kind came."""
        return any(item["op"] == op for item in self.said)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until what was received fulfils ``holds``."""
        async with asyncio.timeout(PATIENCE):
            while not holds():
                self._news.clear()
                await self._news.wait()

    def frames(self, topic: str | None = None) -> list[Json]:
        """Return the frames so far."""
        every = [frame for item in self.said if item["op"] == "events" for frame in item["frames"]]
        return [frame for frame in every if topic is None or frame["topic"] == topic]

    async def closed(self) -> int | None:
        """Return the close code, waiting for it."""
        async with asyncio.timeout(PATIENCE):
            await self.connection.wait_closed()
        return self.connection.close_code


@dataclass
class Listening:
    """A gateway with its feed, on a port."""

    gateway: Gateway
    live: realtime.Live
    url: str

    @asynccontextmanager
    async def open(
        self, who: Person | Visitor | str | None, *, protocol: str = "stagewright.v1", origin: str = PUBLIC_URL
    ) -> AsyncIterator[Client]:
        """Open a socket for the block: with a token, or with a cookie from a page of ``origin``."""
        if isinstance(who, Visitor):
            headers = {"Cookie": f"__Host-sw_session={who.cookie}", "Origin": origin}
        else:
            token = who.token if isinstance(who, Person) else who
            headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = f"{self.url.replace('http', 'ws', 1)}/api/v1/realtime"
        async with connect(
            address, additional_headers=headers, subprotocols=[Subprotocol(protocol)], compression=None, proxy=None
        ) as connection:
            client = Client(connection)
            task = asyncio.create_task(client.listen())
            try:
                yield client
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until the reader has seen everything that is committed now."""
        async with self.gateway.db.reading() as reader:
            present = await feed.present(reader)
        async with asyncio.timeout(PATIENCE):
            while not self.live.hub.snapshot.covers(present):
                self.live.poke()
                await asyncio.sleep(0.01)  # asked again and again: no event tells what the reader has seen


@asynccontextmanager
async def listening(gateway: Gateway, limits: realtime.Limits | None = None) -> AsyncIterator[Listening]:
    """Serve the gateway with its feed for the block."""
    platform = gateway.platform
    doorkeeper = Doorkeeper(platform, Browser(PUBLIC_URL, platform.keyring))
    async with (
        realtime.open_live(platform, SocketDoor(doorkeeper), limits=limits) as live,
        serving(realtime.Door(gateway.app, live), Listen("127.0.0.1", 0), http="httptools", **SOCKETS) as bound,
    ):
        yield Listening(gateway, live, bound.url)
