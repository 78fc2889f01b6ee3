"""What the worker forgets by the hour obeys the installation's settings."""

from datetime import timedelta

from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway

from stagewright.contexts.incidents import api as incidents
from stagewright.processes.worker.wiring import forget_requests


async def test_incidents_and_origins_go_when_the_settings_say(gateway: Gateway, clock: FakeClock) -> None:
    owner = await gateway.person(role="owner")
    headers = {"If-Match": '"0"'}
    for key, value in (("retention.incidents", "10d"), ("retention.journal", "20d")):
        answer = await gateway.call("PATCH", f"/settings/{key}", owner, headers=headers, json={"value": value})
        assert answer.status_code == 200, answer.text
    async with gateway.db.transaction() as tx:
        await incidents.report(tx, level="error", source="test", code="broken", message="it broke", now=clock.now())

    async def left() -> tuple[int, int]:
        async with gateway.db.reading() as reader:
            open_ones = int(await reader.value("select count(*) from incidents"))
            return open_ones, int(await reader.value("select count(*) from request_origins"))

    await forget_requests(gateway.platform)
    assert await left() == (1, 2)
    clock.advance(timedelta(days=11))
    await forget_requests(gateway.platform)
    assert await left() == (0, 2)
    clock.advance(timedelta(days=10))
    await forget_requests(gateway.platform)
    assert await left() == (0, 0)


async def test_sessions_go_thirty_days_after_their_last_use(gateway: Gateway, clock: FakeClock) -> None:
    person = await gateway.person()
    await gateway.visitor(person)

    async def left() -> int:
        await forget_requests(gateway.platform)
        async with gateway.db.reading() as reader:
            return int(await reader.value("select count(*) from sessions"))

    assert await left() == 1
    clock.advance(timedelta(days=29))
    assert await left() == 1
    clock.advance(timedelta(days=2))
    assert await left() == 0
