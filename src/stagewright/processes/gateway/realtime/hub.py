"""The one reader of the journal in a gateway, and the sockets it serves (access.md §8.3). Sockets never query for news.

Everything between two ``await`` of a batch happens at one place of the journal: a socket that is attached there has
missed nothing before it and gets everything after it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol
from uuid import UUID

from stagewright.kit import feed, journal
from stagewright.kit.clock import Clock
from stagewright.kit.db import Database
from stagewright.kit.journal import Entry, Place
from stagewright.kit.logs import get_logger
from stagewright.kit.metrics import Metrics
from stagewright.processes.gateway.realtime.coalescing import Coalescer
from stagewright.processes.gateway.realtime.frames import Line, Piece, Scribe, line_of
from stagewright.processes.gateway.realtime.memory import Memory
from stagewright.processes.gateway.realtime.rights import Rights
from stagewright.processes.gateway.realtime.subscriptions import Subscription, as_uuid

AWAY = 1012
log = get_logger(__name__)
ACCESS = frozenset({"access.changed", "session.revoked", "token.revoked"})


class Member(Protocol):
    """A socket as the hub knows it."""

    rights: Rights
    told: int

    def send(self, messages: Iterable[str]) -> None:
        """Queue messages."""
        ...

    async def renew(self) -> None:
        """Read the rights again, before anything more is sent."""
        ...

    def resync(self, topics: list[str] | str, reason: str) -> None:
        """Tell the client to load anew."""
        ...

    def end(self, code: int, reason: str) -> None:
        """Close the socket."""
        ...


class Hub:
    """Follows the journal and hands every batch to the sockets that follow its topics."""

    def __init__(self, db: Database, clock: Clock, metrics: Metrics) -> None:
        self._db, self._clock, self._metrics = db, clock, metrics
        self.on_held: Callable[[], None] = _nothing
        self._routes: dict[str, dict[Member, Subscription]] = {}
        self._members: dict[UUID, set[Member]] = {}
        self._reading = asyncio.Lock()
        self._whole = asyncio.Event()
        self._whole.set()
        self._cursors: deque[tuple[int, str]] = deque()
        self.batch = 0
        self.epoch = ""

    async def start(self) -> None:
        """Begin at the present; called before anything else, and when the database begins another life."""
        async with self._db.reading() as reader:
            self.snapshot = await feed.present(reader)
            self.epoch = await feed.epoch(reader)
        self._place = Place(self.snapshot.text)
        self.memory = Memory(self.snapshot)
        self.read_at = self._clock.now()
        self._coalescer = Coalescer()
        self._cursors.clear()
        self._note_cursor()

    async def check_life(self) -> None:
        """Begin anew when the database was restored: what everybody holds may never have happened in it."""
        async with self._reading:
            async with self._db.reading() as reader:
                if await feed.epoch(reader) == self.epoch:
                    return
            await self.start()
            for member in self.members():
                member.resync("all", "epoch")

    # Members

    def join(self, member: Member) -> None:
        """Count the socket among its person's: changes of rights reach it from now on."""
        self._members.setdefault(member.rights.caller.user.id, set()).add(member)

    def leave(self, member: Member, subscriptions: Iterable[Subscription]) -> None:
        """Forget the socket."""
        for item in subscriptions:
            self.detach(member, item)
        user = member.rights.caller.user.id
        self._members.get(user, set()).discard(member)
        if not self._members.get(user):
            self._members.pop(user, None)

    def members(self) -> list[Member]:
        """Return all sockets."""
        return [member for group in self._members.values() for member in group]

    async def between_batches(self) -> None:
        """Return when no batch is half handed out; until the next ``await`` it stays so."""
        while not self._whole.is_set():
            await self._whole.wait()

    def attach(self, member: Member, subscription: Subscription) -> None:
        """Send the topic's frames of all later batches to the socket."""
        self._routes.setdefault(subscription.route, {})[member] = subscription

    def detach(self, member: Member, subscription: Subscription) -> None:
        """Send the topic's frames no longer."""
        followers = self._routes.get(subscription.route)
        if followers is not None:
            followers.pop(member, None)
            if not followers:
                del self._routes[subscription.route]

    # Reading

    async def look(self) -> int:
        """Read what was committed since the last look and hand it out: the reader's duty."""
        read = 0
        async with self._reading:
            while True:
                first = self._place.until is None
                page = await self._db.read_journal(self._place)
                self._whole.clear()
                if first:
                    await self._apply(page.entries if page.complete else await self._access_rows(page.next))
                self._place = page.next
                self._take_or_give_up(page)
                read += len(page.entries)
                if page.complete:
                    return read

    def _take_or_give_up(self, page: journal.Page) -> None:
        """Hand a page out. If a bug prevents it, everybody loads anew, so that nobody misses it without a word."""
        try:
            self._take([line_of(entry) for entry in page.entries], page)
            self._observe(page.entries)
        except Exception:
            for member in self.members():
                member.resync("all", "overflow")
            raise
        finally:
            if page.complete:
                self._whole.set()

    async def _access_rows(self, place: Place) -> list[Entry]:
        """Return what a long batch says of rights, before any row of it is handed out."""
        found: list[Entry] = []
        wanted = feed.Wanted(topics=("users", "members"))
        async with self._db.reading() as reader:
            async for page in feed.replay(reader, place.since, place.until or place.since, wanted):
                found += page
        return found

    async def _apply(self, entries: Sequence[Entry]) -> None:
        """Let the sockets of everybody whose rights changed read them again, before the batch is handed out."""
        users = {user for entry in entries if (user := _about(entry)) is not None}
        members = [member for user in users for member in self._members.get(user, ())]
        outcomes = await asyncio.gather(*(member.renew() for member in members), return_exceptions=True)
        for member, outcome in zip(members, outcomes, strict=True):
            if isinstance(outcome, Exception):  # one socket's bug must not stop the feed, nor leave its rights open
                log.error("rights could not be read", exc_info=outcome)
                member.end(AWAY, "connect again")

    def _take(self, lines: list[Line], page: journal.Page) -> None:
        self.memory.add(lines)
        now = self._clock.now()
        if page.complete:
            self.batch += 1
            self.snapshot = feed.Snapshot.of(page.next.since)
            self.memory.complete(self.snapshot)
            self.read_at = now
            self._note_cursor()
        number = self.batch if page.complete else self.batch + 1
        pieces = [piece for line in lines for piece in line.pieces if piece.frame.route in self._routes]
        self._hand_out([item for item in pieces if not item.frame.in_list or self._coalescer.offer(item, number, now)])
        if self._coalescer.oldest is not None:
            self.on_held()
        self._metrics.realtime_coalesced.inc(self._coalescer.take_dropped())

    async def release(self) -> int:
        """Wait until held pieces have been silent for long enough, and send them; return how many, 0 without any."""
        due = self._coalescer.next_due()
        if due is None:
            return 0
        await self._clock.sleep(due - self._clock.now())
        await self.between_batches()
        pieces = self._coalescer.due(self._clock.now())
        self._hand_out(pieces)
        return max(1, len(pieces))

    # Handing out

    def _hand_out(self, pieces: Sequence[Piece]) -> None:
        scribe, frames = Scribe(), dict[Member, list[str]]()
        for piece in pieces:
            before = scribe.used
            for member, subscription in self._routes.get(piece.frame.route, {}).items():
                if subscription.shows(piece.frame, member.rights):
                    frame = scribe.frame(piece, subscription.topic, member.rights)
                    frames.setdefault(member, []).append(frame)
            family = piece.frame.route.partition(":")[0]
            self._metrics.realtime_frames.labels(family).inc(scribe.used - before)
        number, cursor = self.covered
        for member, texts in frames.items():
            shown = cursor if member.told < number else None
            member.told = max(member.told, number)
            member.send(scribe.messages(texts, shown))

    @property
    def covered(self) -> tuple[int, str]:
        """Return the newest batch of which every frame was handed out, and its cursor."""
        oldest = self._coalescer.oldest
        while len(self._cursors) > 1 and (oldest is None or self._cursors[1][0] < oldest):
            self._cursors.popleft()
        return self._cursors[0]

    @property
    def cursor(self) -> str:
        """Return the cursor of the last whole batch."""
        return self._cursors[-1][1]

    def _note_cursor(self) -> None:
        cursor = feed.Cursor(self.epoch, self.snapshot.text, self._clock.now()).encode()
        self._cursors.append((self.batch, cursor))

    def _observe(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._metrics.journal_rows.labels(entry.topic).inc()
        if entries:
            lag = (self._clock.now() - max(entry.at for entry in entries)).total_seconds()
            self._metrics.realtime_lag_seconds.observe(max(0.0, lag))


def _nothing() -> None:
    """Do nothing: nobody asked to hear of held pieces."""


def _about(entry: Entry) -> UUID | None:
    """Return whose rights the row changes."""
    if entry.kind in ACCESS:
        return as_uuid(entry.stream.partition(":")[2])
    if entry.kind.startswith("member."):
        return as_uuid(str(entry.body.get("user_id")))
    return None
