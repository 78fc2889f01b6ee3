"""One runner's live stream: batches of messages in, acknowledgements and orders out."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from stagewright.contexts.incidents import api as incidents
from stagewright.contexts.runs.errors import NotOfThisAttempt, SequenceGap
from stagewright.contexts.runs.model import Attempt, AttemptId, Run
from stagewright.contexts.runs.rpc.orders import Orders
from stagewright.contexts.runs.rpc.redacting import REMEMBERED, LogRedactor
from stagewright.contexts.runs.rules.folding import EVENTS_PER_SECOND
from stagewright.contexts.runs.store import logs as log_rows
from stagewright.contexts.runs.usecases import messages
from stagewright.contexts.runs.usecases.attempts import fence
from stagewright.kit import logs
from stagewright.kit.clock import Clock
from stagewright.kit.db import Database, Reader
from stagewright.kit.errors import StagewrightError
from stagewright.kit.journal import Actor
from stagewright.kit.redact import Redactor
from stagewright.wire.v1 import stream_pb2

BATCH = 200
GATHER_SECONDS = 0.05
LOOK_SECONDS = 2.0
LEAVE_SECONDS = 5.0
LARGEST_MESSAGE = log_rows.CHUNK_BYTES + 24 * 1024
SECOND = timedelta(seconds=1)
SKEW = timedelta(days=1)
Verify = Callable[[Reader], Awaitable[tuple[Run, Attempt]]]

log = logs.get_logger(__name__)


class Wakes:
    """Tells every open stream to look at the rows again: rung by the journal's bell."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()

    @contextmanager
    def subscribed(self) -> Iterator[asyncio.Event]:
        """Yield an event that is set at every ring."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            yield event
        finally:
            self._waiting.discard(event)

    def ring(self) -> None:
        """Wake all streams."""
        for event in self._waiting:
            event.set()


@dataclass(slots=True)
class Pace:
    """How many events may still be kept one by one in this second."""

    started: datetime
    used: int = 0

    def left(self, now: datetime) -> int:
        """Return how many; a new second begins with all of them."""
        if now - self.started >= SECOND:
            self.started, self.used = now, 0
        return max(0, EVENTS_PER_SECOND - self.used)


@dataclass(slots=True)
class Conversation:
    """State of one connection. What was told before is told again on a new one: the runner takes it twice.

    ``verify`` checks the caller's token anew: a connection outlives neither the token nor the attempt. ``over`` is set
    by the door once nothing more comes of it.
    """

    db: Database
    clock: Clock
    redactor: Redactor
    run: Run
    attempt_id: AttemptId
    generation: int
    actor: Actor
    verify: Verify
    accepted: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _inbox: asyncio.Queue[stream_pb2.RunnerMessage | None] = field(default_factory=lambda: asyncio.Queue(BATCH))
    _streams: dict[str, LogRedactor] = field(default_factory=dict)
    _orders: Orders = field(default_factory=Orders)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _leaving: asyncio.Event = field(default_factory=asyncio.Event)
    _pace: Pace = field(init=False)
    _dropped: int = 0
    _reported: int = 0

    def __post_init__(self) -> None:
        self._pace = Pace(self.clock.now())

    async def leave(self) -> None:
        """Let the connection end: the runner has opened another one. Waits a moment until nothing more is stored."""
        self._leaving.set()
        self._wake.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                await self.over.wait()

    async def converse(
        self, incoming: AsyncIterator[stream_pb2.RunnerMessage], wake: asyncio.Event
    ) -> AsyncGenerator[stream_pb2.PlatformMessage, None]:
        """Yield what the platform says until the runner ends its side or is refused."""
        self._wake = wake
        pump = asyncio.create_task(self._pump(incoming))
        try:
            await self._go_on()
            yield stream_pb2.PlatformMessage(ack=stream_pb2.Ack(number=self.accepted))
            while not self._leaving.is_set():
                for message in await self._news():
                    yield message
                wake.clear()
                batch, ended = await self._batch(wake)
                if self._leaving.is_set():
                    return
                if batch:
                    await self._take(batch)
                    yield stream_pb2.PlatformMessage(ack=stream_pb2.Ack(number=self.accepted))
                if ended:
                    return
        finally:
            pump.cancel()
            with suppress(asyncio.CancelledError):
                await pump
            await self._flush()
            await self._report_dropped()

    async def _go_on(self) -> None:
        """Read how far earlier connections came."""
        async with self.db.reading() as reader:
            _, attempt = await self.verify(reader)
            self.accepted = attempt.last_message_no
            for name in messages.RUNNER_STREAMS if self.accepted else ():
                stored = await log_rows.tail(reader, self.attempt_id, name, most=REMEMBERED)
                self._streams[name] = LogRedactor(self.redactor, stored)

    async def _pump(self, incoming: AsyncIterator[stream_pb2.RunnerMessage]) -> None:
        try:
            async for message in incoming:
                await self._inbox.put(_bounded(message))
        finally:
            await self._inbox.put(None)

    async def _batch(self, wake: asyncio.Event) -> tuple[list[stream_pb2.RunnerMessage], bool]:
        """Wait for messages, a bell or the slow timer; then gather what came together."""
        getting = asyncio.ensure_future(self._inbox.get())
        waking = asyncio.ensure_future(wake.wait())
        done, _ = await asyncio.wait({getting, waking}, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        waking.cancel()
        if getting not in done:
            if not getting.cancel():
                done = {getting}
            else:
                with suppress(asyncio.CancelledError):
                    await getting
                return [], False
        first = getting.result()
        if first is None:
            return [], True
        batch, ended = [first], False
        await asyncio.sleep(GATHER_SECONDS)
        while len(batch) < BATCH and not self._inbox.empty():
            message = self._inbox.get_nowait()
            if message is None:
                ended = True
                break
            batch.append(message)
        return batch, ended

    async def _take(self, batch: list[stream_pb2.RunnerMessage]) -> None:
        news = self._unseen(batch)
        before = {name: stream.copied() for name, stream in self._streams.items()}
        try:
            found = [self._message(message) for message in news]
            if not found:
                return
            taken = await self._keep(found)
        except BaseException:
            self._streams = before  # what was not taken comes again
            raise
        self.accepted = taken.accepted
        self._pace.used += taken.events
        self._dropped += len(taken.dropped)
        if taken.dropped and not self._reported:
            await self._report_dropped(taken.dropped[0])
        if any(isinstance(message.body, messages.LogPiece) for message in found):
            self.db.ring()

    async def _keep(self, found: list[messages.Message]) -> messages.Taken:
        now = self.clock.now()
        async with self.db.transaction(self.actor, correlation_id=self.run.correlation_id) as tx:
            return await messages.take_messages(
                tx,
                self.attempt_id,
                found,
                now=now,
                singly=self._pace.left(now),
                redact=self.redactor.to("journal"),
            )

    async def _report_dropped(self, first: messages.Dropped | None = None) -> None:
        """Tell people once that messages are dropped, and at the connection's end how many. Never raises."""
        if self._dropped == self._reported:
            return
        self._reported = self._dropped
        details = {"dropped": self._dropped, "attempt": str(self.attempt_id)}
        if first is not None:
            details |= {"number": first.number, "reason": first.reason[:500]}
        try:
            async with self.db.transaction(self.actor, correlation_id=self.run.correlation_id) as tx:
                await incidents.report(
                    tx,
                    level="warning",
                    source="runs.rpc",
                    code="runner_message_dropped",
                    message="a runner sent messages that the platform does not take: dropped, the run goes on",
                    details=details,
                    project_id=self.run.project_id,
                    run_id=self.run.id,
                    now=self.clock.now(),
                )
        except StagewrightError as error:
            log.warning("dropped messages could not be reported", reason=error.message, **details)

    def _unseen(self, batch: list[stream_pb2.RunnerMessage]) -> list[stream_pb2.RunnerMessage]:
        """Return the messages that are news. Redaction goes through a stream once: a gap is refused before it."""
        numbered = [message for message in batch if message.WhichOneof("body") != "hello"]
        news, expected = [], self.accepted + 1
        for message in numbered:
            if message.number > expected:
                raise SequenceGap(f"message {expected} is missing; send again from there", expected=expected)
            if message.number == expected:
                news.append(message)
                expected += 1
        return news

    async def _flush(self) -> None:
        """Keep what was held back because it might have been the beginning of a secret."""
        now = self.clock.now()
        pieces = [(name, now, rest) for name, held in self._streams.items() if (rest := held.flush())]
        self._streams.clear()
        if pieces:
            async with self.db.transaction(self.actor, correlation_id=self.run.correlation_id) as tx:
                await log_rows.append(tx, self.attempt_id, pieces)

    def _message(self, message: stream_pb2.RunnerMessage) -> messages.Message:
        if (message.attempt.attempt_id, message.attempt.generation) != (str(self.attempt_id), self.generation):
            raise NotOfThisAttempt("a message of the stream names another attempt")
        body: messages.Body
        match message.WhichOneof("body"):
            case "event":
                body = messages.RunnerFact(message.event.kind, message.event.body)
            case "log":
                body = self._log(message)
            case "heartbeat":
                body = messages.Beat(message.heartbeat.engine_alive)
            case "usage":
                usage = message.usage
                body = messages.UsageRecord(usage.model, usage.tokens_in, usage.tokens_cached, usage.tokens_out)
            case _:
                body = messages.Unreadable("it has no body this platform knows, or one that is too large")
        return messages.Message(message.number, body)

    def _log(self, message: stream_pb2.RunnerMessage) -> messages.LogPiece | messages.Unreadable:
        name, data = message.log.stream, message.log.data
        if name not in messages.RUNNER_STREAMS:
            return messages.Unreadable(f"log stream {name[:40]!r}: {' and '.join(messages.RUNNER_STREAMS)} are taken")
        if len(data) > log_rows.CHUNK_BYTES:
            return messages.Unreadable("a log chunk holds at most 64 KiB; send it in pieces")
        if name not in self._streams:
            self._streams[name] = LogRedactor(self.redactor)
        return messages.LogPiece(name, _time(message.log.at, self.clock.now()), self._streams[name].feed(data))

    async def _news(self) -> list[stream_pb2.PlatformMessage]:
        async with self.db.reading() as reader:
            run, attempt = await self.verify(reader)
            fence(run, attempt)
            return await self._orders.news(reader, run, attempt)


def _bounded(message: stream_pb2.RunnerMessage) -> stream_pb2.RunnerMessage:
    """Return the message, or its number alone when it is larger than any that is taken: many of them wait here."""
    if message.ByteSize() <= LARGEST_MESSAGE:
        return message
    return stream_pb2.RunnerMessage(number=message.number, attempt=message.attempt)


def _time(text: str, now: datetime) -> datetime:
    """Return when the runner says it was; the platform's own time for none, and for one no clock is so wrong about."""
    try:
        value = datetime.fromisoformat(text)
        value = value if value.tzinfo else value.replace(tzinfo=UTC)
        return value if abs(value - now) <= SKEW else now
    except (ValueError, OverflowError):
        return now
