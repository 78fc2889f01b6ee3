"""Every test of the contract runs against the adapter and against the fake."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from tests.contract.github.peers import FakePeer, Peer, PracticePeer
from tests.fakes.devforge import RunningForge, devforge

from stagewright.adapters.github import Reach, open_http

__all__ = ["devforge"]


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """Return the one client of a process."""
    async with open_http(Reach(loopback=True)) as client:
        yield client


@pytest.fixture
def practice(devforge: RunningForge, http: httpx.AsyncClient) -> Iterator[PracticePeer]:
    """Return the adapter and the practice forge, with a repository of the test's own."""
    peer = PracticePeer(http, devforge)
    yield peer
    peer.api.close()


@pytest.fixture(params=["adapter", "fake"])
def peer(request: pytest.FixtureRequest) -> Peer:
    """Return both peers, one after the other."""
    if request.param == "fake":
        return FakePeer()
    found: PracticePeer = request.getfixturevalue("practice")
    return found
