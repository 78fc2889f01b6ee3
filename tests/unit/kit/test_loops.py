"""Loops: one duty each, woken, isolated, stopped."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from tests.fakes.clock import FakeClock, settle

from stagewright.kit.db import DatabaseUnavailable, LeaseLost
from stagewright.kit.errors import Unavailable
from stagewright.kit.loops import Loop, Loops
from stagewright.kit.loops.waiting import first_of
from stagewright.kit.metrics import Metrics

SECOND = timedelta(seconds=1)


class Middle(random.Random):
    """Chance that always answers with the middle."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


class Work:
    """A duty that notes when it ran and does what the test says."""

    def __init__(self, clock: FakeClock, *answers: int | Exception) -> None:
        self._clock = clock
        self._answers = list(answers)
        self.ran: list[float] = []
        self.start = clock.now()

    async def __call__(self) -> int:
        self.ran.append((self._clock.now() - self.start).total_seconds())
        answer = self._answers.pop(0) if self._answers else 0
        if isinstance(answer, Exception):
            raise answer
        return answer


class Running:
    """Loops in a task, ended with the test."""

    def __init__(self, *loops: Loop, clock: FakeClock) -> None:
        self.loops = Loops(loops, clock=clock)
        self.stop = asyncio.Event()

    async def __aenter__(self) -> "Running":
        self.task = asyncio.create_task(self.loops.run(self.stop))
        await settle()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop.set()
        async with asyncio.timeout(5):
            await self.task


def a_loop(duty: Work, clock: FakeClock, **changes: object) -> Loop:
    options: dict[str, object] = {"clock": clock, "chance": Middle()} | changes
    return Loop("launch", duty, SECOND, **options)  # type: ignore[arg-type]


async def test_a_duty_runs_at_once_and_then_each_period(clock: FakeClock) -> None:
    work = Work(clock)
    async with Running(a_loop(work, clock), clock=clock):
        await clock.run(3 * SECOND)
    assert work.ran == [0, 1, 2, 3]


async def test_periods_vary_by_a_fifth_at_most(clock: FakeClock) -> None:
    work = Work(clock)
    async with Running(a_loop(work, clock, chance=random.Random(7)), clock=clock):
        await clock.run(60 * SECOND)
    gaps = [later - earlier for earlier, later in zip(work.ran, work.ran[1:], strict=False)]
    assert all(0.8 <= gap <= 1.2 for gap in gaps)
    assert max(gaps) - min(gaps) > 0.1


async def test_a_full_batch_runs_again_at_once(clock: FakeClock) -> None:
    work = Work(clock, 10, 10, 9)
    async with Running(a_loop(work, clock, batch=10), clock=clock):
        await clock.run(SECOND)
    assert work.ran == [0, 0, 0, 1]


async def test_a_poke_runs_it_now(clock: FakeClock) -> None:
    work = Work(clock)
    loop = a_loop(work, clock)
    async with Running(loop, clock=clock) as running:
        await clock.run(SECOND / 2)
        running.loops.poke()
        await settle()
    assert work.ran == [0, 0.5]


async def test_a_poke_during_a_pass_leads_to_one_more(clock: FakeClock) -> None:
    passes = 0

    async def duty() -> int:
        nonlocal passes
        passes += 1
        if passes == 1:
            loop.poke()
            loop.poke()
        return 0

    loop = Loop("x", duty, SECOND, clock=clock)
    async with Running(loop, clock=clock):
        await settle()
    assert passes == 2


async def test_a_failure_is_told_counted_and_followed_by_a_growing_pause(clock: FakeClock) -> None:
    told: list[tuple[str, str]] = []

    async def on_error(name: str, error: Exception) -> None:
        told.append((name, str(error)))

    metrics = Metrics()
    work = Work(clock, RuntimeError("one"), RuntimeError("two"), 0)
    async with Running(a_loop(work, clock, on_error=on_error, metrics=metrics), clock=clock) as running:
        await clock.run(SECOND)
        running.loops.poke()
        await clock.run(7 * SECOND)
    assert work.ran == [0, 2, 6, 7, 8]
    assert told == [("launch", "one"), ("launch", "two")]
    assert b'reconcile_errors_total{loop="launch"} 2.0' in metrics.exposition()[1]


async def test_the_pause_stops_growing_at_a_minute(clock: FakeClock) -> None:
    work = Work(clock, *[RuntimeError() for _ in range(20)])
    async with Running(a_loop(work, clock), clock=clock):
        await clock.run(timedelta(minutes=10))
    assert work.ran[-1] - work.ran[-2] == 60


