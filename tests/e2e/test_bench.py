"""The benches still measure what they say, seen on a moment of each; the figures themselves are never asserted.

| requirement | test |
|---|---|
| AD6 | both |
"""

import asyncio
import re

import pytest
from tests.bench import ingest, launch

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


def test_the_ingest_bench_measures_the_gateway_beside_a_bare_handler_and_pgbench() -> None:
    printed = "\n".join(asyncio.run(ingest.measure(seconds=0.5)))
    assert re.search(r"bare handler +\d+/s .*202: \d+", printed), printed
    assert re.search(r"gateway +\d+/s .*202: \d+", printed), printed
    assert re.search(r"gateway / bare handler +\d+\.\d\d", printed), printed
    assert re.search(r"at a steady 1000/s: p50 [\d.]+ ms, p99 [\d.]+ ms", printed), printed


def test_the_launch_bench_follows_a_run_from_the_queue_to_its_agent() -> None:
    printed = "\n".join(asyncio.run(launch.measure(runs=1)))
    for figure in ("queued -> runner registered", "queued -> agent started", "queued -> succeeded"):
        assert re.search(rf"{figure}.*: p50 [1-9]\d* ms", printed), printed
