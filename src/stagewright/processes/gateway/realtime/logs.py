"""Log chunks for the sockets that follow them: in order, at a bearable pace, to the end (access.md §8.6)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from stagewright.contexts.runs.store.log_news import LogNews, LogPlace, list_news
from stagewright.contexts.runs.store.logs import Chunk as StoredChunk
from stagewright.contexts.runs.store.logs import End as StoredEnd
from stagewright.kit.clock import Clock
from stagewright.kit.db import Database
from stagewright.kit.metrics import Metrics
from stagewright.processes.gateway.realtime.messages import Chunk, End, Error, Mark, write_chunk, write_message
from stagewright.processes.gateway.realtime.subscriptions import LogTopic

PER_SECOND = 10
PACE = timedelta(seconds=1) / PER_SECOND
PATIENCE = timedelta(seconds=10)
LAG = 64


class Reader(Protocol):
    """A socket as the log feed knows it."""

    def send(self, messages: list[str]) -> None:
        """Queue messages."""
        ...

    def send_chunk(self, message: bytes) -> bool:
        """Queue a chunk; False when there is no room for it now."""
        ...


@dataclass(slots=True)
class Following:
    """How far one socket was sent one stream. ``budget``: how many chunks it may be sent now."""

    log: LogTopic
    generation: int | None
    after: int
    budget: float
    counted_at: datetime
    gap_since: datetime | None = None
    ended: bool = False
    behind: bool = False

    @property
    def place(self) -> LogPlace:
        """Return where to read on."""
        return LogPlace(self.log.run_id, self.log.stream, self.generation, self.after)


@dataclass
class LogFeed:
    """Looks at each bell for what is new in every followed log, with one statement."""

    db: Database
    clock: Clock
    metrics: Metrics
    poke: Callable[[], None] = lambda: None
    _followed: dict[Reader, dict[str, Following]] = field(default_factory=dict)
    _later: asyncio.Task[None] | None = None

    def follow(self, reader: Reader, log: LogTopic, mark: Mark | None) -> None:
        """Send the log to the reader from its mark on; without one, what comes from now on."""
        generation, after = (mark.attempt, mark.stream_seq) if mark else (None, 0)
        following = Following(log, generation, after, float(PER_SECOND), self.clock.now())
        self._followed.setdefault(reader, {})[log.topic] = following
        self.poke()

    def unfollow(self, reader: Reader, topic: str) -> None:
        """Send the log no longer."""
        self._followed.get(reader, {}).pop(topic, None)

    def leave(self, reader: Reader) -> None:
        """Forget the reader."""
        self._followed.pop(reader, None)

    def skip(self, reader: Reader) -> None:
        """Tell the reader that chunks were given up with its queue: it reads them by REST."""
        for topic in self._followed.get(reader, {}):
            reader.send([write_message(Error(topic, "log_lag"))])

    async def look(self) -> int:
        """Send what is new. Readers at one place share the rows."""
        groups: dict[LogPlace, list[tuple[Reader, Following]]] = {}
        for reader, logs in self._followed.items():
            for following in logs.values():
                groups.setdefault(following.place, []).append((reader, following))
        if not groups:
            return 0
        async with self.db.reading() as rows:
            news = await list_news(rows, list(groups), limit=PER_SECOND)
        sent = 0
        for (place, members), found in zip(groups.items(), news, strict=True):
            for reader, following in members:
                if self._followed.get(reader, {}).get(following.log.topic) is following and following.place == place:
                    sent += self._advance(reader, following, found)
        self._look_again()
        return sent

    def _look_again(self) -> None:
        """Look soon without a bell: somebody is behind, or an attempt was left for the next one."""
        behind = any(item.behind for logs in self._followed.values() for item in logs.values())
        if behind and (self._later is None or self._later.done()):
            self._later = asyncio.get_running_loop().create_task(self._poke_later(), name="log-pace")

    async def _poke_later(self) -> None:
        await self.clock.sleep(PACE)
        self.poke()

    def stop(self) -> None:
        """End the task that waits for the next look."""
        if self._later is not None:
            self._later.cancel()

    def _advance(self, reader: Reader, following: Following, news: LogNews) -> int:
        """Send one reader what it may be sent of the news, and note how far it is."""
        now = self.clock.now()
        if following.generation is None:
            following.generation, following.after = news.generation or 0, news.head
            following.ended = news.end is not None
            return 0
        gained = (now - following.counted_at).total_seconds() * PER_SECOND
        following.budget, following.counted_at = min(PER_SECOND, following.budget + gained), now
        sent = 0
        for chunk in news.chunks:
            if chunk.stream_seq != following.after + 1 or following.budget < 1:
                break
            if not reader.send_chunk(_chunk_text(following, chunk)):
                break
            following.after, following.gap_since = chunk.stream_seq, None
            following.budget -= 1
            sent += 1
        self.metrics.log_chunks.inc(sent)
        self._settle(reader, following, news, now)
        return sent

    def _settle(self, reader: Reader, following: Following, news: LogNews, now: datetime) -> None:
        """Look at what could not be sent: too far behind, missing, or nothing more to come."""
        rest = next((chunk.stream_seq for chunk in news.chunks if chunk.stream_seq > following.after), None)
        if news.head - following.after > LAG:
            self._jump(reader, following, news.head, "log_lag")
        elif _missing(following, news, rest):
            following.gap_since = following.gap_since or now
            if now - following.gap_since > PATIENCE:
                self.metrics.log_gaps.inc()
                self._jump(reader, following, rest - 1 if rest else news.head, "log_gap")
        else:
            following.gap_since = None
        following.behind = following.after < news.head
        if news.end is not None and not following.behind and not following.ended:
            following.ended = reader.send_chunk(_end_text(following, news.end))
            following.behind = not following.ended
        if news.coming is not None and (following.ended or news.generation is None):
            following.generation, following.after = news.coming, 0
            following.ended, following.gap_since = False, None
            self.poke()

    def _jump(self, reader: Reader, following: Following, to: int, code: str) -> None:
        """Leave a part out; the reader is told, and reads it by REST."""
        reader.send([write_message(Error(following.log.topic, code))])
        following.after, following.gap_since = to, None


def _missing(following: Following, news: LogNews, rest: int | None) -> bool:
    """Say whether the next chunk is not there, although later ones are."""
    if rest is not None:
        return rest != following.after + 1
    return following.after < news.head and len(news.chunks) < PER_SECOND


def _end_text(following: Following, end: StoredEnd) -> bytes:
    topic, generation, at = following.log.topic, following.generation or 0, end.at.isoformat()
    totals = End(end.bytes, end.lines, end.sha256.hex())
    return write_chunk(Chunk(topic, generation, following.after, end.bytes, end.lines, at, totals), b"")


def _chunk_text(following: Following, chunk: StoredChunk) -> bytes:
    topic, generation, at = following.log.topic, following.generation or 0, chunk.at.isoformat()
    return write_chunk(Chunk(topic, generation, chunk.stream_seq, chunk.from_byte, chunk.from_line, at), chunk.chunk)
