"""The door for GitHub's webhooks: signature over the raw bytes, one insert, an answer. Nothing else happens here.

It is a plain ASGI application, because every delivery passes through it. Deliveries that come at once are committed
together; each is answered only after its own row is durable.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from stagewright.contexts.intake.errors import DeliveryInvalid, SignatureRefused
from stagewright.contexts.intake.model import NewDelivery
from stagewright.contexts.intake.rules import check_headers
from stagewright.contexts.intake.usecases import app_secrets, keep_deliveries
from stagewright.contexts.projects import api as projects
from stagewright.kit import logs
from stagewright.kit.clock import Clock
from stagewright.kit.crypto import Sealer, hmac_sha256_matches
from stagewright.kit.db import Database
from stagewright.kit.errors import TooLarge, Unavailable
from stagewright.kit.http import problem, status_of
from stagewright.kit.http.asgi import Receive, Scope, Send
from stagewright.kit.ids import uuid7
from stagewright.kit.metrics import Metrics

PATH = "/api/v1/webhooks/github"
ROUTES = ("/api/v1/webhooks/github", "/api/v1/webhooks/github/{repository_id}")
BODY_LIMIT = 1024 * 1024
BODY_PATIENCE = timedelta(seconds=10)
MOST_HELD = 64 * 1024 * 1024
BUSY_FOR = timedelta(seconds=2)
CLOSE = ("connection", "close")
TOGETHER = 200
SECRETS_KEPT = timedelta(seconds=10)
MOST_KEPT = 10_000
APP_HEADER = b"x-github-hook-installation-target-id"
NOBODY = (b"no live secret fits this path",)
HEADERS = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]

log = logs.get_logger(__name__)


class Secrets:
    """The live webhook secrets, read from the rows at most every 10 s."""

    def __init__(self, db: Database, sealer: Sealer, clock: Clock) -> None:
        self._db = db
        self._sealer = sealer
        self._clock = clock
        self._kept: dict[UUID, tuple[datetime, tuple[bytes, ...]]] = {}
        self._apps: tuple[datetime, Mapping[int, tuple[bytes, ...]]] | None = None

    async def of(self, repository_id: UUID) -> tuple[bytes, ...]:
        """Return the secrets of a repository bound with a token."""
        now = self._clock.now()
        kept = self._kept.get(repository_id)
        if kept is not None and now - kept[0] < SECRETS_KEPT:
            return kept[1]
        async with self._db.reading() as reader:
            found = await projects.open_webhook_secrets(reader, repository_id, sealer=self._sealer)
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[repository_id] = (now, found)
        return found

    async def of_apps(self) -> Mapping[int, tuple[bytes, ...]]:
        """Return the secrets of each GitHub App, by its number."""
        now = self._clock.now()
        if self._apps is not None and now - self._apps[0] < SECRETS_KEPT:
            return self._apps[1]
        async with self._db.reading() as reader:
            found = await app_secrets(reader, sealer=self._sealer)
        self._apps = (now, found)
        return found


class Bodies:
    """Bounds what strangers make us hold: bytes of deliveries whose signature is not known yet, and how long for."""

    def __init__(self, *, most: int = MOST_HELD, patience: timedelta = BODY_PATIENCE) -> None:
        self._most = most
        self._patience = patience.total_seconds()
        self._held = 0

    @contextmanager
    def room(self, headers: Mapping[bytes, str]) -> Iterator[None]:
        """Hold room for the announced body during the block. Raises ``TooLarge``, and ``Unavailable`` without room."""
        announced = headers.get(b"content-length", str(BODY_LIMIT))
        if not announced.isdigit() or int(announced) > BODY_LIMIT:
            raise _too_large()
        size = int(announced)
        if self._held + size > self._most:
            told = "too many deliveries are under way; send it again"
            raise Unavailable(told, code="webhook.busy", retry_after=BUSY_FOR)
        self._held += size
        try:
            yield
        finally:
            self._held -= size

    async def read(self, receive: Receive) -> bytes:
        """Return the body. Raises ``DeliveryInvalid`` when it does not come in time."""
        try:
            async with asyncio.timeout(self._patience):
                return await _body(receive)
        except TimeoutError as error:
            raise DeliveryInvalid(f"the body did not come within {self._patience:g} s: send it again") from error


@dataclass(slots=True)
class _Waiting:
    delivery: NewDelivery
    kept: "asyncio.Future[bool]" = field(repr=False)


class Coalescer:
    """Commits deliveries that wait at the same time in one transaction: one disk write for all of them."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None

    async def keep(self, delivery: NewDelivery) -> bool:
        """Return whether the delivery was new, once its row is durable. Raises ``Unavailable`` when it is not."""
        item = _Waiting(delivery, asyncio.get_running_loop().create_future())
        self._waiting.append(item)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._flush(), name="webhook-flush")
        return await item.kept

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
            try:
                new = await self._insert(batch)
            except Exception as error:  # whatever it is, nobody of the batch may wait for ever
                log.warning("deliveries were not kept", count=len(batch), exc_info=error)
                for item in batch:
                    _settle(item, Unavailable("the delivery was not kept; send it again", code="webhook.not_kept"))
                continue
            for item in batch:
                _settle(item, item.delivery.delivery_id in new)
                new.discard(item.delivery.delivery_id)

    async def _insert(self, batch: list[_Waiting]) -> set[str]:
        async with self._db.transaction() as tx:
            kept = await keep_deliveries(tx, [item.delivery for item in batch], now=self._clock.now())
        if kept:
            self._db.ring()
        return set(kept)


