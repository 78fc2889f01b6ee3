"""One loop: it runs its duty, waits, and lives on whatever the duty does."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from stagewright.kit import logs
from stagewright.kit.clock import Clock, SystemClock
from stagewright.kit.db import LeaseLost
from stagewright.kit.errors import Unavailable
from stagewright.kit.loops.waiting import first_of
from stagewright.kit.metrics import Metrics

Duty = Callable[[], Awaitable[int]]
Lease = Callable[[], AbstractAsyncContextManager[bool]]
OnError = Callable[[str, Exception], Awaitable[None]]
JITTER = 0.2
LONGEST_BACK_OFF = timedelta(seconds=60)
SHORTEST_ALARM = timedelta(seconds=15)

log = logs.get_logger(__name__)


class Loop:
    """Runs ``duty`` every ``every`` (±20 %), at once when poked, and again at once after a full ``batch``.

    The duty returns how many things it did and must be safe to stop anywhere and to run twice at once. ``lease``
    (for example ``lambda: db.exclusive("watchdog")``) lets one process at a time run it: a pass without the lease does
    nothing. A failure is logged, told to ``on_error`` unless it only means "not now", and followed by a growing pause
    that no poke cuts short.
    """

    def __init__(
        self,
        name: str,
        duty: Duty,
        every: timedelta,
        *,
        batch: int | None = None,
        lease: Lease | None = None,
        clock: Clock | None = None,
        metrics: Metrics | None = None,
        on_error: OnError | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self.name = name
        self.every = every
        self.last_ran: datetime | None = None
        self._duty = duty
        self._batch = batch
        self._lease = lease
        self._clock = clock or SystemClock()
        self._metrics = metrics
        self._on_error = on_error
        self._chance = chance or random.Random()  # noqa: S311 - jitter, not a secret
        self._poked = asyncio.Event()
        self._failures = 0

    def poke(self) -> None:
        """Ask for a pass now; returns at once. Pokes during a pass lead to one more pass."""
        self._poked.set()

    def stalled(self, now: datetime, since: datetime) -> bool:
        """Say whether no pass ended well for three periods (15 s at least), counted from ``since`` before the first."""
        return now - (self.last_ran or since) > max(3 * self.every, SHORTEST_ALARM)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until ``stop`` is set; a pass under way is finished first."""
        while not stop.is_set():
            self._poked.clear()
            pause = await self._pass()
            if stop.is_set():
                break
            waits = [self._clock.sleep(pause), stop.wait()]
            if not self._failures:
                waits.append(self._poked.wait())
            await first_of(*waits)

    async def _pass(self) -> timedelta:
        """Run the duty once and return how long to wait afterwards."""
        started = self._clock.now()
        try:
            done = await self._leased()
        except Unavailable as error:
            self._count_failure()
            if isinstance(error, LeaseLost) and self._metrics is not None:
                self._metrics.lease_lost.labels(self.name).inc()
            log.warning("loop waits", loop=self.name, code=error.stable_code, reason=error.message)
            return self._back_off(error.retry_after)
        except Exception as error:  # the kit's loop wrapper: one duty's bug stops nothing else
            self._count_failure()
            log.error("loop failed", loop=self.name, exc_info=error)
            await self._tell(error)
            return self._back_off(None)
        self._failures = 0
        self.last_ran = self._clock.now()
        if self._metrics is not None:
            self._metrics.reconcile_seconds.labels(self.name).observe((self.last_ran - started).total_seconds())
        if self._batch is not None and done >= self._batch:
            return timedelta(0)
        return self.every * self._chance.uniform(1 - JITTER, 1 + JITTER)

    async def _leased(self) -> int:
        if self._lease is None:
            return await self._duty()
        async with self._lease() as held:
            return await self._duty() if held else 0

    async def _tell(self, error: Exception) -> None:
        if self._on_error is None:
            return
        try:
            await self._on_error(self.name, error)
        except Exception as failure:  # the report of a failure must not become one
            log.error("loop failure could not be reported", loop=self.name, exc_info=failure)

    def _count_failure(self) -> None:
        self._failures += 1
        if self._metrics is not None:
            self._metrics.reconcile_errors.labels(self.name).inc()

    def _back_off(self, asked: timedelta | None) -> timedelta:
        grown = min(LONGEST_BACK_OFF, self.every * int(2 ** min(self._failures, 10)))
        asked = min(asked or timedelta(0), LONGEST_BACK_OFF)  # the loop serves others than who asked for longer, too
        return max(asked, grown * self._chance.uniform(1 - JITTER, 1 + JITTER))
