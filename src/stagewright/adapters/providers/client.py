"""One call of a model provider: sent with the platform's key, its answer handed on piece by piece."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from stagewright.adapters.github import Reach
from stagewright.adapters.github.reach import GuardedTransport, environment_proxies
from stagewright.adapters.providers import headers
from stagewright.adapters.providers.apis import Endpoint, ProviderApi
from stagewright.adapters.providers.errors import (
    AnswerCut,
    AnswerTooLarge,
    CredentialMalformed,
    ProviderUnreachable,
)
from stagewright.kit.http.retry_after import retry_after

CONNECT = timedelta(seconds=10)
IDLE = timedelta(minutes=5)
SENDING = timedelta(seconds=60)
POOL = timedelta(seconds=10)
KEY = re.compile(r"[\x21-\x7e]{1,4096}")
REACH = Reach(loopback=True, private=True)
"""A model may run on a private network or on this machine; none runs where clouds hand out a machine's credentials."""
MASK = b"[redacted]"
EVENTS = "text/event-stream"


def open_http(*, connect: timedelta = CONNECT, idle: timedelta = IDLE) -> httpx.AsyncClient:
    """Make the one client of a process: it keeps no cookies and follows no redirects, so a key goes to one host only.

    ``idle`` is how long an answer may stand still. Admins of projects say where their provider is, so its address is
    looked at where the connection is made.
    """
    limits = httpx.Limits(max_connections=400, max_keepalive_connections=40, keepalive_expiry=4.0)
    return httpx.AsyncClient(
        timeout=httpx.Timeout(
            connect=connect.total_seconds(),
            read=idle.total_seconds(),
            write=SENDING.total_seconds(),
            pool=POOL.total_seconds(),
        ),
        mounts=environment_proxies(limits),
        transport=GuardedTransport(REACH, context=httpx.create_ssl_context(), limits=limits),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
    )


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of whom. ``headers`` and ``query`` are the client's; what may leave is chosen here."""

    api: ProviderApi
    endpoint: Endpoint
    base_url: str | None
    secret: str = field(repr=False)
    headers: Sequence[tuple[str, str]] = field(repr=False)
    query: Sequence[tuple[str, str]]
    body: bytes = field(repr=False)


class Answer:
    """A provider's answer whose body has not been read yet."""

    def __init__(self, response: httpx.Response, secret: str) -> None:
        self._response = response
        self._secret = secret.encode("ascii")
        self.status = response.status_code
        self.headers = headers.passed_back(response.headers.multi_items())
        self.request_id = headers.request_id(response.headers)

    @property
    def streamed(self) -> bool:
        """Say whether the body is a stream of events."""
        return str(self._response.headers.get("content-type", "")).lower().startswith(EVENTS)

    def retry_after(self, now: datetime) -> timedelta | None:
        """Return how long the provider asks to be left alone."""
        return retry_after(self._response.headers, now=now)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes, byte for byte. Raises ``AnswerCut``."""
        try:
            async for piece in self._response.aiter_raw():
                yield piece
        except httpx.HTTPError as error:
            raise AnswerCut(f"the provider's answer was cut ({type(error).__name__})") from error

    async def whole(self, limit: int) -> bytes:
        """Return the body of an answer that is no stream; the key, should a provider echo it, is blackened.

        Raises ``AnswerCut``, ``AnswerTooLarge``.
        """
        body = bytearray()
        async for piece in self.pieces():
            body += piece
            if len(body) > limit:
                raise AnswerTooLarge(f"the provider's answer is larger than {limit} bytes")
        return bytes(body).replace(self._secret, MASK)


class Providers:
    """Calls model providers over one HTTP client."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    @asynccontextmanager
    async def call(self, call: Call) -> AsyncIterator[Answer]:
        """Send ``call`` once; the block's end hangs up. Raises ``ProviderUnreachable``, ``CredentialMalformed``."""
        response = await self._send(self._request(call), call.api.engine)
        try:
            yield Answer(response, call.secret)
        finally:
            await response.aclose()

    def _request(self, call: Call) -> httpx.Request:
        if not KEY.fullmatch(call.secret):
            raise CredentialMalformed(
                f"the stored key for model:{call.api.engine} has characters that no key has; store it anew"
            )
        try:
            url = httpx.URL(call.api.url(call.base_url, call.endpoint))
            if url.scheme not in ("http", "https") or not url.host:
                raise httpx.InvalidURL("no web address")
            if call.query:
                url = url.copy_merge_params(dict(call.query))
        except (httpx.InvalidURL, ValueError) as error:
            raise CredentialMalformed(
                f"the base URL stored for model:{call.api.engine} is no http or https address; store it anew"
            ) from error
        sent = headers.passed_on(call.headers, call.api.credential(call.secret))
        return self._http.build_request("POST", url, headers=sent, content=call.body)

    async def _send(self, request: httpx.Request, engine: str) -> httpx.Response:
        try:
            return await self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise ProviderUnreachable(
                f"the provider of {engine} cannot be reached ({type(error).__name__}); check its base URL"
            ) from error
