"""One connection: what the client says, what it follows, and when it ends (access.md §8.1, §8.4, §8.5)."""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from stagewright.kit import feed
from stagewright.kit.clock import Clock
from stagewright.kit.db import Database
from stagewright.kit.errors import Denied, StagewrightError, Unauthenticated, Unavailable
from stagewright.kit.http.asgi import Message, Receive, Scope, Send
from stagewright.kit.loops.waiting import first_of
from stagewright.kit.metrics import Metrics
from stagewright.kit.settings.stored import StoredSettings
from stagewright.processes.gateway.realtime.admission import Admission, Admitted
from stagewright.processes.gateway.realtime.hub import AWAY, Hub
from stagewright.processes.gateway.realtime.logs import LogFeed
from stagewright.processes.gateway.realtime.messages import (
    MOST_TOPICS,
    VERSION,
    Ack,
    Error,
    Hello,
    Mark,
    NotUnderstood,
    Ping,
    Ready,
    Refused,
    Resync,
    Sub,
    Unsub,
    read_message,
    write_message,
)
from stagewright.processes.gateway.realtime.outbox import Limits, Outbox
from stagewright.processes.gateway.realtime.past import Past, Shown, read_past, told
from stagewright.processes.gateway.realtime.rights import Rights
from stagewright.processes.gateway.realtime.subscriptions import Granted, LogTopic, Subscription, grant
from stagewright.processes.stored_settings import RETENTION_REPLAY

MOST_FRAMES = 10_000
PROTOCOL_ERROR, SIGNED_OUT, NO_ACCESS, TOO_SLOW, TOO_OLD = 4400, 4401, 4403, 4408, 4426


@dataclass(frozen=True, slots=True)
class Parts:
    """What sockets share."""

    hub: Hub
    logs: LogFeed
    db: Database
    clock: Clock
    metrics: Metrics
    admission: Admission
    limits: Limits
    stored: StoredSettings


