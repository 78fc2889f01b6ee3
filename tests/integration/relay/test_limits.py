"""A provider's limit: held for a while, then refused with the time; shared by the project, forgotten by a success."""

import asyncio
from datetime import timedelta
from email.utils import format_datetime

import pytest
from tests.integration.relay.harness import Bench, Live, Provider, another_repository, answer, ok

from stagewright.contexts.runs.store import limits as limit_rows
from stagewright.contexts.runs.usecases import attempts


def limited(
    *headers: str, status: int = 429, body: bytes = b'{"error": {"code": "rate_limit_exceeded"}}'
) -> list[bytes]:
    return [answer(status, body, *headers)]


async def row(bench: Bench, live: Live) -> dict[str, object]:
    """Return what is known of the limit."""
    [found] = await bench.rows(
        "select bucket, blocked_until, cause, strikes from provider_limits where installation_id = %(id)s",
        id=str(live.run.project_id),
    )
    return dict(found)


async def test_a_short_limit_is_waited_for_and_the_call_goes_through(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    provider.answers = [limited("retry-after: 5"), [ok({"id": "r"})]]
    calling = asyncio.create_task(bench.post(live))
    await bench.clock.wait_for_sleepers()
    assert await row(bench, live) == {
        "bucket": "model:codex",
        "blocked_until": bench.clock.now() + timedelta(seconds=20),
        "cause": "rate_limit",
        "strikes": 1,
    }
    bench.clock.advance(timedelta(seconds=20))
    assert (await calling).json() == {"id": "r"}
    assert (await row(bench, live))["strikes"] == 0
    assert "provider.limit.blocked" in await bench.kinds()


async def test_a_long_limit_is_told_at_once_with_its_end(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    provider.answers = [limited("retry-after: 600")]
    first = await bench.post(live)
    assert (first.status_code, first.json()["code"], first.headers["retry-after"]) == (429, "rate_limited", "615")
    assert first.json()["error"]["type"] == "usage_limit_reached"
    assert first.headers["x-should-retry"] == "false"
    bench.clock.advance(timedelta(seconds=15))
    second = await bench.post(await bench.live())
    assert (second.status_code, second.headers["retry-after"]) == (429, "600")
    assert len(provider.requests) == 1  # the whole project leaves the provider alone
    assert 'rate_limited_total{bucket="model"} 2.0' in bench.figures()


async def test_a_hold_has_one_minute_in_all(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    provider.answers = [limited("retry-after: 25"), limited("retry-after: 25")]
    calling = asyncio.create_task(bench.post(live))
    await bench.clock.wait_for_sleepers()
    bench.clock.advance(timedelta(seconds=40))
    assert ((await calling).status_code, (await calling).headers["retry-after"]) == (429, "40")


async def test_a_limit_without_a_time_doubles(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    ends: list[int] = []
    for _ in range(5):
        provider.answers = [limited()]
        calling = asyncio.create_task(bench.post(live))
        if not ends:
            provider.answers.append(limited())
            await bench.clock.wait_for_sleepers()
            bench.clock.advance(timedelta(minutes=1))
        ends.append(int((await calling).headers["retry-after"]))
        bench.clock.advance(timedelta(seconds=ends[-1]))
    assert ends == [120, 240, 480, 900, 900]


async def test_answers_that_cross_add_one_strike(bench: Bench, provider: Provider) -> None:
    lives = [await bench.live() for _ in range(3)]
    await bench.credential("codex", provider.url)
    provider.answers = [[b"", *limited()] for _ in lives]
    provider.go_on.clear()
    calls = [asyncio.create_task(bench.post(live)) for live in lives]
    await provider.asked.reaches(3)
    provider.go_on.set()
    await bench.clock.wait_for_sleepers(3)
    known = await row(bench, lives[0])
    assert known["blocked_until"] == bench.clock.now() + timedelta(minutes=1)
    bench.clock.advance(timedelta(minutes=1))
    assert {response.status_code for response in await asyncio.gather(*calls)} == {200}


@pytest.mark.parametrize(
    ("header", "block"),
    [("retry-after: 1.5", 16.5), ("retry-after-ms: 2500", 17.5), ("retry-after: soon", 60), ("x: y", 60)],
)
async def test_every_spelling_of_the_time_is_read(bench: Bench, provider: Provider, header: str, block: float) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    provider.answers = [limited(header)]
    calling = asyncio.create_task(bench.post(live))
    await bench.clock.wait_for_sleepers()
    assert (await row(bench, live))["blocked_until"] == bench.clock.now() + timedelta(seconds=block)
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)


async def test_a_date_is_a_time_too(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    provider.answers = [limited(f"retry-after: {format_datetime(bench.clock.now() + timedelta(seconds=100))}")]
    assert (await bench.post(live)).headers["retry-after"] == "115"


async def test_another_project_and_another_engine_go_on(bench: Bench, provider: Provider) -> None:
    other = await another_repository(bench)
    await bench.block(await bench.live(), 600)
    for engine in ("codex", "claude"):
        await bench.credential(engine, provider.url)
    elsewhere = await bench.live(repository_id=other.id, project_id=other.project_id)
    assert (await bench.post(elsewhere)).status_code == 200
    assert (await bench.post(await bench.live("claude"))).status_code == 200
    assert (await bench.post(await bench.live("codex"))).status_code == 429


async def test_a_quota_that_is_used_up_is_a_limit_that_people_hear_of(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    provider.answers = [limited("retry-after: 600", body=b'{"error": {"code": "insufficient_quota"}}')]
    assert (await bench.post(live)).status_code == 429
    assert (await row(bench, live))["cause"] == "quota"
    assert [item["code"] for item in await bench.rows("select code from incidents")] == ["model.quota_used_up"]


async def test_a_refusal_that_is_cut_is_a_refusal_all_the_same(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    provider.answers = [[limited("retry-after: 600", body=b"x" * 100)[0][:-50]]]
    assert (await bench.post(live)).headers["retry-after"] == "615"


async def test_a_bill_that_is_not_paid_is_no_budget_of_ours(bench: Bench, provider: Provider) -> None:
    live = await bench.live("claude")
    await bench.credential("claude", provider.url)
    provider.answers = [limited("retry-after: 600", status=402, body=b"{}")]
    response = await bench.post(live)
    assert (response.status_code, response.json()["code"]) == (429, "rate_limited")


async def test_an_attempt_that_ends_while_its_call_is_held_gets_nothing(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    await bench.block(live, 30)
    calling = asyncio.create_task(bench.post(live))
    await bench.clock.wait_for_sleepers()
    async with bench.db.transaction() as tx:
        await attempts.settle_ended(tx, live.attempt.id, now=bench.clock.now(), outcome="lost")
    bench.clock.advance(timedelta(seconds=30))
    assert (await calling).json()["code"] == "attempt_ended"
    assert provider.requests == []


async def test_a_client_that_hangs_up_while_held_is_let_go(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    await bench.block(live, 30)
    calling = asyncio.create_task(bench.post(live))
    await bench.clock.wait_for_sleepers()
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)
    await bench.ended.reaches(1)
    assert bench.clock.sleeping == 0
    assert provider.requests == []


async def test_a_limit_is_among_those_that_the_worker_opens(bench: Bench) -> None:
    live = await bench.live()
    await bench.block(live, 30)
    async with bench.db.transaction() as tx:
        assert await limit_rows.clear_limits(tx, bench.clock.now()) == []
    bench.clock.advance(timedelta(seconds=31))
    async with bench.db.transaction() as tx:
        assert await limit_rows.clear_limits(tx, bench.clock.now()) == [(str(live.run.project_id), "model:codex")]
