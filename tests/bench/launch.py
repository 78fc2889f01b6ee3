"""From a queued run to its agent's process: the real worker, control plane, runner and the practice forge."""

import asyncio
import statistics

from tests.e2e.platform import running_platform
from tests.e2e.repository import Repository

RUNS = 10


async def measure(runs: int = RUNS) -> list[str]:
    """Return the lines to print, from so many runs."""
    started, registered, whole = await asyncio.to_thread(_times, runs)
    figures = {
        "queued -> runner registered": registered,
        "queued -> agent started (goal <= 500 ms)": started,
        "queued -> succeeded": whole,
    }
    return [f"{len(started)} runs one after the other, from the journal's times"] + [
        f"{what}: p50 {statistics.median(times):.0f} ms, worst {max(times):.0f} ms" for what, times in figures.items()
    ]


def _times(runs: int) -> tuple[list[float], list[float], list[float]]:
    started: list[float] = []
    registered: list[float] = []
    whole: list[float] = []
    with running_platform(durable=True) as platform:
        repository = platform.repository()
        for number in range(runs):
            issue = repository.start(title=f"Bench {number}")
            run = repository.wait_for_run(issue, "succeeded")
            at = _moments(repository, run["id"])
            registered.append(at["run.started"] - at["run.queued"])
            started.append(at["run.agent.started"] - at["run.queued"])
            whole.append(at["run.succeeded"] - at["run.queued"])
    return started, registered, whole


def _moments(repository: Repository, run_id: object) -> dict[str, float]:
    rows = repository.platform.rows(
        "select kind, 1000 * extract(epoch from min(at))::float8 as ms from journal where stream = %(s)s group by kind",
        s=f"run:{run_id}",
    )
    return {row["kind"]: row["ms"] for row in rows}
