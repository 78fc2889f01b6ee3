"""Middlewares of every HTTP door, outermost first: request id, headers, safety net, body limit. Plain ASGI."""

import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

from stagewright.kit import logs
from stagewright.kit.errors import TooLarge
from stagewright.kit.http.asgi import App, Headers, Message, Receive, Scope, Send, effective_route, header
from stagewright.kit.ids import uuid7
from stagewright.kit.metrics import Metrics

REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
LENGTH = re.compile(r"[0-9]{1,18}")
BODY_LIMIT = 1024 * 1024
API_HEADERS: Headers = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
STRICT_TRANSPORT: Headers = [(b"strict-transport-security", b"max-age=31536000")]
Answer = Callable[[Exception, Scope], Awaitable[App]]


def headers_for(public_url: str) -> Headers:
    """Return the security headers of API answers; on https the browser comes back by https only."""
    return [*API_HEADERS, *(STRICT_TRANSPORT if public_url.startswith("https://") else [])]


def page_policy(nonce: str) -> str:
    """Return the content security policy of an HTML page whose styles carry ``nonce``."""
    return (
        "default-src 'self'; script-src 'self'; "
        f"style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self' data: https://avatars.githubusercontent.com; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self' https://github.com"
    )


class RequestIds:
    """Takes a well-formed ``X-Request-Id`` or makes one; puts it on the answer, in the logs and in the scope."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = header(scope, b"x-request-id")
        request_id = given if given and REQUEST_ID.fullmatch(given) else str(uuid7())
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                message.setdefault("headers", [])
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        with logs.bound(request_id=request_id):
            await self._app(scope, receive, send_with_id)


class SafetyNet:
    """Turns whatever escapes into an answer, and counts every answer by its route."""

    def __init__(self, app: App, *, answer: Answer, metrics: Metrics | None) -> None:
        self._app = app
        self._answer = answer
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started = 0, time.perf_counter()

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception as error:  # the kit's door wrapper
            response = await self._answer(error, scope)
            if status:  # half an answer is out: cutting the connection is the only honest end
                raise
            await response(scope, receive, send_noting)
        finally:
            self._count(scope, status, time.perf_counter() - started)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        if self._metrics is None:
            return
        route = getattr(effective_route(scope), "path_format", None) or "unmatched"
        self._metrics.http_requests.labels(route, scope["method"], str(status or 499)).inc()
        self._metrics.http_request_seconds.labels(route).observe(seconds)


class SecurityHeaders:
    """Puts headers on every answer that does not set them itself."""

    def __init__(self, app: App, headers: Headers) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message.get("headers", [])}
                missing = [item for item in self._headers if item[0] not in present]
                message["headers"] = [*message.get("headers", []), *missing]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class BodyLimit:
    """Refuses bodies over a limit (1 MiB unless said otherwise) with 413, by their announced or their real length."""

    def __init__(self, app: App, *, answer: Answer, limit: int = BODY_LIMIT) -> None:
        self._app = app
        self._answer = answer
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = header(scope, b"content-length") or "0"
        if not LENGTH.fullmatch(announced) or int(announced) > self._limit:
            await self._refuse(scope, receive, send)
            return
        counter = _Counted(receive, send, self._limit)
        try:
            await self._app(scope, counter.receive, counter.send)
        except Exception:
            if not counter.over or counter.started:
                raise
        if counter.over and not counter.started:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = TooLarge(f"the body is larger than {self._limit} bytes", limit=self._limit)
        response = await self._answer(error, scope)
        await response(scope, receive, send)


class _Counted:
    """Counts a body as it comes; once it is over the limit the application's answer is thrown away."""

    def __init__(self, receive: Receive, send: Send, limit: int) -> None:
        self._receive = receive
        self._send = send
        self._left = limit
        self.over = False
        self.started = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                self.over = True
                raise TooLarge("the body is too large")
        return message

    async def send(self, message: Message) -> Any:
        if self.over and not self.started:
            return
        self.started = True
        await self._send(message)