def _settle(item: _Waiting, outcome: bool | Exception) -> None:
    if item.kept.done():
        return
    if isinstance(outcome, Exception):
        item.kept.set_exception(outcome)
        item.kept.exception()  # seen: a caller that went away is no error of ours
    else:
        item.kept.set_result(outcome)


class _Figures:
    """The figures of one route; their labels are looked up once."""

    VERDICTS: ClassVar[Mapping[int, str]] = {202: "received", 200: "duplicate"}

    def __init__(self, metrics: Metrics, route: str) -> None:
        self._metrics = metrics
        self._route = route
        self._seconds = metrics.http_request_seconds.labels(route)
        self._taken = {
            status: (metrics.http_requests.labels(route, "POST", str(status)), metrics.webhook_deliveries.labels(word))
            for status, word in self.VERDICTS.items()
        }

    def count(self, status: int, seconds: float) -> None:
        self._seconds.observe(seconds)
        counters = self._taken.get(status)
        if counters is None:
            self._metrics.http_requests.labels(self._route, "POST", str(status)).inc()
            return
        for counter in counters:
            counter.inc()


class WebhookDoor:
    """Takes deliveries of GitHub: 202 new, 200 seen, 400 malformed, 401 signature, 413 size, 503 not kept."""

    def __init__(
        self, db: Database, *, sealer: Sealer, clock: Clock, metrics: Metrics, bodies: Bodies | None = None
    ) -> None:
        self._bodies = bodies or Bodies()
        self._secrets = Secrets(db, sealer, clock)
        self._coalescer = Coalescer(db, clock)
        self._figures = {route: _Figures(metrics, route) for route in ROUTES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        started, route = time.perf_counter(), ROUTES[0] if scope["path"] == PATH else ROUTES[1]
        request_id = str(uuid7())
        try:
            status, body = await self._take(scope, receive)
            await _answer(send, status, body, request_id)
        except (DeliveryInvalid, SignatureRefused, TooLarge, Unavailable) as error:
            status = status_of(error)[0]
            response = problem(error, instance=scope["path"], request_id=request_id)
            response.headers["x-request-id"] = request_id
            response.headers[CLOSE[0]] = CLOSE[1]  # what is left of a body is not waited for
            await response(scope, receive, send)
        self._figures[route].count(status, time.perf_counter() - started)

    async def _take(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        headers = {bytes(name): str(value, "latin-1") for name, value in scope["headers"]}
        with self._bodies.room(headers):
            raw = await self._bodies.read(receive)
            delivery_id, event = check_headers(headers.get(b"x-github-delivery"), headers.get(b"x-github-event"))
            if scope["path"] == PATH:
                signer = await self._authenticate_app(raw, headers)
            else:
                signer = await self._authenticate_repository(scope["path"], raw, headers)
        if not headers.get(b"content-type", "").startswith("application/json"):
            raise DeliveryInvalid("set the webhook's content type to application/json at the forge")
        binding = projects.Binding.GITHUB_APP if signer.app_id is not None else projects.Binding.TOKEN
        new = await self._coalescer.keep(
            NewDelivery(
                delivery_id=delivery_id,
                repository_id=signer.repository_id,
                app_id=signer.app_id,
                binding=binding.value,
                event=event,
                payload=raw,
            )
        )
        return (202, b'{"status":"received"}') if new else (200, b'{"status":"seen"}')

    async def _authenticate_repository(self, path: str, raw: bytes, headers: Mapping[bytes, str]) -> "_Signer":
        """Check the signature. An unknown repository is refused like a wrong signature, in the same time."""
        try:
            repository_id = UUID(path[len(PATH) + 1 :])
        except ValueError:
            repository_id = None
        secrets = await self._secrets.of(repository_id) if repository_id is not None else ()
        if not _fits(secrets, raw, headers):
            raise _refused()
        return _Signer(repository_id=repository_id)

    async def _authenticate_app(self, raw: bytes, headers: Mapping[bytes, str]) -> "_Signer":
        """Check the signature against the secrets of the App the delivery names, or find the App where it names none.

        The name is the sender's word: it only says which secrets to try. What the delivery speaks of is held against
        the App whose secret fitted when it is decided.
        """
        apps = await self._secrets.of_apps()
        named = headers.get(APP_HEADER)
        tried = apps if named is None else {number: of for number, of in apps.items() if str(number) == named}
        fitting = [number for number, secrets in tried.items() if _fits(secrets, raw, headers)]
        if not tried:
            _fits((), raw, headers)  # the same time for an App that nobody knows
        if not fitting:
            raise _refused()
        return _Signer(app_id=fitting[0])


@dataclass(frozen=True, slots=True)
class _Signer:
    """Whose secret a delivery was signed with: a repository's, or a GitHub App's."""

    repository_id: UUID | None = None
    app_id: int | None = None


def _fits(secrets: tuple[bytes, ...], raw: bytes, headers: Mapping[bytes, str]) -> bool:
    fits = hmac_sha256_matches(secrets or NOBODY, raw, headers.get(b"x-hub-signature-256"))
    return fits and bool(secrets)


def _refused() -> SignatureRefused:
    return SignatureRefused("the signature fits no live secret of this webhook; compare it with the forge's")


async def _body(receive: Receive) -> bytes:
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise DeliveryInvalid("the sender went away before the body was complete")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_LIMIT:
            raise _too_large()
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large() -> TooLarge:
    return TooLarge(f"a delivery has at most {BODY_LIMIT} bytes", limit=BODY_LIMIT)


async def _answer(send: Send, status: int, body: bytes, request_id: str) -> None:
    length = (b"content-length", str(len(body)).encode())
    headers = [*HEADERS, length, (b"x-request-id", request_id.encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def openapi_paths(problem_schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return this door's part of the OpenAPI document: it is not made of the framework's routes."""
    return {path: {"post": _operation(path, problem_schema)} for path in ROUTES}


def _operation(path: str, problem_schema: Mapping[str, Any]) -> dict[str, Any]:
    text = {"type": "string"}
    names = (("X-GitHub-Event", True), ("X-GitHub-Delivery", True), ("X-Hub-Signature-256", True))
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "header", "required": required, "schema": text} for name, required in names
    ]
    if path == PATH:
        parameters.append({"name": "X-GitHub-Hook-Installation-Target-ID", "in": "header", "schema": text})
    else:
        uuid = {"type": "string", "format": "uuid"}
        parameters.append({"name": "repository_id", "in": "path", "required": True, "schema": uuid})
    answer = {
        "type": "object",
        "required": ["status"],
        "properties": {"status": {"type": "string", "enum": ["received", "seen"]}},
    }
    taken = {"application/json": {"schema": answer}}
    return {
        "tags": ["webhooks"],
        "summary": "Take a webhook delivery of GitHub",
        "operationId": "take_app_delivery" if path == PATH else "take_delivery",
        "x-permission": "public",
        "parameters": parameters,
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
        "responses": {
            "202": {"description": "Kept", "content": taken},
            "200": {"description": "Seen before", "content": taken},
            "default": {"description": "Problem", "content": {"application/problem+json": {"schema": problem_schema}}},
        },
    }
