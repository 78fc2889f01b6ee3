"""A gateway for every test of its doors."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, open_gateway
from tests.world import World

from stagewright.kit.db import Database


@pytest.fixture
async def gateway(dsn: str, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Gateway]:
    """Return an open gateway."""
    async with open_gateway(dsn, clock, tmp_path) as opened:
        yield opened


@pytest.fixture
async def world(db: Database, clock: FakeClock, tmp_path: Path) -> World:
    """Return a platform with one project and repository."""
    return await World.make(db, clock, tmp_path)
