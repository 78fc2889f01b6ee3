"""One effect per key: parallel, repeated, changed, and after the answer was lost (AX15)."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway, Person

from stagewright.kit.http.once import KEPT, forget_keys

KEY = {"Idempotency-Key": "the-same-key"}
BODY = {"key": "shop", "name": "Shop"}


async def create(gateway: Gateway, who: Person, body: Any = None, **headers: str) -> httpx.Response:
    return await gateway.post("/projects", who, body or BODY, headers=headers or KEY)


async def test_the_same_request_is_answered_again_without_a_second_effect(gateway: Gateway) -> None:
    owner = await gateway.person(role="owner")
    first, second = await create(gateway, owner), await create(gateway, owner)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["location"] == first.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert len((await gateway.get("/projects", owner)).json()["items"]) == 1


async def test_parallel_equal_requests_have_one_effect(gateway: Gateway) -> None:
    owner = await gateway.person(role="owner")
    answers = await asyncio.gather(*(create(gateway, owner) for _ in range(8)))
    codes = sorted(answer.status_code for answer in answers)
    assert set(codes) <= {201, 409}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"idempotency.in_progress"}
    made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert len(made) == 1
    assert len((await gateway.get("/projects", owner)).json()["items"]) == 1


async def test_a_key_used_for_another_body_is_refused(gateway: Gateway) -> None:
    owner = await gateway.person(role="owner")
    await create(gateway, owner)
    answer = await create(gateway, owner, {"key": "blog", "name": "Blog"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency.mismatch")


async def test_a_request_while_the_first_one_runs_is_told_to_wait(gateway: Gateway) -> None:
    owner = await gateway.person(role="owner")
    name = (
        'once:{"method": "POST", "path": "/api/v1/projects", "principal": "user:'
        + str(owner.user.id)
        + '"}:the-same-key'
    )
    async with gateway.db.transaction() as tx:
        assert await tx.value("select pg_try_advisory_xact_lock(hashtextextended(%(name)s, 0))", name=name)
        answer = await create(gateway, owner)
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency.in_progress")
    assert (await create(gateway, owner)).status_code == 201


async def test_an_answer_lost_after_the_commit_is_given_again(gateway: Gateway) -> None:
    project, owner = await gateway.project(), await gateway.person(role="owner")
    gateway.forge.add_repository("acme/shop")
    path, body = f"/projects/{project.id}/repositories", {"full_name": "acme/shop", "token": "bot-token"}
    first = await gateway.post(path, owner, body, headers=KEY)
    gateway.forge.calls.clear()
    again = await gateway.post(path, owner, body, headers=KEY)
    assert again.json()["webhook_secret"] == first.json()["webhook_secret"]
    assert gateway.forge.calls == []
    async with gateway.db.reading() as reader:
        stored = await reader.value("select answer::text from idempotency_keys")
    assert first.json()["webhook_secret"] not in stored


async def test_a_refused_request_stores_nothing(gateway: Gateway) -> None:
    owner = await gateway.person(role="owner")
    bad = await create(gateway, owner, {"key": "Not A Key", "name": "Shop"})
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (400, "/key")
    assert (await create(gateway, owner)).status_code == 201


async def test_keys_belong_to_their_user_and_path_and_last_a_day(gateway: Gateway, clock: FakeClock) -> None:
    owner, admin = await gateway.person("ann", role="owner"), await gateway.person("bob", role="admin")
    await create(gateway, owner)
    taken = await create(gateway, admin)
    assert (taken.status_code, taken.json()["code"]) == (409, "project.key_taken")
    clock.advance(KEPT + timedelta(seconds=1))
    late = await create(gateway, owner)
    assert (late.status_code, late.json()["code"]) == (409, "project.key_taken")
    async with gateway.db.transaction() as tx:
        assert await forget_keys(tx, now=clock.now()) == 1


@pytest.mark.parametrize("key", [None, "short", "x" * 129, "with space"])
async def test_where_a_key_is_required_a_request_without_a_good_one_is_malformed(
    gateway: Gateway, key: str | None
) -> None:
    owner = await gateway.person(role="owner")
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = await gateway.call("POST", "/projects", owner, json=BODY, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/header/Idempotency-Key"
