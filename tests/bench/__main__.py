"""``make bench``: print the figures of every bench, or of those named on the command line."""

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

from tests.bench import cli_startup, feed, ingest, journal, launch

BENCHES: dict[str, Callable[[], Coroutine[Any, Any, list[str]]]] = {
    "ingest": ingest.measure,
    "journal": journal.measure,
    "feed": feed.measure,
    "launch": launch.measure,
    "cli": cli_startup.measure,
}


def main(names: list[str]) -> int:
    """Run the named benches one after the other."""
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
