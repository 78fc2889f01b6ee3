"""The realtime feed: 1,000 sockets on one gateway, and a storm of 10⁵ events over three; BENCH_EVENTS=1000000 for 10⁶.

The storm is bound by the cores it shares with its own sockets and gateways, not by its pace: about 900 events a second
on two, two minutes for 10⁵. It gives up at SLOWEST.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stagewright.contexts.identity import api as identity
from stagewright.contexts.identity.store import insert_user
from stagewright.contexts.projects import api as projects
from stagewright.contexts.projects.events import ProjectChangedEvent
from stagewright.kit.clock import SystemClock
from stagewright.kit.ids import uuid7
from tests.bench.stage import Stage, free_port, prepared
from tests.storm import Size, blow

SOCKETS = 1000
PER_PERSON = 20
ROWS = 200
RATE = 200.0
SECONDS = 10.0
SINGLES = 20
EVENTS = int(os.environ.get("BENCH_EVENTS", "100000"))
ROLLED_BACK = 0.06  # of what is written: a little more than the storm rolls back on purpose
SLOWEST = 150.0  # events a second
Report = dict[str, Any]


async def measure() -> list[str]:
    """Return the lines to print."""
    async with prepared() as stage:
        lines = (await many_sockets(stage)).lines
    async with prepared() as stage:
        return lines + await _storm(stage)


async def _storm(stage: Stage) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        size = Size(
            events=int(EVENTS / (1 - ROLLED_BACK)),
            sockets=200,
            rate=2000.0,
            runs=40,
            projects=20,
            stay=15.0,
            within=EVENTS / SLOWEST,
        )
        outcome = await blow(stage.postgres.dsn, Path(folder), size)
    verdict = "; ".join(outcome.problems[:3]) or "each socket saw exactly what was committed"
    if outcome.committed < EVENTS:
        verdict = f"stopped before {EVENTS} after {size.within:.0f} s of writing; {verdict}"
    committed = f"{outcome.committed} events committed, {size.events} written, in {outcome.seconds:.0f} s"
    counts = f"{outcome.connects} connects, {outcome.resyncs} resyncs"
    return [f"storm: {committed}, 200 sockets, 3 gateways, {counts}: {verdict}"]


@dataclass(frozen=True, slots=True)
class Load:
    """What many sockets showed: the lines to print, and how many sockets of the sample lack how many versions."""

    lines: list[str]
    silent: int
    resyncs: int
    sampled: int
    missed: int


async def many_sockets(stage: Stage, *, seconds: float = SECONDS) -> Load:
    """Open the sockets, and write first single events, then so many a second for ``seconds``."""
    rows, tokens = await _scenery(stage)
    port = free_port()
    names = stage.data / "tokens"
    names.write_text("\n".join(tokens))
    address = f"127.0.0.1:{port}"
    url = f"http://{address}"
    with stage.process(
        ["-m", "stagewright.processes.gateway"],
        f"{url}/readyz",
        {"STAGEWRIGHT_LISTEN": address, "STAGEWRIGHT_PUBLIC_URL": url},
    ) as pid:
        before = _memory(pid)
        async with _clients(stage, url, names) as ask:
            each = (_memory(pid) - before) / SOCKETS
            await _write(stage, rows, SINGLES, 2.0)
            await asyncio.sleep(1)
            single = await ask()
            cpu, began = _cpu(pid), time.monotonic()
            written = await _write(stage, rows, int(RATE * seconds), RATE)
            took = time.monotonic() - began
            await asyncio.sleep(2)
            busy = _cpu(pid) - cpu
            many = await _settled(ask, written)
            grown = (_memory(pid) - before) / SOCKETS
    events = int(RATE * seconds)
    got = [after - early for after, early in zip(many["frames"], single["frames"], strict=True)]
    share = f"{sum(got)} frames, {min(got)} to {max(got)} per socket, {many['resyncs']} resyncs"
    lines = [
        f"{SOCKETS} sockets on one gateway: {each / 1024:.0f} KiB each when idle, {grown / 1024:.0f} KiB after",
        f"single events on an idle list, commit to frame: {_quantiles(single)}",
        f"{events} events in {took:.1f} s round robin on {ROWS} rows, commit to frame: {_quantiles(many)}",
        f"{share}; {1000 * busy / events:.1f} ms of the gateway's CPU per event",
    ]
    return Load(lines, got.count(0), many["resyncs"], len(many["newest"]), _missed(many, written))


async def _settled(ask: Callable[[], Awaitable[Report]], written: Mapping[str, int]) -> Report:
    """Ask until nothing is missing any more, for half a minute at most; latencies are of all the time."""
    found, latencies = await ask(), list[float]()
    for _ in range(30):
        latencies += found["latencies"]
        if not _missed(found, written):
            break
        await asyncio.sleep(1)
        found = await ask()
    return found | {"latencies": latencies}


def _missed(report: Report, written: Mapping[str, int]) -> int:
    """Return how many newest versions the sampled sockets lack."""
    return sum(newest.get(key) != version for newest in report["newest"] for key, version in written.items())


def _quantiles(report: Report) -> str:
    ordered = sorted(report["latencies"])
    at = {share: 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in (0.5, 0.95, 0.99)}
    return f"p50 {at[0.5]:.0f} ms, p95 {at[0.95]:.0f} ms, p99 {at[0.99]:.0f} ms"


async def _scenery(stage: Stage) -> tuple[list[projects.Project], list[str]]:
    now = SystemClock().now()
    rows, tokens = [], []
    async with stage.db.transaction() as tx:
        for number in range(ROWS):
            rows.append(
                await projects.create_project(tx, key=f"row{number}", name=f"Row {number}", locale="en", now=now)
            )
        for number in range(SOCKETS // PER_PERSON):
            name = f"s{number}@example.test"
            user = await insert_user(tx, user_id=uuid7(), email=name, name=name, locale="en", role="admin", now=now)
            assert user is not None
            tokens.append((await identity.create_token(tx, user, name="bench", scopes=["read"], now=now)).text)
    return rows, tokens


async def _write(stage: Stage, rows: Sequence[projects.Project], count: int, rate: float) -> dict[str, int]:
    """Commit one version after the other, round robin; return the last of each row."""
    last: dict[str, int] = {}
    began, first = time.monotonic(), int(time.time())  # later calls have greater versions
    for number in range(count):
        pause = began + number / rate - time.monotonic()
        if pause > 0:
            await asyncio.sleep(pause)
        row = rows[number % len(rows)]
        async with stage.db.transaction() as tx:
            tx.publish(ProjectChangedEvent(project=replace(row, version=first + number)))
        last[str(row.id)] = first + number
    return last


@asynccontextmanager
async def _clients(stage: Stage, url: str, tokens: Path) -> AsyncIterator[Any]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.bench.feed_clients", url, str(tokens), str(SOCKETS)),
        env=stage.environ | {"PYTHONPATH": os.pathsep.join(("src", "."))},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=64 * 1024 * 1024,
    )
    assert child.stdin is not None
    assert child.stdout is not None

    async def ask() -> Report:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b"report\n")
        found: Report = json.loads(await asyncio.wait_for(child.stdout.readline(), 60))
        return found

    try:
        said = await asyncio.wait_for(child.stdout.readline(), 180)
        if said.strip() != b"ready":
            raise RuntimeError("the sockets did not open")
        yield ask
    finally:
        child.stdin.close()
        await asyncio.wait_for(child.wait(), 30)


def _memory(pid: int) -> int:
    """Return the process's resident bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def _cpu(pid: int) -> float:
    """Return the seconds of CPU the process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
