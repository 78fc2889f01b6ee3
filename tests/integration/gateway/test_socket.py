"""The realtime socket over a real connection: greeting, frames, replay, rights, limits."""

from collections.abc import AsyncIterator

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway
from tests.fakes.socket import Listening, listening

from stagewright.contexts.runs.usecases.cancel import cancel_run


@pytest.fixture
async def server(gateway: Gateway) -> AsyncIterator[Listening]:
    """Return a gateway with a socket."""
    async with listening(gateway) as opened:
        yield opened


async def test_a_socket_is_greeted_and_told_what_happens(server: Listening, clock: FakeClock) -> None:
    gateway = server.gateway
    _, _, run = await gateway.scene()
    owner = await gateway.person(role="owner")
    async with server.open(owner) as client:
        ready = await client.hello("runs", f"run:{run.id}", "weather", "deploys")
        assert ready["topics"] == ["runs", f"run:{run.id}"]
        assert ready["refused"] == [
            {"topic": "weather", "code": "topic.unknown"},
            {"topic": "deploys", "code": "topic.unavailable"},
        ]
        assert (ready["behind"], ready["server_time"]) == (0, clock.now().isoformat())
        async with gateway.db.transaction() as tx:
            await cancel_run(tx, run.id, cause="person", clock=clock)
        await client.until(lambda: len(client.frames(f"run:{run.id}")) == 2)
        frame = client.frames("runs")[0]
        view = (await gateway.get(f"/runs/{run.id}", owner)).json()
        assert frame["kind"] == "run.cancel.requested"
        assert frame["data"]["allowed_actions"] == view["allowed_actions"] or frame["version"] < view["version"]
        assert client.cursor != ready["cursor"]
