"""A world for tests of intake."""

from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock
from tests.world import World

from stagewright.kit.db import Database


@pytest.fixture
async def world(db: Database, clock: FakeClock, tmp_path: Path) -> World:
    """Return a platform with one project and repository."""
    return await World.make(db, clock, tmp_path)
