"""One call of an engine: checked anew, held while the limit is closed, sent with the platform's key, streamed back.

The call's usage is kept before the engine sees the end of its answer, so an outcome never overtakes it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from stagewright.adapters.providers import (
    Answer,
    AnswerCut,
    AnswerTooLarge,
    Call,
    Endpoint,
    ProviderApi,
    Providers,
    ProviderUnreachable,
    UsageReader,
)
from stagewright.contexts.runs.model import Attempt, Run
from stagewright.contexts.runs.rpc import AttemptTokens
from stagewright.contexts.runs.rpc.tokens import is_over
from stagewright.contexts.runs.rules import relay as rules
from stagewright.contexts.runs.usecases import relay
from stagewright.kit import logs
from stagewright.kit.clock import Clock
from stagewright.kit.crypto import Sealer, TokenInvalid
from stagewright.kit.db import Database, Reader
from stagewright.kit.errors import Denied, LimitReached, Unauthenticated, Unavailable
from stagewright.kit.http.asgi import Headers, Send
from stagewright.kit.journal import Actor
from stagewright.processes.controlplane.relay_figures import Figures
from stagewright.processes.controlplane.relay_request import ModelRequest

LARGEST_ANSWER = 32 * 1024 * 1024
LARGEST_REFUSAL = 64 * 1024
REFUSAL_SECONDS = 5.0
LIMITED = (402, 429)
REJECTED, FORBIDDEN = 401, 403
NO_QUOTA = (b"insufficient_quota", b"billing_error")

log = logs.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the relay works with."""

    db: Database
    clock: Clock
    tokens: AttemptTokens
    sealer: Sealer
    providers: Providers
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asks for what, before anything was checked."""

    api: ProviderApi
    endpoint: Endpoint
    token: str | None = field(repr=False)
    headers: Sequence[tuple[str, str]] = field(repr=False)
    query: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token it is, and the provider's name of the run's model."""

    run: Run
    attempt: Attempt
    model: str

    @property
    def actor(self) -> Actor:
        """Return the run as the actor of what its calls cause."""
        return Actor("run", str(self.run.id))


async def identify(parts: Parts, asked: Asked, reader: Reader) -> Caller:
    """Return who calls. Raises ``Unauthenticated`` (token, attempt over) and ``Denied`` (engine, model)."""
    if asked.token is None:
        raise TokenInvalid("send the attempt's model token as a bearer")
    run, attempt = await parts.tokens.verify(reader, "model", asked.token, now=parts.clock.now())
    if is_over(run, attempt):
        raise Unauthenticated("this attempt has ended; stop", code="attempt_ended")
    if run.engine != asked.api.engine:
        raise Denied(f"this run's engine is {run.engine}; use its path", code="engine_not_allowed")
    return Caller(run, attempt, await relay.model_of(reader, run))


