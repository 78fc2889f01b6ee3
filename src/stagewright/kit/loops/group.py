"""Many loops in one process, stopped together."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from stagewright.kit.clock import Clock, SystemClock
from stagewright.kit.loops.loop import Loop
from stagewright.kit.loops.waiting import first_of

GRACE = timedelta(seconds=20)


class Loops:
    """Runs loops side by side until a stop event; passes under way get ``grace`` to end, then they are cancelled."""

    def __init__(self, loops: Iterable[Loop], *, clock: Clock | None = None, grace: timedelta = GRACE) -> None:
        self.loops = tuple(loops)
        self._clock = clock or SystemClock()
        self._grace = grace
        self._started: datetime = self._clock.now()
        names = [loop.name for loop in self.loops]
        if len(set(names)) != len(names):
            raise ValueError(f"two loops have one name: {', '.join(sorted(names))}")

    def poke(self) -> None:
        """Wake all loops: something happened."""
        for loop in self.loops:
            loop.poke()

    def stalled(self) -> list[str]:
        """Return the names of the loops that have not run well for three periods, for readiness."""
        now = self._clock.now()
        return [loop.name for loop in self.loops if loop.stalled(now, self._started)]

    async def run(self, stop: asyncio.Event) -> None:
        """Run all loops until ``stop`` is set and they have ended."""
        self._started = self._clock.now()
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(loop.run(stop), name=f"loop:{loop.name}") for loop in self.loops]
            await stop.wait()
            if running:
                await first_of(asyncio.wait(running), self._clock.sleep(self._grace))
            for task in running:
                task.cancel()
