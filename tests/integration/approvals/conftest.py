"""A gateway for every test of its doors."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, open_gateway


@pytest.fixture
async def gateway(dsn: str, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Gateway]:
    """Return an open gateway."""
    async with open_gateway(dsn, clock, tmp_path) as opened:
        yield opened
