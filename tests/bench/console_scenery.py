"""What the console's benches look at: a list of 200 runs, logs in the platform's own store, and who changes them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from stagewright.contexts.identity.model import LoginMethod, Origin
from stagewright.contexts.identity.store import insert_user
from stagewright.contexts.identity.usecases.sessions import begin_session
from stagewright.contexts.runs import api as runs
from stagewright.contexts.runs.events import ProfileResolved
from stagewright.contexts.runs.model import Attempt, AttemptId
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import logs as log_rows
from stagewright.contexts.runs.usecases.moves import end_attempt
from stagewright.kit.clock import SystemClock
from stagewright.kit.ids import uuid7
from tests import factories
from tests.bench.stage import Stage

ROWS: Final = 200
PAGE: Final = 20_000
TAILS: Final = 10.0
CLOCK = SystemClock()
Wish = dict[str, Any]
LEVELS = ("\x1b[32minfo\x1b[0m ", "\x1b[33mwarn\x1b[0m ", "\x1b[2mdebug\x1b[0m", "info ")
WORDS = (
    "resolved dependency tree of the workspace in 418 ms, nothing to change, cache key 5f2c91aa7be04d3e88c1",
    "проверка миграций: схема совпадает с ожидаемой, блокировок нет, продолжаю",
    "GET /api/v1/projects/7f0e/environments?limit=50 200 in 12.4 ms, 18 rows, request 0192f7c4-88aa-7b31",
    "compiled src/contexts/runs/usecases/attempts.py (214 lines), 3 warnings, wrote .cache/a91e02f7.bin",
)


@dataclass
class Scenery:
    """An installation somebody is signed in to by ``cookie``."""

    stage: Stage
    rows: list[runs.Run]
    cookie: str
    logs: dict[str, Wish] = field(default_factory=dict)
    live: Attempt | None = None
    _version: int = 0

    async def answer(self, word: str, wish: Wish) -> Wish:
        """Do what a script asks for."""
        words: dict[str, Callable[[Wish], Awaitable[Wish]]] = {
            "paint": self.paint,
            "log": self.log,
            "tail": self.tail,
            "lines": self.lines,
        }
        return await words[word](wish)

    async def paint(self, wish: Wish) -> Wish:
        """Commit ``count`` versions round robin, ``rate`` a second; say when each was committed, in milliseconds.

        Each names itself in a cell, so that the page can note when it painted which.
        """
        committed, began = dict[str, float](), time.monotonic()
        for number in range(int(wish["count"])):
            await _until(began + number / wish["rate"])
            self._version += 1
            row = self.rows[number % len(self.rows)]
            shown = replace(row, model=f"m{self._version}", version=row.version + self._version)
            async with self.stage.db.transaction() as tx:
                tx.publish(ProfileResolved(run=shown, wait=None, link=None))
            committed[str(self._version)] = 1000 * time.time()
        return {"committed": committed}

    async def log(self, wish: Wish) -> Wish:
        """Store the finished log of a run: ``kind`` ``long`` as agents write them, ``short`` only counts."""
        kind, count = str(wish["kind"]), int(wish["lines"])
        if kind not in self.logs:
            run, attempt = await self._attempt()
            for first in range(1, count + 1, PAGE):
                page = range(first, min(first + PAGE, count + 1))
                await self._append(attempt, "".join(_long(page) if kind == "long" else _short(page)).encode())
            async with self.stage.db.transaction() as tx:
                await end_attempt(tx, run, attempt, now=CLOCK.now())
                await runs.cancel_run(tx, run.id, cause="bench", clock=CLOCK)
            async with self.stage.db.reading() as reader:
                position = (await log_rows.positions(reader, attempt.id))["engine"]
            self.logs[kind] = {"path": _path(run), "lines": position.lines, "bytes": position.bytes}
        return self.logs[kind]

    async def tail(self, _: Wish) -> Wish:
        """Begin the log of a run that is being worked on."""
        run, self.live = await self._attempt()
        await self._append(self.live, b"begun\n")
        return {"path": _path(run), "lines": 1}

    async def lines(self, wish: Wish) -> Wish:
        """Write ``count`` lines to the log begun last, ``rate`` a second, in ten pieces a second as a runner does."""
        assert self.live is not None, "ask for the tail first"
        began, count, rate = time.monotonic(), int(wish["count"]), float(wish["rate"])
        each = max(1, int(rate / TAILS))
        for first in range(1, count + 1, each):
            await _until(began + first / rate)
            page = range(first, min(first + each, count + 1))
            await self._append(self.live, "".join(_long(page)).encode())
            self.stage.db.ring()
        return {"seconds": time.monotonic() - began}

    async def _append(self, attempt: Attempt, data: bytes) -> None:
        async with self.stage.db.transaction() as tx:
            await log_rows.append(tx, attempt.id, [("engine", CLOCK.now(), data)])

    async def _attempt(self) -> tuple[runs.Run, Attempt]:
        now = CLOCK.now()
        issue = ROWS + len(self.logs) + 1000 * (self.live is not None) + 1
        async with self.stage.db.transaction() as tx:
            request = factories.a_run_request(self.stage.repository, now=now, issue_number=issue)
            run = await runs.request_run(tx, request, clock=CLOCK)
            values: Wish = {"id": AttemptId(uuid7()), "run_id": run.id, "generation": 1, "reason": "first"}
            values |= {"workload_name": f"bench-{issue}", "workload_kind": "local", "restored_session_id": None}
            return run, await attempt_rows.insert(tx, values | {"deadline": now + timedelta(hours=1), "now": now})


async def built(stage: Stage) -> Scenery:
    """Fill the list, and sign somebody in."""
    now, made = CLOCK.now(), []
    async with stage.db.transaction() as tx:
        for number in range(1, ROWS + 1):
            request = factories.a_run_request(stage.repository, now=now, issue_number=number)
            made.append(await runs.request_run(tx, request, clock=CLOCK))
        user = await insert_user(
            tx, user_id=uuid7(), email="eye@example.test", name="Eye", locale="en", role="admin", now=now
        )
        assert user is not None
        origin, longest = Origin("127.0.0.0/24", "bench"), stage.settings.session_max
        begun = await begin_session(tx, user, method=LoginMethod.LOCAL, origin=origin, now=now, longest=longest)
    return Scenery(stage, made, begun.text)


def _path(run: runs.Run) -> str:
    return f"/runs/{run.id}/logs/engine"


def _short(numbers: range) -> Iterator[str]:
    return (f"count {number}\n" for number in numbers)


def _long(numbers: range) -> Iterator[str]:
    """Yield lines as agents and their tools write them: colours, Cyrillic, about 170 bytes; every one names itself."""
    for number in numbers:
        level, words = LEVELS[number % len(LEVELS)], WORDS[number // 3 % len(WORDS)]
        at = f"2026-01-05T10:{number // 60 % 60:02}:{number % 60:02}.{number % 1000:03}Z"
        yield f"{at} {level} worker-{number % 8} step {number}: {words}\n"


async def _until(moment: float) -> None:
    pause = moment - time.monotonic()
    if pause > 0:
        await asyncio.sleep(pause)