class ModelCall:
    """One call of one attempt. ``started``: its answer has begun, so that nothing else can be said any more."""

    def __init__(self, parts: Parts, asked: Asked, caller: Caller, send: Send) -> None:
        self._parts = parts
        self._asked = asked
        self._caller = caller
        self._send = send
        self._usage = UsageReader()
        self._recording: asyncio.Task[None] | None = None
        self.started = False
        self.outcome = "client_gone"

    async def exchange(self, request: ModelRequest) -> None:
        """Pass the call on and its answer back. Raises what the engine is told instead of an answer."""
        deadline = self._parts.clock.now() + rules.HOLD
        while True:
            found = await self._prepare()
            if isinstance(found, relay.Blocked):
                until: datetime | None = found.until
            else:
                async with self._parts.providers.call(self._outgoing(found, request)) as answer:
                    until = await self._take(found, answer)
            if until is None:
                return
            await self._hold(until, deadline)

    async def settle(self) -> None:
        """Keep what the call used, as far as it is known; once, and also when the call was cut or cancelled."""
        usage = self._usage.usage
        if self._recording is None and usage is not None and self._asked.endpoint is Endpoint.ANSWER:
            tokens = rules.Tokens(usage.sent, usage.cached, usage.answered)
            self._parts.figures.spent(self._asked.api.engine, usage)
            self._recording = asyncio.create_task(self._record(tokens))
        if self._recording is not None:
            await asyncio.shield(self._recording)

    async def _prepare(self) -> relay.Ready | relay.Blocked:
        parts = self._parts
        async with parts.db.reading() as reader:
            self._caller = await identify(parts, self._asked, reader)
            return await relay.prepare_call(reader, self._caller.run, sealer=parts.sealer, now=parts.clock.now())

    def _outgoing(self, ready: relay.Ready, request: ModelRequest) -> Call:
        return Call(
            api=self._asked.api,
            endpoint=self._asked.endpoint,
            base_url=ready.credential.credential.base_url,
            secret=ready.credential.secret,
            headers=self._asked.headers,
            query=self._asked.query,
            body=request.body,
        )

    async def _hold(self, until: datetime, deadline: datetime) -> None:
        now = self._parts.clock.now()
        wait = rules.hold_for(until, now=now, deadline=deadline)
        if wait is None:
            self._parts.figures.rate_limited.labels("model").inc()
            raise LimitReached(
                f"the model provider's limit is closed for this project until {until:%H:%M:%S} UTC",
                code="rate_limited",
                retry_after=until - now,
            )
        await self._parts.clock.sleep(wait)

    async def _take(self, ready: relay.Ready, answer: Answer) -> datetime | None:
        """Pass an answer back, or return until when the provider wants to be left alone."""
        log.info("model call answered", status=answer.status, provider_request_id=answer.request_id)
        if answer.status == REJECTED:
            await self._note_rejected(ready)
            raise Unauthenticated(
                "the model provider rejected the platform's key: a project admin replaces the credential",
                code="credential_rejected",
            )
        if answer.status in LIMITED or self._limited_by_words(answer):
            return await self._note_limited(answer)
        if not (200 <= answer.status < 300 or 400 <= answer.status < 600):
            raise ProviderUnreachable(f"the model provider answered with status {answer.status}; check its base URL")
        if answer.status < 300 and relay.is_news(ready):
            await self._note_worked(ready)
        self.outcome = "ok" if answer.status < 300 else f"provider_{answer.status // 100}xx"
        await (self._stream(answer) if answer.streamed else self._whole(answer))
        return None

    async def _stream(self, answer: Answer) -> None:
        self.outcome, ending = "client_gone", self.outcome
        await self._start(answer, [])
        async for piece in answer.pieces():
            self._usage.feed(piece)
            if self._usage.finished:
                await self.settle()
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await self.settle()
        await self._send({"type": "http.response.body", "body": b""})
        self.outcome = ending

    async def _whole(self, answer: Answer) -> None:
        body = await answer.whole(LARGEST_ANSWER)
        self._usage.feed_whole(body)
        await self.settle()
        await self._start(answer, [(b"content-length", str(len(body)).encode())])
        await self._send({"type": "http.response.body", "body": body})

    async def _start(self, answer: Answer, extra: Headers) -> None:
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        self.started = True
        await self._send({"type": "http.response.start", "status": answer.status, "headers": [*headers, *extra]})

    async def _record(self, tokens: rules.Tokens) -> None:
        parts, caller = self._parts, self._caller
        try:
            async with parts.db.transaction(caller.actor, correlation_id=caller.run.correlation_id) as tx:
                await relay.record_usage(
                    tx, caller.run.id, caller.attempt.id, tokens, model=caller.model, now=parts.clock.now()
                )
        except Unavailable as error:  # the money is spent and the answer is there: the engine gets it
            log.error("the usage of a model call could not be kept", reason=error.message)

    async def _note_limited(self, answer: Answer) -> datetime:
        parts, caller = self._parts, self._caller
        said = b""
        try:
            async with asyncio.timeout(REFUSAL_SECONDS):
                said = await answer.whole(LARGEST_REFUSAL)
        except (TimeoutError, AnswerCut, AnswerTooLarge) as error:
            log.info("a refusal was not read to its end", reason=type(error).__name__)
        no_quota = answer.status == 402 or any(word in said for word in NO_QUOTA)
        cause = relay.QUOTA if no_quota else relay.RATE_LIMIT
        now = parts.clock.now()
        async with parts.db.transaction(caller.actor, correlation_id=caller.run.correlation_id) as tx:
            return await relay.note_limited(tx, caller.run, retry_after=answer.retry_after(now), cause=cause, now=now)

    def _limited_by_words(self, answer: Answer) -> bool:
        """A 403 that says when to come back is a limit; any other is the provider's own answer to the engine."""
        return answer.status == FORBIDDEN and answer.retry_after(self._parts.clock.now()) is not None

    async def _note_rejected(self, ready: relay.Ready) -> None:
        parts, caller = self._parts, self._caller
        async with parts.db.transaction(caller.actor, correlation_id=caller.run.correlation_id) as tx:
            await relay.note_rejected(tx, caller.run, ready.credential.credential, now=parts.clock.now())

    async def _note_worked(self, ready: relay.Ready) -> None:
        parts, caller = self._parts, self._caller
        async with parts.db.transaction(caller.actor, correlation_id=caller.run.correlation_id) as tx:
            await relay.note_worked(tx, caller.run, ready, now=parts.clock.now())
