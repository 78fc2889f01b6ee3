"""Running the forge: one uvicorn server on a loopback socket, an announcement when it is ready, a clean end."""

import ipaddress
import json
import os
import socket
import tempfile
from asyncio import Transport
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from stagewright.kit.clock import Clock
from stagewright.kit.errors import Invalid
from stagewright.processes.devforge.control import control_routes
from stagewright.processes.devforge.door import DROP, Door
from stagewright.processes.devforge.git.http import GitDoor
from stagewright.processes.devforge.oauth import oauth_routes
from stagewright.processes.devforge.pages.door import page_routes
from stagewright.processes.devforge.rest.api import PREFIX, Api
from stagewright.processes.devforge.state import Forge

GRACE = 2  # seconds for requests under way when the forge is told to stop
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class DroppableProtocol(HttpToolsProtocol):
    """Lets the application close its connection without an answer: what an injected drop needs."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Offer the closing of this connection in every scope that comes from it."""
        super().connection_made(transport)
        self.app = _droppable(self.app, transport)


def _droppable(app: Any, transport: Transport) -> ASGIApp:
    async def with_drop(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[DROP] = transport.close
        await app(scope, receive, send)

    return with_drop


class ForgeServer(uvicorn.Server):
    """A uvicorn server that says when it listens."""

    def __init__(
        self, config: uvicorn.Config, bound: socket.socket, forge: Forge, on_ready: Callable[[Forge], None]
    ) -> None:
        super().__init__(config)
        self.bound = bound
        self.forge = forge
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then tell."""
        await super().startup(sockets)
        self._on_ready(self.forge)


def make_app(forge: Forge) -> ASGIApp:
    """Put the doors together: API, git, control, pages, and the outer door around them."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await forge.courier.stop()

    git = GitDoor(forge)
    routes = [
        *oauth_routes(forge),
        Route(f"{PREFIX}/{{rest:path}}", Api(forge).serve, methods=METHODS),
        Mount("/_control", routes=control_routes(forge)),
        *(
            Route(f"/{{owner}}/{{repository}}/{end}", git.serve, methods=["GET", "POST"])
            for end in ("info/refs", "git-upload-pack", "git-receive-pack")
        ),
        *page_routes(forge),
    ]
    return Door(Starlette(routes=routes, lifespan=lifespan), forge)


def loopback_socket(listen: str) -> socket.socket:
    """Bind ``host:port``; anything but a loopback address is refused, since the forge has no real guard."""
    host, colon, port = listen.rpartition(":")
    host = host.strip("[]")
    try:
        address = ipaddress.ip_address(host)
        number = int(port)
    except ValueError as error:
        raise Invalid(f"--listen: {listen!r} is no address and port; use 127.0.0.1:0 for a free port") from error
    if not colon or not address.is_loopback:
        raise Invalid(f"--listen: {host!r} is no loopback address; the practice forge is for this machine only")
    bound = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, number))
    except OSError as error:
        bound.close()
        raise Invalid(f"--listen: cannot use {listen}: {error.strerror}") from error
    return bound


def url_of(bound: socket.socket) -> str:
    """Return the address a bound socket is reached at."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def make_server(bound: socket.socket, data: Path, clock: Clock, on_ready: Callable[[Forge], None]) -> ForgeServer:
    """Build the server for a bound socket; run it with ``serve(sockets=[server.bound])``."""
    data.mkdir(parents=True, exist_ok=True)
    forge = Forge(data, clock)
    forge.web_url = url_of(bound)
    config = uvicorn.Config(
        make_app(forge),
        http=DroppableProtocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=GRACE,
    )
    return ForgeServer(config, bound, forge, on_ready)


def announce(path: Path, forge: Forge) -> None:
    """Write where the forge is, whole or not at all."""
    text = json.dumps({"url": forge.web_url, "api_url": forge.api_url, "pid": os.getpid()})
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as part:
        part.write(text)
    Path(part.name).replace(path)
