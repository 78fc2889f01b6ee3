"""Who may pass: the API token, the rate limit, the route's permission."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from fastapi import Request

from stagewright.contexts.identity import api as identity
from stagewright.contexts.identity.api import Caller, Permission, Principal
from stagewright.kit import logs
from stagewright.kit.errors import LimitReached, Unauthenticated
from stagewright.kit.http.asgi import App, Message, Receive, Scope, Send
from stagewright.kit.http.limits import Bucket, take
from stagewright.kit.metrics import Metrics
from stagewright.processes.common import Platform

READS = Bucket("reads", 600)
WRITES = Bucket("writes", 120)
POLL = "/api/v1/realtime/poll"
USE_GRAIN = timedelta(minutes=1)
MOST_KEPT = 10_000


class Doorkeeper:
    """Lets requests in: `Parts.admit` of every route that is not public."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._used: dict[UUID, datetime] = {}

    async def __call__(self, request: Request, permission: str) -> Caller:
        """Return who calls. Raises 401 without a valid token, 429 over the limit, 403 where no project can allow it."""
        principal = await self._principal(request)
        caller = Caller(principal, Permission(permission))
        await self._count(request, caller)
        caller.enter()
        return caller

    async def _principal(self, request: Request) -> Principal:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.casefold() != "bearer" or not token:
            raise Unauthenticated("send an API token as `Authorization: Bearer swt_…`; `stagewright login` makes one")
        settings = self._platform.settings
        async with self._platform.db.reading() as reader:
            return await identity.authenticate_token(
                reader, token.strip(), now=self._platform.clock.now(), embedded=settings.embedded
            )

    async def _count(self, request: Request, caller: Caller) -> None:
        """Take the request out of the user's bucket, and note the token's use once a minute."""
        reading = request.method in ("GET", "HEAD") or request.url.path == POLL
        bucket, now = READS if reading else WRITES, self._platform.clock.now()
        async with self._platform.db.transaction(caller.actor) as tx:
            with self._limited(bucket):
                taken = await take(tx, bucket, caller.actor.id, now=now)
            token = caller.principal.token_id
            if token is not None and self._is_news(token, now):
                await identity.note_use(tx, token, now=now, before=now - USE_GRAIN)
        request.state.late_headers = taken.headers

    def _is_news(self, token: UUID, now: datetime) -> bool:
        if now - self._used.get(token, now - 2 * USE_GRAIN) < USE_GRAIN:
            return False
        if len(self._used) >= MOST_KEPT:
            self._used.clear()
        self._used[token] = now
        return True

    @contextmanager
    def _limited(self, bucket: Bucket) -> Iterator[None]:
        try:
            yield
        except LimitReached:
            self._platform.metrics.rate_limited.labels(bucket.name).inc()
            raise


class LateWords:
    """Puts the rate limit on answers, counts refusals by permission, and names the caller's kind in the logs."""

    def __init__(self, app: App, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def send_with_words(message: Message) -> None:
            if message["type"] == "http.response.start":
                late = state.get("late_headers") or {}
                words = [(name.lower().encode(), value.encode()) for name, value in late.items()]
                message["headers"] = [*message.get("headers", []), *words]
                if message["status"] == 403 and "permission" in state:
                    self._metrics.authz_denied.labels(state["permission"]).inc()
            await send(message)

        with logs.bound(actor_kind="user"):
            await self._app(scope, receive, send_with_words)
