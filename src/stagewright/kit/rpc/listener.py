"""Serving gRPC on an address. Without TLS that is a loopback address, or nothing."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import grpc

from stagewright.kit.errors import Invalid
from stagewright.kit.http.listener import AddressTaken, Bound
from stagewright.kit.settings import Listen

MESSAGE_LIMIT = 4 * 1024 * 1024
GRACE = timedelta(seconds=10)
Register = Callable[[grpc.aio.Server], None]


class NotLoopback(Invalid):
    """gRPC without TLS was asked to listen where other machines can connect."""

    code = "rpc.not_loopback"


@asynccontextmanager
async def serving_rpc(
    register: Register,
    where: Listen,
    *,
    interceptors: Sequence[Any] = (),
    message_limit: int = MESSAGE_LIMIT,
    grace: timedelta = GRACE,
) -> AsyncIterator[Bound]:
    """Serve what ``register`` adds to the server for the block; then calls under way get ``grace``.

    Port 0 takes a free one. Raise ``NotLoopback`` or ``AddressTaken``.
    """
    if not where.loopback:
        raise NotLoopback(f"gRPC without TLS listens on loopback only, not on {where}: use 127.0.0.1 or [::1]")
    server = grpc.aio.server(
        interceptors=list(interceptors),
        options=(
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", message_limit),
            ("grpc.max_send_message_length", message_limit),
        ),
    )
    register(server)
    try:
        port = server.add_insecure_port(str(where))
    except RuntimeError as error:
        raise AddressTaken(f"cannot listen on {where}; choose another address or port 0") from error
    await server.start()
    try:
        yield Bound(where.host, port)
    finally:
        await server.stop(grace.total_seconds())
