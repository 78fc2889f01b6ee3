"""A gateway for every test of its doors."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, open_gateway
from tests.fakes.socket import Listening, listening
from tests.integration.gateway.steps_scene import Scene
from tests.world import World

from stagewright.kit.db import Database


@pytest.fixture
async def gateway(dsn: str, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Gateway]:
    """Return an open gateway."""
    async with open_gateway(dsn, clock, tmp_path) as opened:
        yield opened


@pytest.fixture
async def server(gateway: Gateway) -> AsyncIterator[Listening]:
    """Return a gateway with a socket."""
    async with listening(gateway) as opened:
        yield opened


@pytest.fixture
async def steps(db: Database, dsn: str, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Scene]:
    """Return a platform with its worker, a gateway over the same forge, and a person who may start runs."""
    world = await World.make(db, clock, tmp_path / "world")
    await world.scan()  # reads the project's policy, as the worker does of a repository that was bound
    async with open_gateway(dsn, clock, tmp_path / "gateway", forge=world.forge) as opened:
        me = await opened.person("mia", member_of=world.project, member_as="read_write")
        yield Scene(world, opened, me)
