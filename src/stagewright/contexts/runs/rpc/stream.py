"""One runner's live stream: batches of messages in, acknowledgements and orders out."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from stagewright.contexts.runs.errors import (
    AttemptEnded,
    GenerationStale,
    MessageInvalid,
    NotOfThisAttempt,
    SequenceGap,
)
from stagewright.contexts.runs.model import AttemptId, AttemptStatus, RunId
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import logs as log_rows
from stagewright.contexts.runs.store import results as result_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store import waits as wait_rows
from stagewright.contexts.runs.usecases import messages
from stagewright.kit.clock import Clock
from stagewright.kit.db import Database
from stagewright.kit.journal import Actor
from stagewright.kit.redact import Redactor, StreamRedactor
from stagewright.wire.v1 import result_pb2, stream_pb2

BATCH = 200
GATHER_SECONDS = 0.05
LOOK_SECONDS = 2.0
STOP_GRACE = 30
WARNING = "Nine tenths of the time are used. Finish: leave the work tree consistent and hand over the report now."


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
class Conversation:
    """State of one connection. What was told before is told again on a new one: the runner takes it twice."""

    db: Database
    clock: Clock
    redactor: Redactor
    run_id: RunId
    attempt_id: AttemptId
    generation: int
    actor: Actor
    correlation_id: str
    accepted: int
    _inbox: asyncio.Queue[stream_pb2.RunnerMessage | None] = field(default_factory=lambda: asyncio.Queue(BATCH))
    _streams: dict[str, StreamRedactor] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    async def converse(
        self, incoming: AsyncIterator[stream_pb2.RunnerMessage], wake: asyncio.Event
    ) -> AsyncIterator[stream_pb2.PlatformMessage]:
        """Yield what the platform says until the runner ends its side or is refused."""
        yield stream_pb2.PlatformMessage(ack=stream_pb2.Ack(number=self.accepted))
        pump = asyncio.create_task(self._pump(incoming))
        try:
            while True:
                for message in await self._orders():
                    yield message
                wake.clear()
                batch, ended = await self._batch(wake)
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

    async def _pump(self, incoming: AsyncIterator[stream_pb2.RunnerMessage]) -> None:
        try:
            async for message in incoming:
                await self._inbox.put(message)
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
        try:
            taken = [self._message(message) for message in news]
            if not taken:
                return
            async with self.db.transaction(self.actor, correlation_id=self.correlation_id) as tx:
                self.accepted = await messages.take_messages(tx, self.attempt_id, taken, now=self.clock.now())
        except BaseException:
            self._streams.clear()  # what was not taken comes again
            raise
        if any(isinstance(message.body, messages.LogPiece) for message in taken):
            self.db.ring()

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
            async with self.db.transaction(self.actor, correlation_id=self.correlation_id) as tx:
                await log_rows.append(tx, self.attempt_id, pieces)

    def _message(self, message: stream_pb2.RunnerMessage) -> messages.Message:
        if (message.attempt.attempt_id, message.attempt.generation) != (str(self.attempt_id), self.generation):
            raise NotOfThisAttempt("a message of the stream names another attempt")
        body: messages.LogPiece | messages.RunnerFact | messages.Beat | messages.UsageRecord
        match message.WhichOneof("body"):
            case "event":
                body = messages.RunnerFact(message.event.kind, self.redactor(message.event.body, "journal"))
            case "log":
                body = self._log(message)
            case "heartbeat":
                body = messages.Beat(message.heartbeat.engine_alive)
            case "usage":
                usage = message.usage
                body = messages.UsageRecord(usage.model, usage.tokens_in, usage.tokens_cached, usage.tokens_out)
            case _:
                raise MessageInvalid("a message has no body this platform knows")
        return messages.Message(message.number, body)

    def _log(self, message: stream_pb2.RunnerMessage) -> messages.LogPiece:
        name, data = message.log.stream, message.log.data
        if len(data) > log_rows.CHUNK_BYTES:
            raise MessageInvalid("a log chunk holds at most 64 KiB; send it in pieces", code="too_large")
        if name not in self._streams:
            self._streams[name] = StreamRedactor(self.redactor, "logs")
        at = _time(message.log.at) or self.clock.now()
        return messages.LogPiece(name, at, self._streams[name].feed(data))

    async def _orders(self) -> list[stream_pb2.PlatformMessage]:
        async with self.db.reading() as reader:
            attempt = await attempt_rows.get(reader, self.attempt_id)
            run = await run_rows.get(reader, self.run_id)
            verdicts = await result_rows.list_verdicts(reader, self.attempt_id)
            waits = await wait_rows.list_open(reader, self.run_id)
        if attempt.generation != run.generation:
            raise GenerationStale("another attempt has replaced this one; stop")
        if attempt.status is AttemptStatus.ENDED:
            raise AttemptEnded("this attempt has ended; stop")
        orders: list[stream_pb2.PlatformMessage] = []
        if attempt.stop_requested_at is not None and self._news("stop"):
            stop = stream_pb2.Stop(reason=attempt.stop_reason or "stopped", grace_seconds=STOP_GRACE)
            orders.append(stream_pb2.PlatformMessage(stop=stop))
        for row in verdicts:
            if self._news(f"verdict:{row['proposal_no']}"):
                orders.append(stream_pb2.PlatformMessage(result_checked=_verdict(row)))
        for wait in waits:
            if self._news(f"wait:{wait.id}"):
                opened = stream_pb2.WaitOpened(wait_id=str(wait.id), kind=wait.kind.value)
                orders.append(stream_pb2.PlatformMessage(wait_opened=opened))
        if run.warned_at is not None and self._news("warning"):
            orders.append(stream_pb2.PlatformMessage(notice=stream_pb2.Notice(text=WARNING)))
        return orders

    def _news(self, what: str) -> bool:
        if what in self._told:
            return False
        self._told.add(what)
        return True


def _verdict(row: object) -> result_pb2.ResultChecked:
    values = dict(row)  # type: ignore[call-overload]
    return result_pb2.ResultChecked(
        proposal_no=values["proposal_no"],
        accepted=values["verdict"] == "accepted",
        may_repair=values["verdict"] == "repair",
        violations=[
            result_pb2.Violation(code=item["code"], message=item["message"], paths=item["paths"])
            for item in values["violations"] or ()
        ],
    )


def _time(text: str) -> datetime | None:
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