class Socket:
    """One client. The hub hands it frames; its outbox writes them."""

    def __init__(self, parts: Parts, scope: Scope, admitted: Admitted) -> None:
        self._parts, self._scope = parts, scope
        self.rights = Rights(admitted.caller, admitted.until)
        self.outbox = Outbox(parts.limits)
        self.topics: dict[str, Subscription] = {}
        self.logs: dict[str, LogTopic] = {}
        self.told = 0
        self.checked_at = self.pinged_at = parts.clock.now()
        self._renewals = self._applied = 0
        self._overflows: deque[datetime] = deque()
        self._asks: deque[float] = deque()

    @property
    def followed(self) -> list[str]:
        """Return the names of all topics that are followed."""
        return [*self.topics, *self.logs]

    async def serve(self, receive: Receive, send: Send) -> None:
        """Talk until either side ends it."""
        self._parts.hub.join(self)
        writing = asyncio.create_task(self.outbox.run(send), name="socket-writer")
        try:
            await self.renew()  # rights that changed between the handshake and here reached nobody
            await first_of(self._listen(receive), asyncio.wait({writing}))
            if self.outbox.closing is not None:
                await asyncio.wait({writing})
        finally:
            self._parts.hub.leave(self, self.topics.values())
            self._parts.logs.leave(self)
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

    # What the client says

    async def _listen(self, receive: Receive) -> None:
        try:
            await self._greet(receive)
            while (text := await self._hear(receive)) is not None:
                await self._act(text)
        except NotUnderstood as error:
            self.end(PROTOCOL_ERROR, str(error))
        except Unavailable:
            self.end(AWAY, "connect again")

    async def _greet(self, receive: Receive) -> None:
        try:
            async with asyncio.timeout(self._parts.limits.hello.total_seconds()):
                text = await self._hear(receive)
        except TimeoutError as error:
            raise NotUnderstood("no hello in time") from error
        if text is None:
            return
        message = read_message(text)
        if not isinstance(message, Hello):
            raise NotUnderstood("the first message is hello")
        if message.v != VERSION:
            self.end(TOO_OLD, f"this gateway speaks version {VERSION}")
            return
        await self._hello(message)

    async def _hear(self, receive: Receive) -> str | None:
        """Return the client's next text; None when it is gone."""
        if self.outbox.closing is not None:
            return None
        message: Message = await receive()
        if message["type"] != "websocket.receive":
            return None
        now = asyncio.get_running_loop().time()
        while self._asks and now - self._asks[0] >= 1.0:
            self._asks.popleft()
        self._asks.append(now)
        if len(self._asks) > self._parts.limits.asks_per_second:
            raise NotUnderstood(f"more than {self._parts.limits.asks_per_second} messages in a second")
        text: str | None = message.get("text")
        if text is None:
            raise NotUnderstood("messages are text")
        return text

    async def _act(self, text: str) -> None:
        message = read_message(text)
        if isinstance(message, Sub):
            granted = await self._granted(message.topics, message.logs)
            self._attach(granted, message.logs)
            self.send([write_message(Ack(message.n, granted.names, granted.refused))])
        elif isinstance(message, Unsub):
            self._detach(message.topics)
        else:
            raise NotUnderstood("hello comes once")

    async def _granted(self, topics: Iterable[str], logs: Mapping[str, Mark]) -> Granted:
        """Return what the client gets by its rights of now; until the next ``await`` the reader stands still."""
        names = list(dict.fromkeys([*topics, *logs]))
        room = MOST_TOPICS - len(self.topics.keys() | self.logs.keys())
        fresh = [name for name in names if name not in self.topics and name not in self.logs]
        over = set(fresh[room:])
        while self.outbox.closing is None:
            rights = self.rights
            async with self._parts.db.reading() as reader:
                granted = await grant(reader, [name for name in names if name not in over], rights)
            await self._parts.hub.between_batches()
            if rights is self.rights and self._applied == self._renewals:
                granted.refused += [Refused(name, "topic.limit") for name in sorted(over)]
                return granted
        return Granted()

    def _attach(self, granted: Granted, marks: Mapping[str, Mark]) -> None:
        for item in granted.topics:
            self.topics[item.topic] = item
            self._parts.hub.attach(self, item)
        for log in granted.logs:
            self.logs[log.topic] = log
            self._parts.logs.follow(self, log, marks.get(log.topic))

    def _detach(self, names: Iterable[str]) -> None:
        for name in names:
            item = self.topics.pop(name, None)
            if item is not None:
                self._parts.hub.detach(self, item)
            if self.logs.pop(name, None) is not None:
                self._parts.logs.unfollow(self, name)

    # The past

    async def _hello(self, message: Hello) -> None:
        seen, reason = await self._seen(message.last_event_id)
        granted = await self._granted(message.topics, message.logs)
        hub = self._parts.hub
        self._attach(granted, message.logs)
        self.told, here, cursor = hub.batch, hub.snapshot, hub.cursor
        past = Past({item.route: item for item in granted.topics}, self.rights, MOST_FRAMES)
        if seen is not None:
            lines = hub.memory.since(seen)
            if lines is not None:
                past.take(lines)
            else:
                async with self._parts.db.reading() as reader:
                    await read_past(reader, seen, here, past)
            reason = "overflow" if past.over else None
        shown = [] if reason else past.shown(self.rights)
        at = message.last_event_id if message.last_event_id is not None and shown else cursor
        now = self._parts.clock.now().isoformat()
        ready = write_message(Ready(at, now, granted.names, granted.refused, len(shown)))
        self.outbox.begin(ready, self._first(shown, cursor, reason))

    async def _seen(self, cursor: str | None) -> tuple[feed.Snapshot | None, str | None]:
        """Return what the cursor saw, or why it cannot be resumed from. Another gateway may be a step ahead of us."""
        if cursor is None:
            return None, None
        hub, now = self._parts.hub, self._parts.clock.now()
        window = await self._parts.stored.length(RETENTION_REPLAY)
        try:
            return feed.check_cursor(cursor, epoch=hub.epoch, present=hub.snapshot, now=now, window=window), None
        except feed.BadCursor as error:
            if error.reason != "epoch":
                return None, error.reason
        async with self._parts.db.reading() as reader:
            present, epoch = await feed.present(reader), await feed.epoch(reader)
        try:
            return feed.check_cursor(cursor, epoch=epoch, present=present, now=now, window=window), None
        except feed.BadCursor as error:
            return None, error.reason

    def _first(self, shown: Sequence[Shown], cursor: str, reason: str | None) -> Iterator[str]:
        if reason is not None:
            self._parts.metrics.realtime_resync.labels(reason).inc()
            yield write_message(Resync("all", reason, cursor))  # type: ignore[arg-type]
        yield from told(shown, self.rights, cursor)

    # What is sent

    def send(self, messages: Iterable[str]) -> None:
        """Queue messages; without room for them everything queued is given up for one resync."""
        if self.outbox.closing is not None:
            return
        for message in messages:
            if not self.outbox.push(message):
                self._overflow()
                return

    def send_chunk(self, message: bytes) -> bool:
        """Queue a log chunk if there is room beside frames."""
        return self.outbox.closing is None and self.outbox.roomy and self.outbox.push(message)

    def ping(self, now: datetime) -> None:
        """Send a sign of life with the newest cursor."""
        self.pinged_at = now
        number, cursor = self._parts.hub.covered
        self.told = max(self.told, number)
        self.send([write_message(Ping(now.isoformat(), cursor))])

    def _overflow(self) -> None:
        now, limits = self._parts.clock.now(), self._parts.limits
        self._parts.metrics.realtime_overflow.inc()
        while self._overflows and now - self._overflows[0] > limits.overflow_window:
            self._overflows.popleft()
        self._overflows.append(now)
        if len(self._overflows) >= limits.overflows:
            self.end(TOO_SLOW, "too slow")
            return
        self.outbox.empty()
        self.resync("all", "overflow")
        self._parts.logs.skip(self)

    def resync(self, topics: list[str] | str, reason: str) -> None:
        """Tell the client to load the topics anew; frames go on from the last whole batch."""
        self.told = self._parts.hub.batch
        self._parts.metrics.realtime_resync.labels(reason).inc()
        self.send([write_message(Resync(topics, reason, self._parts.hub.cursor))])  # type: ignore[arg-type]

    def end(self, code: int, reason: str) -> None:
        """Close the socket; nothing that waits is sent any more."""
        self.outbox.close(code, reason[:100])

    # Rights

    async def renew(self) -> None:
        """Ask again who is here: topics that are not theirs any more end now, or the socket does."""
        self._renewals += 1
        number = self._renewals
        try:
            admitted = await self._parts.admission.admit(self._scope)
        except Unauthenticated:
            self.end(SIGNED_OUT, "signed out")
        except Denied:
            self.end(NO_ACCESS, "no access left")
        except StagewrightError:
            self.end(AWAY, "connect again")
        else:
            if number < self._applied:
                return  # somebody asked later and was quicker: theirs are newer
            self._applied, self.checked_at = number, self._parts.clock.now()
            before, self.rights = self.rights, Rights(admitted.caller, admitted.until)
            if not before.same(self.rights):
                self._narrow()

    def _narrow(self) -> None:
        """Apply changed rights. What was queued under the old ones is not sent; the client loads it anew."""
        gave_up = len(self.outbox) > 0 or self.outbox.catching_up
        self.outbox.empty()
        followed: list[Subscription | LogTopic] = [*self.topics.values(), *self.logs.values()]
        lost = [item.topic for item in followed if not item.allowed(self.rights)]
        self._detach(lost)
        self.send([write_message(Error(name, "forbidden")) for name in lost])
        lists = [name for name, item in self.topics.items() if item.by_row]
        if gave_up or lists:
            self.resync("all" if gave_up else lists, "access_changed")