async def test_not_now_is_no_bug_and_its_time_is_respected(clock: FakeClock) -> None:
    told: list[Exception] = []

    async def on_error(_: str, error: Exception) -> None:
        told.append(error)

    work = Work(clock, Unavailable("busy", retry_after=30 * SECOND), DatabaseUnavailable("gone"))
    async with Running(a_loop(work, clock, on_error=on_error), clock=clock):
        await clock.run(40 * SECOND)
    assert work.ran[:3] == [0, 30, 34]
    assert told == []


async def test_nobody_makes_a_shared_loop_wait_longer_than_a_minute(clock: FakeClock) -> None:
    work = Work(clock, Unavailable("limited", retry_after=3600 * SECOND))
    async with Running(a_loop(work, clock), clock=clock):
        await clock.run(90 * SECOND)
    assert work.ran[:2] == [0, 60]


async def test_one_loop_failing_leaves_the_others_alone(clock: FakeClock) -> None:
    async def on_error(name: str, error: Exception) -> None:
        raise RuntimeError("even the report fails")

    bad, good = Work(clock, *[RuntimeError() for _ in range(9)]), Work(clock)
    loops = [a_loop(bad, clock, on_error=on_error), Loop("good", good, SECOND, clock=clock, chance=Middle())]
    async with Running(*loops, clock=clock):
        await clock.run(3 * SECOND)
    assert good.ran == [0, 1, 2, 3]


async def test_without_the_lease_a_pass_does_nothing(clock: FakeClock) -> None:
    free = [False, True, False]

    @asynccontextmanager
    async def lease() -> AsyncIterator[bool]:
        yield free.pop(0) if free else False

    work = Work(clock)
    loop = a_loop(work, clock, lease=lease)
    async with Running(loop, clock=clock):
        await clock.run(3 * SECOND)
    assert work.ran == [1]
    assert not loop.stalled(clock.now(), work.start)


async def test_a_lost_lease_is_counted(clock: FakeClock) -> None:
    @asynccontextmanager
    async def lease() -> AsyncIterator[bool]:
        yield True
        raise LeaseLost("gone")

    metrics = Metrics()
    async with Running(a_loop(Work(clock), clock, lease=lease, metrics=metrics), clock=clock):
        pass
    assert b'lease_lost_total{loop="launch"} 1.0' in metrics.exposition()[1]


async def test_stopping_lets_the_pass_under_way_end(clock: FakeClock) -> None:
    finished = asyncio.Event()

    async def duty() -> int:
        await clock.sleep(10 * SECOND)
        finished.set()
        return 0

    async with Running(Loop("slow", duty, SECOND, clock=clock), clock=clock) as running:
        running.stop.set()
        await settle()
        assert not running.task.done()
        await clock.run(10 * SECOND)
    assert finished.is_set()


async def test_stopping_cuts_what_does_not_end_in_time(clock: FakeClock) -> None:
    async def duty() -> int:
        await asyncio.Event().wait()
        return 0

    async with Running(Loop("stuck", duty, SECOND, clock=clock), clock=clock) as running:
        running.stop.set()
        await clock.run(20 * SECOND)
        await settle()
        assert running.task.done()


async def test_a_stop_during_the_pause_is_immediate(clock: FakeClock) -> None:
    work = Work(clock)
    async with Running(Loop("daily", work, timedelta(days=1), clock=clock), clock=clock) as running:
        running.stop.set()
        await settle()
        assert running.task.done()


async def test_a_loop_that_stops_running_well_shows_in_readiness(clock: FakeClock) -> None:
    work = Work(clock, 0, *[RuntimeError() for _ in range(99)])
    async with Running(a_loop(work, clock), clock=clock) as running:
        await clock.run(15 * SECOND)
        assert running.loops.stalled() == []
        await clock.run(SECOND)
        assert running.loops.stalled() == ["launch"]


async def test_a_wait_that_fails_is_heard_of() -> None:
    with pytest.raises(ZeroDivisionError):
        await first_of(asyncio.Event().wait(), _fail())


async def _fail() -> None:
    raise ZeroDivisionError


async def test_cancelling_the_group_cancels_the_loops(clock: FakeClock) -> None:
    running = Loops([a_loop(Work(clock), clock)], clock=clock)
    task = asyncio.create_task(running.run(asyncio.Event()))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_names_are_unique(clock: FakeClock) -> None:
    with pytest.raises(ValueError, match="launch"):
        Loops([a_loop(Work(clock), clock), a_loop(Work(clock), clock)])
