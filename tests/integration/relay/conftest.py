"""One relay and one scripted provider per test."""

from collections.abc import AsyncIterator

import pytest
from tests.fakes.clock import FakeClock
from tests.integration.relay.harness import Bench, Provider, a_bench

from stagewright.kit.db import Database


@pytest.fixture
async def bench(db: Database, clock: FakeClock) -> AsyncIterator[Bench]:
    """Return a relay that listens."""
    async with a_bench(db, clock) as made:
        yield made


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    """Return a provider that listens."""
    async with Provider().listening() as made:
        made.go_on.set()
        yield made
