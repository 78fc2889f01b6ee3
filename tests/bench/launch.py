"""From a queued run to its agent's process: the real worker, control plane, runner and the practice forge."""

import statistics

from tests.e2e.platform import launch_times

RUNS = 12


async def measure() -> list[str]:
    """Return the lines to print."""
    times = await launch_times(RUNS)
    return [
        f"{len(times)} runs one after the other: queued -> agent started p50 {statistics.median(times):.0f} ms "
        f"(goal <= 500), worst {max(times):.0f} ms"
    ]
