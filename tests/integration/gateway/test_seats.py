"""How many sockets a person may have: over all gateways together, whatever became of one of them."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, Person
from tests.fakes.socket import Listening, listening
from websockets.exceptions import InvalidStatus

from stagewright.kit.http.seats import DEAD_AFTER, KEPT_FRESH, keep_all_seats, take_seat
from stagewright.processes.gateway.realtime import Limits

TWO = Limits(sockets_per_user=2)


async def seats(gateway: Gateway) -> list[int]:
    async with gateway.db.reading() as reader:
        return await reader.all(lambda row: int(row["sockets"]), "select sockets from open_sockets order by sockets")


async def until(gateway: Gateway, holds: Callable[[list[int]], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds(await seats(gateway)):  # noqa: ASYNC110 - another session writes: no event can tell
            await asyncio.sleep(0.01)


async def refused(server: Listening, who: Person) -> dict[str, Any]:
    with pytest.raises(InvalidStatus) as error:
        async with server.open(who):
            raise AssertionError("the socket was opened")
    return {"status": error.value.response.status_code, "body": (error.value.response.body or b"").decode()}


async def test_the_sockets_of_a_person_count_over_all_gateways(gateway: Gateway) -> None:
    owner, other = await gateway.person(role="owner"), await gateway.person("eve")
    async with listening(gateway, TWO) as one, listening(gateway, TWO) as two:
        async with one.open(owner) as first, two.open(owner) as second:
            await asyncio.gather(first.hello(), second.hello())
            assert await seats(gateway) == [1, 1]
            for server in (one, two):
                answer = await refused(server, owner)
                assert answer["status"] == 429
                assert "realtime.too_many_sockets" in answer["body"]
            async with two.open(other) as theirs:
                await theirs.hello()
        await until(gateway, lambda found: found == [])
        async with two.open(owner) as third, two.open(owner) as fourth:
            await asyncio.gather(third.hello(), fourth.hello())
    assert await seats(gateway) == []


async def test_a_person_who_opens_many_at_once_gets_as_many_as_one_may_have(gateway: Gateway) -> None:
    owner = await gateway.person(role="owner")
    async with listening(gateway, TWO) as one, listening(gateway, TWO) as two:
        let_in, full = 0, asyncio.Event()

        async def come(server: Listening) -> None:
            nonlocal let_in
            async with server.open(owner) as client:
                await client.hello()
                let_in += 1
                await full.wait()

        async with asyncio.timeout(30):
            coming = [asyncio.create_task(come(server)) for server in (one, two) * 4]
            done, _ = await asyncio.wait(coming, return_when=asyncio.FIRST_COMPLETED)
            while len(done) < 6:
                done, _ = await asyncio.wait(coming, timeout=0.05)
            await until(gateway, lambda found: sum(found) == 2)
            full.set()
            ended = await asyncio.gather(*coming, return_exceptions=True)
    assert let_in == 2
    assert sum(isinstance(item, InvalidStatus) for item in ended) == 6


async def test_the_seats_of_a_gateway_that_died_are_free_after_a_minute(gateway: Gateway, clock: FakeClock) -> None:
    owner = await gateway.person(role="owner")
    async with gateway.db.transaction() as tx:
        assert await take_seat(tx, "died", owner.user.id, 2, now=clock.now()) == 0
    async with listening(gateway, TWO) as server:
        assert (await refused(server, owner))["status"] == 429
        clock.advance(DEAD_AFTER)
        async with server.open(owner) as client:
            await client.hello()


async def test_a_gateway_writes_its_numbers_anew_after_the_database_lost_them(
    gateway: Gateway, clock: FakeClock
) -> None:
    owner = await gateway.person(role="owner")
    async with listening(gateway, TWO) as server, server.open(owner) as client:
        await client.hello()
        async with gateway.db.transaction() as tx:
            await tx.execute("delete from open_sockets")
        clock.advance(KEPT_FRESH)
        await server.live.seats.write()
        assert await seats(gateway) == [1]


async def test_what_is_written_anew_replaces_what_stood_there(gateway: Gateway, clock: FakeClock) -> None:
    ann, eve, old = UUID(int=1), UUID(int=2), uuid4()
    async with gateway.db.transaction() as tx:
        await take_seat(tx, "gone", old, 7, now=clock.now() - timedelta(hours=1))
        await take_seat(tx, "here", ann, 3, now=clock.now())
        assert await take_seat(tx, "there", ann, 1, now=clock.now()) == 3
        await keep_all_seats(tx, "here", {eve: 2}, now=clock.now())
        assert await take_seat(tx, "there", ann, 1, now=clock.now()) == 0
    assert await seats(gateway) == [1, 2]
