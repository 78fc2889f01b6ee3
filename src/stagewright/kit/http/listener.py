"""Serving an ASGI application on an address, inside a running event loop, until the block ends."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import uvicorn

from stagewright.kit.errors import Unavailable
from stagewright.kit.settings import Listen

GRACE = timedelta(seconds=10)
ASKED_AFTER, ASKED_EVERY, ASKED = 60, 15, 4  # seconds of silence, seconds between, how often without an answer
UNHEARD = timedelta(minutes=2)  # so long may sent bytes stay without the peer's word, or the peer not read on
MOST_CONNECTIONS = 10_000  # beyond it a connection is answered 503 and closed: memory is bounded, whoever connects


class AddressTaken(Unavailable):
    """A listener cannot be bound."""

    code = "listen.taken"


@dataclass(frozen=True, slots=True)
class Bound:
    """Where an application is served; the port is the real one."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """Return the address as a URL."""
        return f"http://{Listen(self.host, self.port)}"


class _Server(uvicorn.Server):
    """A server that leaves the process's signals to the process, and says when it has started."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@asynccontextmanager
async def serving(app: Any, where: Listen, *, grace: timedelta = GRACE, **options: Any) -> AsyncIterator[Bound]:
    """Serve ``app`` on ``where`` for the block; then answers under way get ``grace``. Port 0 takes a free one.

    Raise ``AddressTaken`` when it cannot be bound. ``options`` go to uvicorn.
    """
    listener = _bind(where)
    config = uvicorn.Config(
        app,
        **{
            "log_config": None,
            "access_log": False,
            "server_header": False,
            "proxy_headers": False,
            "lifespan": "off",
            "limit_concurrency": MOST_CONNECTIONS,
            "timeout_graceful_shutdown": int(grace.total_seconds()),
        }
        | options,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name=f"serve:{where}")
    ready = asyncio.create_task(server.ready.wait())
    try:
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            await task
        yield Bound(where.host, listener.getsockname()[1])
    finally:
        ready.cancel()
        server.should_exit = True
        await task
        listener.close()


def _bind(where: Listen) -> socket.socket:
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _notice_dead_peers(listener)
    try:
        listener.bind((where.host, where.port))
    except OSError as error:
        listener.close()
        raise AddressTaken(f"cannot listen on {where}: {error.strerror}; choose another address or port 0") from error
    listener.setblocking(False)
    return listener


def _notice_dead_peers(listener: socket.socket) -> None:
    """Let the system end connections whose peer is gone without a word. Accepted ones take this over from here.

    A machine without power, or behind a network that forgot it, says nothing: its connection would be kept for hours.
    Names that a system does not have are left to its own defaults.
    """
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    wanted = {
        "TCP_KEEPIDLE": ASKED_AFTER,
        "TCP_KEEPINTVL": ASKED_EVERY,
        "TCP_KEEPCNT": ASKED,
        "TCP_USER_TIMEOUT": int(UNHEARD.total_seconds() * 1000),
    }
    for name, value in wanted.items():
        option = getattr(socket, name, None)
        if option is not None:
            listener.setsockopt(socket.IPPROTO_TCP, option, value)
