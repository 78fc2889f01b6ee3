"""Who may pass: the session or API token, the proofs of a browser, the rate limit, the route's permission."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from starlette.requests import HTTPConnection

from stagewright.contexts.identity import api as identity
from stagewright.contexts.identity.api import Caller, Permission, Principal
from stagewright.kit import logs
from stagewright.kit.errors import LimitReached, Unauthenticated
from stagewright.kit.http.asgi import App, Message, Receive, Scope, Send
from stagewright.kit.http.browser import Browser, CsrfRefused
from stagewright.kit.http.limits import Bucket, take
from stagewright.kit.metrics import Metrics
from stagewright.processes.common import Platform
from stagewright.processes.gateway.realtime import Admitted

READS = Bucket("reads", 600)
WRITES = Bucket("writes", 120)
SOCKETS = Bucket("sockets", 30)
SAFE = frozenset({"GET", "HEAD"})
ME = "/api/v1/me"
POLL = "/api/v1/realtime/poll"
USE_GRAIN = timedelta(minutes=1)
MOST_KEPT = 10_000


class Doorkeeper:
    """Lets requests and WebSockets in: `Parts.admit` of every route that is not public."""

    def __init__(self, platform: Platform, browser: Browser) -> None:
        self._platform = platform
        self._browser = browser
        self._used: dict[UUID, datetime] = {}

    async def __call__(self, connection: HTTPConnection, permission: str) -> Caller:
        """Return who calls.

        Raises 401 without a valid session or token, 403 for a write (or a socket) with a cookie that no page of ours
        sent, 429 over the limit, 403 where no project can allow it.
        """
        caller = await self.look(connection, permission)
        await self._count(connection, caller)
        caller.enter()
        return caller

    async def look(self, connection: HTTPConnection, permission: str = Permission.SIGNED_IN) -> Caller:
        """Return who calls and change nothing: no limit is counted, no idle time renewed, no right asked for."""
        principal = await self._principal(connection)
        self._prove(connection, principal)
        return Caller(principal, Permission(permission))

    async def again(self, caller: Caller) -> Caller:
        """Return the caller as they are now; raise ``Unauthenticated`` when session or token ended meanwhile.

        Does not renew a session's idle time. Another ``access_version`` means other rights.
        """
        principal, now = caller.principal, self._platform.clock.now()
        settings = self._platform.settings
        async with self._platform.db.reading() as reader:
            if principal.session_id is not None:
                fresh = await identity.refresh_session(
                    reader, principal.session_id, now=now, idle=settings.session_idle
                )
            else:
                assert principal.token_id is not None  # there are two kinds of credentials
                fresh = await identity.refresh_token(reader, principal.token_id, now=now, embedded=settings.embedded)
        return replace(caller, principal=fresh)

    async def _principal(self, connection: HTTPConnection) -> Principal:
        settings, now = self._platform.settings, self._platform.clock.now()
        given = connection.headers.get("authorization")
        cookie = self._browser.session_of(connection) if given is None else None
        if given is None and cookie is None:
            raise Unauthenticated("sign in, or send an API token as `Authorization: Bearer swt_…`")
        async with self._platform.db.reading() as reader:
            if cookie is not None:
                return await identity.authenticate_session(reader, cookie, now=now, idle=settings.session_idle)
            kind, _, token = (given or "").partition(" ")
            if kind.casefold() != "bearer":
                raise Unauthenticated("send an API token as `Authorization: Bearer swt_…`")
            return await identity.authenticate_token(reader, token.strip(), now=now, embedded=settings.embedded)

    def _prove(self, connection: HTTPConnection, principal: Principal) -> None:
        """Let a cookie count only where a page of ours sent the request. A bearer token proves itself."""
        if principal.session_id is None:
            return
        try:
            if connection.scope["type"] == "websocket":
                self._browser.check_origin(connection)
            elif connection.scope["method"] not in SAFE:
                self._browser.check_write(connection, principal.session_id)
        except CsrfRefused:
            self._platform.metrics.csrf_refused.inc()
            connection.scope.get("state", {}).pop("permission", None)  # no question of rights: counted as no denial
            raise

    async def _count(self, connection: HTTPConnection, caller: Caller) -> None:
        """Take the request out of the user's bucket, and note the use of the credential once a minute."""
        bucket, now = _bucket(connection), self._platform.clock.now()
        token, session = caller.principal.token_id, caller.principal.session_id
        renews = bucket is WRITES or connection.scope["path"] == ME
        async with self._platform.db.transaction(caller.actor) as tx:
            with self._limited(bucket):
                taken = await take(tx, bucket, caller.actor.id, now=now)
            if token is not None and self._is_news(token, now):
                await identity.note_use(tx, token, now=now, before=now - USE_GRAIN)
            if session is not None and renews:
                await identity.renew_session(tx, session, now=now, idle=self._platform.settings.session_idle)
        connection.scope["state"]["late_headers"] = taken.headers

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


class SocketDoor:
    """Admits sockets as requests are admitted: by session cookie from our own origin, or by API token."""

    def __init__(self, doorkeeper: Doorkeeper) -> None:
        self._doorkeeper = doorkeeper

    async def admit(self, scope: Scope) -> Admitted:
        """Return who is at the socket now, and until when. Changes nothing."""
        caller = await self._doorkeeper.look(HTTPConnection(scope))
        caller.enter()
        return Admitted(caller, caller.expires_at)


def _bucket(connection: HTTPConnection) -> Bucket:
    if connection.scope["type"] == "websocket":
        return SOCKETS
    reading = connection.scope["method"] in SAFE or connection.scope["path"] == POLL
    return READS if reading else WRITES


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
