"""From a commit to the paint in a real browser: a list of 200 runs, single events, then 200 a second; and the load.

``python -m tests.bench.console`` prints the figures, beside the load of the machine; `make console-bench` runs it.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from tools import chromium, npm

from stagewright.contexts.identity.model import LoginMethod, Origin
from stagewright.contexts.identity.store import insert_user
from stagewright.contexts.identity.usecases.sessions import begin_session
from stagewright.contexts.runs import api as runs
from stagewright.contexts.runs.events import ProfileResolved
from stagewright.kit.clock import SystemClock
from stagewright.kit.ids import uuid7
from tests import factories
from tests.bench.stage import Stage, free_port, prepared

ROWS = 200
RATE = 200.0
SECONDS = 15.0
SINGLES = 20
PATIENCE = 60.0
CLOCK = SystemClock()
Report = dict[str, Any]


async def measure() -> list[str]:
    """Return the lines to print."""
    if chromium.find() is None:
        return [f"not measured: {chromium.REMEDY}"]
    async with prepared() as stage:
        rows, cookie = await _scenery(stage)
        url = f"http://127.0.0.1:{free_port()}"
        environ = {"STAGEWRIGHT_LISTEN": url.removeprefix("http://"), "STAGEWRIGHT_PUBLIC_URL": url}
        with stage.process(["-m", "stagewright.processes.gateway"], f"{url}/readyz", environ):
            async with _browser(stage, url, cookie) as ask:
                load = await ask("load")
                await ask("list")
                single = await _painted(stage, ask, rows, SINGLES, 2.0, first=1)
                many = await _painted(stage, ask, rows, int(RATE * SECONDS), RATE, first=10_000)
    sent = f"{load['js'] / 1000:.0f} KB of scripts and {load['css'] / 1000:.0f} KB of styles as sent"
    counts = f"{many['written']} written, {len(many['waits'])} painted, the others by a newer version of their row"
    return [
        f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
        f"first load: {sent}, {load['fonts']} fonts; painted after {load['lcp']:.0f} ms",
        f"single events on an idle list of {ROWS} runs, commit to paint: {_quantiles(single)}",
        f"{RATE:.0f} events a second round robin on {ROWS} rows, commit to paint: {_quantiles(many)}",
        f"{many['cpu']:.2f} ms of the page's CPU per event; {counts}",
    ]


def _quantiles(report: Report) -> str:
    ordered = sorted(report["waits"])
    if not ordered:
        return "nothing was painted"
    at = {share: ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.95, 0.99)}
    return f"p50 {at[0.5]:.0f} ms, p95 {at[0.95]:.0f} ms, p99 {at[0.99]:.0f} ms"


async def _scenery(stage: Stage) -> tuple[list[runs.Run], str]:
    now, made = CLOCK.now(), []
    async with stage.db.transaction() as tx:
        for number in range(1, ROWS + 1):
            made.append(
                await runs.request_run(
                    tx, factories.a_run_request(stage.repository, now=now, issue_number=number), clock=CLOCK
                )
            )
        user = await insert_user(
            tx, user_id=uuid7(), email="eye@example.test", name="Eye", locale="en", role="admin", now=now
        )
        assert user is not None
        origin, longest = Origin("127.0.0.0/24", "bench"), stage.settings.session_max
        begun = await begin_session(tx, user, method=LoginMethod.LOCAL, origin=origin, now=now, longest=longest)
    return made, begun.text


async def _painted(stage: Stage, ask: Any, rows: Sequence[runs.Run], count: int, rate: float, *, first: int) -> Report:
    """Commit versions round robin; each names itself in a cell, and the page notes when it painted which."""
    await ask("begin")
    committed, began = dict[str, float](), time.monotonic()
    for number in range(count):
        pause = began + number / rate - time.monotonic()
        if pause > 0:
            await asyncio.sleep(pause)
        version, row = first + number, rows[number % len(rows)]
        async with stage.db.transaction() as tx:
            shown = replace(row, model=f"m{version}", version=row.version + version)
            tx.publish(ProfileResolved(run=shown, wait=None, link=None))
        committed[str(version)] = 1000 * time.time()
    await asyncio.sleep(1.5)
    seen: Report = await ask("end")
    waits = [at - committed[name] for name, at in seen["painted"].items() if name in committed]
    return {"waits": waits, "written": count, "cpu": seen["cpu"] / count}


@asynccontextmanager
async def _browser(stage: Stage, url: str, cookie: str) -> AsyncIterator[Any]:
    """Run the page's side (console/bench/events.mjs) for the block: one word in, one JSON line out."""
    environ = npm.environment({**os.environ, "CONSOLE_CHROMIUM": str(chromium.find()), "BENCH_COOKIE": cookie})
    child = await asyncio.create_subprocess_exec(
        *(str(npm.home() / "bin" / "node"), "bench/events.mjs", url),
        cwd=npm.CONSOLE,
        env=environ,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=16 * 1024 * 1024,
    )

    async def ask(word: str) -> Report:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(f"{word}\n".encode())
        line = await asyncio.wait_for(child.stdout.readline(), PATIENCE)
        if not line:
            raise RuntimeError(f"the browser ended at {word!r}")
        answer: Report = json.loads(line)
        return answer

    try:
        yield ask
    finally:
        assert child.stdin is not None
        child.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(child.wait(), 20)
        if child.returncode is None:
            child.kill()
            await child.wait()


def main() -> int:
    """Print the figures."""
    for line in asyncio.run(measure()):
        print(f"  {line}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
