"""One request, one answer: headers, limits fed, failures told apart. It repeats nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec
from gidgethub import sansio

from stagewright.adapters.github.failures import Refusal
from stagewright.adapters.github.rates import CORE, Rates
from stagewright.adapters.github.reach import AddressRefused, GuardedTransport, Reach, environment_proxies
from stagewright.contexts.runs.errors import NotSent, OutcomeUnknown
from stagewright.kit.clock import Clock

T = TypeVar("T")
REQUESTER = "stagewright"
API_VERSION = "2022-11-28"
LARGEST_ANSWER = 32 << 20
NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)


def open_http(reach: Reach) -> httpx.AsyncClient:
    """Make the one client of a process. Idle connections are dropped before a usual server drops them."""
    limits = httpx.Limits(max_connections=40, max_keepalive_connections=20, keepalive_expiry=4.0)
    return httpx.AsyncClient(
        timeout=httpx.Timeout(20.0, connect=5.0, pool=10.0),
        mounts=environment_proxies(limits),
        transport=GuardedTransport(reach, context=httpx.create_ssl_context(), limits=limits),
        follow_redirects=False,
    )


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. ``url`` is absolute; ``installation`` names whose limit it counts against.

    ``purpose`` is that of the stored credential it goes with; both stand in the failures of limits and credentials.
    """

    method: str
    url: str
    oauth_token: str | None = None
    jwt: str | None = None
    data: Any = None
    etag: str | None = None
    bucket: str = CORE
    installation: str = ""
    purpose: str = ""

    @property
    def write(self) -> bool:
        """Say whether it may change something."""
        return self.method != "GET"

    @property
    def what(self) -> str:
        """Return method and path, for messages."""
        return f"{self.method} {urlsplit(self.url).path}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status below 400. ``next`` is where the list goes on."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    next: str | None = None


class Wire:
    """Sends requests over the one client."""

    def __init__(self, http: httpx.AsyncClient, rates: Rates, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self.rates = rates

    async def send(self, request: Request) -> Answer:
        """Send ``request`` once. Raises the failures named in the port ``Forge``."""
        headers = sansio.create_headers(REQUESTER, oauth_token=request.oauth_token, jwt=request.jwt)
        headers["x-github-api-version"] = API_VERSION
        if request.etag is not None:
            headers["if-none-match"] = request.etag
        content = None
        if request.data is not None:
            content = msgspec.json.encode(request.data)
            headers["content-type"] = "application/json"
        try:
            async with self._http.stream(request.method, request.url, headers=headers, content=content) as response:
                body = await _read(response)
        except NEVER_LEFT as error:
            if isinstance(error.__cause__, AddressRefused):
                told = f"{request.what}: {error}; the operator names forges on private networks"
                raise NotSent(told, code="forge.address_refused") from error
            raise NotSent(f"{request.what}: the forge cannot be reached ({type(error).__name__})") from error
        except httpx.HTTPError as error:
            lost = f"{request.what}: the connection was lost ({type(error).__name__})"
            raise (OutcomeUnknown(lost) if request.write else NotSent(lost)) from error
        if body is None:
            told = f"{request.what}: the forge's answer is larger than {LARGEST_ANSWER} bytes"
            raise OutcomeUnknown(told) if request.write else NotSent(told)
        return self._answer(request, response, body)

    def _answer(self, request: Request, response: httpx.Response, body: bytes) -> Answer:
        if request.installation and request.jwt is None:  # an App's own requests count elsewhere
            self.rates.feed(request.installation, request.bucket, response.headers)
        if response.status_code >= 400:
            raise Refusal(
                what=request.what,
                write=request.write,
                bucket=request.bucket,
                installation=request.installation,
                purpose=request.purpose,
                status=response.status_code,
                headers=response.headers,
                body=body,
            ).as_error(self._clock.now())
        following = response.links.get("next", {}).get("url")
        return Answer(response.status_code, response.headers, body, following)


async def _read(response: httpx.Response) -> bytes | None:
    """Return the body, unpacked; None when it is larger than any answer we ask for."""
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > LARGEST_ANSWER:
            return None
    return bytes(body)


def decoded(answer: Answer, kind: type[T], *, write: bool) -> T:
    """Decode an answer. One that cannot be read leaves a write unknown."""
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except msgspec.MsgspecError as error:
        told = f"the forge's answer cannot be read as {kind}: {error}"
        raise (OutcomeUnknown(told) if write else NotSent(told)) from error


def url_of(api_url: str, path: str, **parts: str | int) -> str:
    """Fill ``path`` below ``api_url``; every part is escaped, so a name can never become a path or a query."""
    return sansio.format_url(path, {name: str(value) for name, value in parts.items()}, base_url=api_url)


def same_origin(url: str, other: str) -> bool:
    """Say whether two addresses have one scheme, host and port: a credential goes nowhere else."""
    first, second = urlsplit(url), urlsplit(other)
    return (first.scheme, first.netloc) == (second.scheme, second.netloc)
