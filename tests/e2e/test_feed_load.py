"""A thousand sockets on one gateway under two hundred events a second: each ends with the newest of every row (AX26).

A socket whose queue was full was told to load anew, so it lacks nothing without a word; it is none of the sample.

The figures are printed with the others and never asserted: they are those of the machine and of what else it does.
"""

import asyncio

import pytest
from tests.bench.feed import SOCKETS, Load, many_sockets
from tests.bench.stage import prepared
from tests.conftest import MEASURED

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


async def load() -> Load:
    async with prepared() as stage:
        return await many_sockets(stage, seconds=3.0)


def test_a_thousand_sockets_lose_nothing_under_two_hundred_events_a_second(request: pytest.FixtureRequest) -> None:
    found = asyncio.run(load())
    request.config.stash.setdefault(MEASURED, []).extend(found.lines)
    assert found.silent == 0, f"{found.silent} of {SOCKETS} sockets got no frame"
    assert found.sampled > 0 or found.resyncs > 0
    assert found.missed == 0, f"{found.missed} newest versions are missing at {found.sampled} sockets"
