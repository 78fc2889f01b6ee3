"""A clock that stands still until a test moves it."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
REAL_LIMIT = 5.0


class FakeClock:
    """Satisfies ``kit.clock.Clock``: ``sleep`` waits until ``advance`` or ``run`` has passed its end."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._order = itertools.count()
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._slept = asyncio.Event()

    def now(self) -> datetime:
        """Return the present of this clock."""
        return self._now

    async def sleep(self, duration: timedelta) -> None:
        """Wait until the clock was moved by ``duration``; zero and negative durations only let others run."""
        if duration <= timedelta(0):
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + duration, next(self._order), future))
        self._slept.set()
        await future

    @property
    def sleeping(self) -> int:
        """Return how many sleepers wait now."""
        return sum(1 for _, _, future in self._sleepers if not future.done())

    def advance(self, duration: timedelta) -> None:
        """Move the present at once and wake everyone whose time has come, in the order of their ends."""
        self._now += duration
        while self._sleepers and self._sleepers[0][0] <= self._now:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)

    async def run(self, duration: timedelta) -> None:
        """Move the present from sleeper to sleeper, letting each act before the next one wakes."""
        end = self._now + duration
        while True:
            await settle()
            self._sleepers = [item for item in self._sleepers if not item[2].done()]
            heapq.heapify(self._sleepers)
            if not self._sleepers or self._sleepers[0][0] > end:
                break
            self.advance(self._sleepers[0][0] - self._now)
        self.advance(end - self._now)
        await settle()

    async def until(self, holds: Callable[[], bool], step: timedelta = timedelta(seconds=1)) -> None:
        """Let time pass by ``step`` until ``holds``; fail after 10 real seconds.

        For duties that ask a database between two sleeps: ``run`` alone would pass over those that are not asleep yet.
        """
        async with asyncio.timeout(2 * REAL_LIMIT):
            while not holds():
                await self.run(step)
                await asyncio.sleep(0.01)  # lets the database answer

    async def wait_for_sleepers(self, count: int = 1) -> None:
        """Return when at least ``count`` sleepers wait; fail after 5 real seconds."""
        async with asyncio.timeout(REAL_LIMIT):
            while self.sleeping < count:
                self._slept.clear()
                await self._slept.wait()


async def settle(turns: int = 20) -> None:
    """Let tasks that need no I/O run until they wait again."""
    for _ in range(turns):
        await asyncio.sleep(0)
