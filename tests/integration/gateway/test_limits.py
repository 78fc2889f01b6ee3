"""Requests per minute and user, shared by all gateways."""

from datetime import timedelta

from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway

from stagewright.kit.http.limits import Bucket, forget_buckets, take


async def test_a_user_over_the_limit_is_told_when_to_come_back(gateway: Gateway, clock: FakeClock) -> None:
    owner, other = await gateway.person("ann", role="owner"), await gateway.person("bob", role="admin")
    first = await gateway.post("/projects", owner, {"key": "Bad Key", "name": "x"})
    assert first.headers["ratelimit-policy"] == '"writes";q=120;w=60'
    assert first.headers["ratelimit"] == '"writes";r=119;t=1'
    async with gateway.db.transaction() as tx:
        await tx.execute("update rate_buckets set tokens = 0.5 where bucket = 'writes'")
    refused = await gateway.post("/projects", owner, {"key": "shop", "name": "Shop"})
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert (refused.headers["retry-after"], refused.json()["retry_after_s"]) == ("1", 1)
    assert refused.json()["params"] == {"bucket": "writes", "limit": 120}
    assert (await gateway.get("/projects", owner)).json()["items"] == []
    assert (await gateway.post("/projects", other, {"key": "blog", "name": "Blog"})).status_code == 201
    clock.advance(timedelta(seconds=1))
    assert (await gateway.post("/projects", owner, {"key": "shop", "name": "Shop"})).status_code == 201


async def test_polling_counts_as_reading(gateway: Gateway) -> None:
    owner = await gateway.person()
    answer = await gateway.post("/realtime/poll", owner)
    assert answer.headers["ratelimit-policy"] == '"reads";q=600;w=60'


async def test_a_full_bucket_is_forgotten_and_never_overfull(gateway: Gateway, clock: FakeClock) -> None:
    bucket = Bucket("reads", 60)
    async with gateway.db.transaction() as tx:
        for _ in range(3):
            left = (await take(tx, bucket, "ann", now=clock.now())).left
        assert left == 57
        later = clock.now() + timedelta(hours=2)
        assert (await take(tx, bucket, "ann", now=later)).left == 59
        assert await forget_buckets(tx, now=later + timedelta(hours=2)) == 1


async def test_the_use_of_a_token_is_noted_once_a_minute(gateway: Gateway, clock: FakeClock) -> None:
    owner = await gateway.person()

    async def last_used() -> str:
        used: str = (await gateway.get("/me", owner)).json()["token"]["last_used_at"]
        return used

    first = await last_used()
    assert first.startswith(clock.now().isoformat()[:16])
    clock.advance(timedelta(seconds=30))
    assert await last_used() == first
    clock.advance(timedelta(seconds=31))
    assert await last_used() != first
