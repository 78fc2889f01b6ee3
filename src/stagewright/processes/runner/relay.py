"""The loopback relay: the engine talks to it without a token; it adds the token and passes streams on both ways.

A small proxy of our own on asyncio: one request per connection, framing parsed by httptools (llhttp, strict against
smuggling), nothing buffered but MCP calls. It knows exactly its routes; every other path is refused, so a token cannot
be carried elsewhere.
"""

import asyncio
from collections.abc import Callable, Sequence

from stagewright.processes.runner import peers
from stagewright.processes.runner.exchange import Exchange, Hold, RelayRefusal, Route, refuse
from stagewright.processes.runner.http1 import BadMessage, Head, Request

HEAD_SECONDS = 30.0
METHODS = ("GET", "POST", "DELETE", "HEAD")
Seen = Callable[[Route, int, Head], None]


class Relay:
    """Listens on a free loopback port for this user's processes."""

    def __init__(self, routes: Sequence[Route], *, hold: Hold | None = None, seen: Seen | None = None) -> None:
        """``hold`` is awaited before a redeploy call is forwarded; ``seen`` is told the status of each answer."""
        self._routes = routes
        self._hold = hold
        self._seen = seen
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self) -> None:
        """Listen; ``port`` is set then."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and cut what is open."""
        if self._server is not None:
            self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def url(self, route: Route) -> str:
        """Return the address the engine uses for a route."""
        return f"http://127.0.0.1:{self.port}{route.prefix}"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            writer.transport.abort()
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not peers.is_ours(writer.get_extra_info("peername"), self.port):
                raise RelayRefusal(403, "this relay serves one run only")
            request = Request(reader)
            async with asyncio.timeout(HEAD_SECONDS):
                head = await request.read_head()
            if head is None:
                return
            route, target = self._route(head)
            exchange = Exchange(route, target, request, reader, writer)
            status, answer = await exchange.pass_on(self._hold)
            if self._seen is not None:
                self._seen(route, status, answer)
            await exchange.pass_back()
        except RelayRefusal as refusal:
            await refuse(reader, writer, refusal.status, str(refusal))
        except (BadMessage, TimeoutError) as error:
            await refuse(reader, writer, 400, str(error) or "the request did not come in time")

    def _route(self, head: Head) -> tuple[Route, str]:
        """Return the route and the target's address, or refuse."""
        if head.upgrade or head.method not in METHODS:
            raise RelayRefusal(405, f"only {', '.join(METHODS)} are passed on")
        if head.all("origin") or head.one("host") not in (f"127.0.0.1:{self.port}", f"localhost:{self.port}"):
            raise RelayRefusal(403, "this relay is not for browsers; Host must be its loopback address")
        path, _, query = head.target.partition("?")
        lowered = path.lower()
        if ".." in path or "\\" in path or "//" in path or "%2e" in lowered or "%2f" in lowered or "%5c" in lowered:
            raise RelayRefusal(400, "the path is not in its plain form")
        for route in self._routes:
            rest = path[len(route.prefix) :]
            if path.startswith(route.prefix) and (not rest or (route.kind == "model" and rest.startswith("/"))):
                return route, route.target.rstrip("/") + rest + (f"?{query}" if query else "")
        raise RelayRefusal(404, f"not a path of this relay; known are {', '.join(r.prefix for r in self._routes)}")
