"""``python -m tests.history 17 18``: live the histories of these seeds; ``--first``, ``--count``: of a row of them."""

import argparse
import asyncio
import json
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import psycopg
import structlog
import uvloop

from stagewright.kit.db import Database
from stagewright.kit.migrate import migrate
from stagewright.kit.postgres import EmbeddedPostgres
from tests.fakes.clock import FakeClock
from tests.history.proving import Prover, Tally

FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


def main() -> int:
    """Print what differs, and at the end one line of JSON: the tally."""
    parser = argparse.ArgumentParser(prog="python -m tests.history", description=__doc__)
    parser.add_argument("seeds", nargs="*", type=int)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=600.0, help="begin no history after so long")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    seeds = [*asked.seeds, *range(asked.first, asked.first + asked.count)]
    folder = Path(tempfile.mkdtemp(prefix="stagewright-history-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres.start_or_adopt(folder, options=FAST)
    try:
        tally = asyncio.Runner(loop_factory=uvloop.new_event_loop).run(
            _live(server, seeds, time.monotonic() + asked.seconds)
        )
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(asdict(tally)), flush=True)
    return 1 if tally.failed else 0


async def _live(server: EmbeddedPostgres, seeds: Iterable[int], until: float) -> Tally:
    with psycopg.connect(server.dsn_for("postgres"), autocommit=True) as admin:
        admin.execute("create database whole")
        admin.execute("create database lossy")
    for name in ("whole", "lossy"):
        await migrate(server.dsn_for(name))
    clock = FakeClock()
    async with (
        Database.open(server.dsn_for("whole"), clock=clock) as whole,
        Database.open(server.dsn_for("lossy"), clock=clock) as lossy,
    ):
        prover = await Prover.make(whole, lossy, clock)
        for seed in seeds:
            if time.monotonic() > until:
                break
            try:
                await prover.prove(seed)
            except AssertionError as error:
                print(error, file=sys.stderr, flush=True)
                prover.tally.failed += (seed,)
        return prover.tally


if __name__ == "__main__":
    sys.exit(main())
