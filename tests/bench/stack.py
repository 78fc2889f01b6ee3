"""What a plan costs: a stack of 200 services and 600 manifests, beside ``CSafeLoader`` merely parsing the same files.

The goals (``stack.md`` section 18): at most 1.5 s cold, 300 MB, 8 times the parse, growth near-linear from 50 to 800
services, and 150 ms for a stack of 20. Every figure is CPU time, the best of a few processes; imports do not count.
"""

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from stagewright.contexts.deploys.api import ParseCache
from stagewright.processes.cli.stacks.reading import ask, make_request, open_stack
from tests.bench.stack_files import make_stack

SECONDS_GOAL, MEMORY_GOAL_MB, RATIO_GOAL, SMALL_GOAL_MS = 1.5, 300, 8.0, 150
SIZES = (50, 200, 800)
SMALL, LARGE = 20, 200
TRIES = 3
DEADLINE = 120


@dataclass(frozen=True)
class Figures:
    """Of one process: seconds of the first plan, of a second with the parsed files kept, and megabytes at the most."""

    cold: float
    warm: float
    megabytes: float


async def measure(sizes: tuple[int, ...] = SIZES, tries: int = TRIES) -> list[str]:
    """Return the lines to print."""
    return await asyncio.to_thread(_lines, sizes, tries)


def _lines(sizes: tuple[int, ...], tries: int) -> list[str]:
    found = {size: measured(size, tries) for size in sorted({SMALL, *sizes})}
    lines = []
    for size in sizes:
        parse, plan = found[size]
        ratio = plan.cold / parse.cold
        lines.append(
            f"{size} services, {3 * size} manifests: plan {plan.cold:.2f} s cold, {plan.warm:.2f} s warm, "
            f"{plan.megabytes:.0f} MB; parsing alone {parse.cold:.2f} s, ratio {ratio:.1f}"
        )
    lines.append(
        f"goals at {LARGE}: {SECONDS_GOAL} s, {MEMORY_GOAL_MB} MB, ratio {RATIO_GOAL:g}; "
        f"{SMALL} services: {found[SMALL][1].cold * 1000:.0f} ms (goal {SMALL_GOAL_MS})"
    )
    first, last = min(sizes), max(sizes)
    growth = (found[last][1].cold / found[first][1].cold) / (last / first)
    lines.append(f"from {first} to {last} services a service costs {growth:.2f} times as much")
    return lines


def measured(services: int, tries: int = TRIES) -> tuple[Figures, Figures]:
    """Return the figures of parsing and of planning a stack of so many services, the best of ``tries`` turns."""
    with tempfile.TemporaryDirectory() as name:
        make_stack(Path(name), services)
        turns = [(_in_process("parse", name), _in_process("plan", name)) for _ in range(tries)]
    return min((turn[0] for turn in turns), key=_cold), min((turn[1] for turn in turns), key=_cold)


def _cold(found: Figures) -> float:
    return found.cold


def _in_process(what: str, folder: str) -> Figures:
    line = [sys.executable, "-m", "tests.bench.stack", what, folder]
    done = subprocess.run(line, check=True, capture_output=True, text=True, timeout=DEADLINE)
    return Figures(**json.loads(done.stdout))


def parse(folder: Path) -> None:
    """Parse every YAML file, and nothing else."""
    for path in sorted(folder.rglob("*.yaml")):
        list(yaml.load_all(path.read_bytes(), Loader=yaml.CSafeLoader))


def planner(folder: Path) -> Callable[[], None]:
    """Return what plans the stack in ``folder`` for production, at first and then with the parsed files kept."""
    request = make_request(open_stack(str(folder)), environment="live")
    cache = ParseCache()

    def plan() -> None:
        outcome = ask("plan_stack", request, cache)
        if outcome.plan is None or outcome.failed:
            raise RuntimeError("\n".join(f"{item.where}: {item.message}" for item in outcome.diagnostics[:5]))

    return plan


def _timed(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def main(what: str, folder: str) -> None:
    """Measure in this process and print the figures."""
    work = planner(Path(folder)) if what == "plan" else lambda: parse(Path(folder))
    cold, warm = _timed(work), _timed(work)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"cold": cold, "warm": warm, "megabytes": megabytes}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
