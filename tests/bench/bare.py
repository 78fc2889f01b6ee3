"""The bare handler to compare with: HMAC over the raw body and one insert per request, nothing else."""

import hashlib
import hmac
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import uvicorn
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

INSERT = """
insert into webhook_deliveries (delivery_id, repository_id, binding, event, payload, received_at, not_before)
values (%s, %s, 'token', %s, %s, %s, %s) on conflict (delivery_id) do nothing
"""


def make_app(dsn: str, secret: bytes, repository: str) -> Starlette:
    """Return the app."""
    pool = AsyncConnectionPool(dsn, min_size=10, max_size=10, open=False, kwargs={"autocommit": True})

    @asynccontextmanager
    async def opened(_: Starlette) -> AsyncIterator[None]:
        await pool.open(wait=True)
        yield
        await pool.close()

    async def take(request: Request) -> Response:
        raw = await request.body()
        wanted = "sha256=" + hmac.new(secret, raw, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, request.headers["x-hub-signature-256"]):
            return Response(status_code=401)
        now = datetime.now(UTC)
        values = (request.headers["x-github-delivery"], repository, request.headers["x-github-event"], raw, now, now)
        async with pool.connection() as connection:
            await connection.execute(INSERT, values)
        return Response(status_code=202)

    return Starlette(routes=[Route("/", take, methods=["POST"])], lifespan=opened)


if __name__ == "__main__":
    app = make_app(os.environ["BENCH_DSN"], os.environ["BENCH_SECRET"].encode(), os.environ["BENCH_REPOSITORY"])
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
