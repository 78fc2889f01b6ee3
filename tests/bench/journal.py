"""The journal: 50 readers at 500 events a second; how long after the commit each reader has the row, and none lost."""

import asyncio
import json
import os
import sys
import time
from dataclasses import dataclass, field

from stagewright.kit import journal
from stagewright.kit.db import Database
from stagewright.kit.loops import BellListener
from tests.bench.stage import Stage, prepared

READERS = 50
RATE = 500.0
SECONDS = 6.0


@dataclass
class Seen:
    """What one reader got: (sequence number, correlation id, monotonic time)."""

    rows: list[tuple[int, str, float]] = field(default_factory=list)


async def measure() -> list[str]:
    """Return the lines to print."""
    async with prepared() as stage:
        return await _measure(stage)


async def _measure(stage: Stage) -> list[str]:
    readers = [Seen() for _ in range(READERS)]
    ring, done = Ring(), asyncio.Event()
    async with Database.open(stage.postgres.dsn, max_size=12) as db:
        listener = asyncio.create_task(BellListener(stage.postgres.dsn, ring.ring).run(done))
        async with db.reading() as reader:
            start = await journal.present(reader.connection)
        tasks = [asyncio.create_task(_read(db, start, seen, ring, done)) for seen in readers]
        committed = await _write(stage)
        await asyncio.sleep(1.0)
        done.set()
        ring.ring()
        await asyncio.gather(*tasks, listener)
    lags = sorted(max(0.0, at - committed[name]) for seen in readers for _, name, at in seen.rows)
    complete = sum(1 for seen in readers if len({row[0] for row in seen.rows}) == len(committed) == len(seen.rows))
    return [
        f"{len(committed)} events at {RATE:.0f}/s to {READERS} readers: {complete} got every event exactly once",
        f"lag p50 {1000 * lags[len(lags) // 2]:.0f} ms, p99 {1000 * lags[int(len(lags) * 0.99)]:.0f} ms",
    ]


class Ring:
    """Wakes every reader at a bell."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake those that wait now."""
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self) -> None:
        """Wait for the next bell, at most 2 s."""
        try:
            async with asyncio.timeout(2.0):
                await self._event.wait()
        except TimeoutError:
            return


async def _write(stage: Stage) -> dict[str, float]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.bench.journal_writer", stage.postgres.dsn, str(stage.repository.project_id)),
        *(str(int(RATE * SECONDS)), str(RATE)),
        env=stage.environ | {"PYTHONPATH": os.pathsep.join(("src", "."))},
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await asyncio.wait_for(child.communicate(), timeout=SECONDS * 10)
    committed: dict[str, float] = json.loads(printed)
    return committed


async def _read(db: Database, cursor: str, seen: Seen, ring: Ring, done: asyncio.Event) -> None:
    place = journal.Place(cursor)
    while True:
        last = done.is_set()
        waiting = asyncio.create_task(ring.wait())
        page = await db.read_journal(place)
        place, now = page.next, time.monotonic()
        seen.rows += [(entry.seq, entry.correlation_id, now) for entry in page.entries]
        if last and page.complete:
            waiting.cancel()
            return
        await waiting
