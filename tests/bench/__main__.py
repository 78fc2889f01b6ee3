"""``make bench``: print the figures of every bench, or of those named on the command line."""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

from tests.bench import cli_startup, decide, feed, histories, ingest, journal, launch, stack

BENCHES: dict[str, Callable[[], Coroutine[Any, Any, list[str]]]] = {
    "ingest": ingest.measure,
    "journal": journal.measure,
    "feed": feed.measure,
    "launch": launch.measure,
    "cli": cli_startup.measure,
    "decide": decide.measure,
    "histories": histories.measure,
    "stack": stack.measure,
}


def main(names: list[str]) -> int:
    """Run the named benches one after the other."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        epilog="BENCH_EVENTS=1000000 lets the storm of `feed` write 10⁶ events instead of 10⁵ (about twenty minutes);"
        " BENCH_HISTORIES says how many seeds `histories` lives (2000).",
    )
    parser.add_argument("names", nargs="*", metavar="bench", help=f"{', '.join(BENCHES)}; all when none is named")
    names = parser.parse_args(names).names
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"no bench {', '.join(unknown)}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    for name in names or list(BENCHES):
        began = time.monotonic()
        print(f"\n{name}", flush=True)
        for line in asyncio.run(BENCHES[name]()):
            print(f"  {line}", flush=True)
        print(f"  ({time.monotonic() - began:.0f} s)", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
