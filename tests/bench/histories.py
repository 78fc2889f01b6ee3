"""WF7 at length: histories by the thousand, told with every loss, in as many processes as there are cores."""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from typing import Any

SEEDS = int(os.environ.get("BENCH_HISTORIES", "2000"))
SECONDS = 1500.0


async def measure(seeds: int = SEEDS, seconds: float = SECONDS) -> list[str]:
    """Return the lines to print; no history begins after ``seconds``."""
    cores = max(1, min(4, os.cpu_count() or 1))
    share = -(-seeds // cores)
    began = time.monotonic()
    told = await asyncio.gather(*(_live(number * share, share, seconds) for number in range(cores)))
    took = time.monotonic() - began
    total: Counter[str] = Counter()
    for tally in told:
        total.update({key: value for key, value in tally.items() if isinstance(value, int)})
    failed = [seed for tally in told for seed in tally["failed"]]
    lived = total["seeds"] + len(failed)
    named = f": {' '.join(map(str, failed[:20]))}" if failed else ""
    dropped, doubled = total["dropped"] / total["webhooks"], total["doubled"] / total["webhooks"]
    by_scan = total["found_by_scan"] / max(1, total["runs"])
    ends = f"{total['seeds']} end in the same runs, {len(failed)} do not{named}"
    losses = f"{dropped:.0%} dropped, {doubled:.0%} doubled, all shuffled"
    faults = f"{total['crashes']} crashes of workers, {total['unanswered']} reads without an answer"
    return [
        f"{lived} histories of {seeds} asked for, {total['acts']} acts: {ends}",
        f"of {total['webhooks']} webhooks {losses}; {faults}",
        f"of {total['runs']} runs {by_scan:.0%} were found by the scan alone",
        f"{lived / took:.1f} histories a second in {cores} processes",
    ]


async def _live(first: int, count: int, seconds: float) -> dict[str, Any]:
    """Let a process live a row of histories; what differs goes to standard error."""
    asked = ("--first", str(first), "--count", str(count), "--seconds", str(seconds))
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.history", *asked, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await child.communicate()
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found
