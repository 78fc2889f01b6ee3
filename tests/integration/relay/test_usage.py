"""What calls used: read from the answer, kept once, and never counted beside what the runner reports."""

from typing import Any

import pytest
from tests.integration.relay.harness import Bench, Live, Provider, answer, completed, event, ok, stream

from stagewright.contexts.runs.model import AttemptStatus
from stagewright.contexts.runs.rules.relay import Tokens
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import attempts, moves, relay

ANTHROPIC = [
    event(
        "message_start",
        message={
            "usage": {
                "input_tokens": 10,
                "cache_creation_input_tokens": 20,
                "cache_read_input_tokens": 30,
                "output_tokens": 1,
            }
        },
    ),
    event("content_block_delta", delta={"type": "text_delta", "text": 'say "usage" and message_stop'}),
    event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 44}),
    event("message_stop"),
]


async def test_the_usage_of_both_apis_means_the_same(bench: Bench, provider: Provider) -> None:
    codex, claude = await bench.live("codex"), await bench.live("claude")
    for engine in ("codex", "claude"):
        await bench.credential(engine, provider.url)
    provider.answers = [[stream(), completed(60, 30, 44)], [stream(), *ANTHROPIC]]
    await bench.post(codex)
    await bench.post(claude)
    assert await bench.usage(codex) == [("gpt-5.4", 60, 30, 44, "relay")]
    assert await bench.usage(claude) == [("claude-sonnet-4-5", 60, 30, 44, "relay")]
    assert await bench.meters(claude) == ((60, 30, 44), (60, 30, 44))
    [kept] = await bench.rows("select cost_micros from run_usage where attempt_id = %(id)s", id=codex.attempt.id)
    assert kept["cost_micros"] is None
    assert 'model_tokens_total{engine="codex",kind="cached"} 30.0' in bench.figures()


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_usage_is_read_however_the_bytes_are_cut(bench: Bench, provider: Provider, size: int) -> None:
    live = await bench.live("claude")
    await bench.credential("claude", provider.url)
    whole = b"".join(ANTHROPIC).replace(b"\n", b"\r\n")
    provider.answers = [[stream(), *(whole[at : at + size] for at in range(0, len(whole), size))]]
    assert (await bench.post(live)).content == whole
    assert await bench.usage(live) == [("claude-sonnet-4-5", 60, 30, 44, "relay")]


async def test_an_answer_that_is_no_stream_is_metered_too(bench: Bench, provider: Provider) -> None:
    live = await bench.live("claude")
    await bench.credential("claude", provider.url)
    provider.answers = [[ok({"type": "message", "usage": {"input_tokens": 4, "output_tokens": 2}})]]
    await bench.post(live, body={"stream": False})
    assert await bench.usage(live) == [("claude-sonnet-4-5", 4, 0, 2, "relay")]


async def test_counting_tokens_costs_nothing(bench: Bench, provider: Provider) -> None:
    live = await bench.live("claude")
    await bench.credential("claude", provider.url)
    provider.answers = [[ok({"input_tokens": 4, "usage": {"input_tokens": 4}})]]
    assert (await bench.post(live, "/v1/messages/count_tokens")).json()["input_tokens"] == 4
    assert await bench.usage(live) == []


@pytest.mark.parametrize(
    "said",
    [
        b"data: {not json, usage}\n\n",
        event("response.completed", response={"usage": None}),
        event("response.completed", response={"usage": {"input_tokens": "many"}}),
        event("response.failed", response={"error": {"code": "x"}}),
    ],
)
async def test_an_answer_without_figures_passes_and_is_not_metered(
    bench: Bench, provider: Provider, said: bytes
) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    provider.answers = [[stream(), said]]
    assert (await bench.post(live)).content == said
    assert await bench.usage(live) == []


async def test_what_the_runner_reports_counts_only_where_the_relay_saw_nothing(
    bench: Bench, provider: Provider
) -> None:
    relayed, direct = await bench.live(), await bench.live()
    await bench.credential("codex", provider.url)
    provider.answers = [[stream(), completed(60, 30, 44)]]
    await bench.post(relayed)
    assert await settle(bench, relayed) == Tokens(60, 30, 44)
    assert await settle(bench, direct) == Tokens(100, 50, 70)
    assert await bench.meters(relayed) == ((60, 30, 44), (60, 30, 44))
    assert await bench.meters(direct) == ((100, 50, 70), (100, 50, 70))
    async with bench.db.reading() as reader:
        assert await relay.is_metered(reader, relayed.attempt.id)
        assert not await relay.is_metered(reader, direct.attempt.id)


async def test_a_call_that_ends_after_the_outcome_is_kept_and_counted_once(bench: Bench) -> None:
    direct, relayed = await bench.live(), await bench.live()
    await settle(bench, direct)
    await late(bench, direct)
    await late(bench, relayed)
    await settle(bench, relayed)
    await late(bench, relayed)
    assert await bench.meters(direct) == ((100, 50, 70), (100, 50, 70))
    assert await bench.usage(direct) == [("m", 1, 2, 3, "relay")]
    assert await bench.meters(relayed) == ((2, 4, 6), (2, 4, 6))


async def test_usage_of_an_attempt_that_is_lost_is_kept(bench: Bench) -> None:
    live = await bench.live()
    async with bench.db.transaction() as tx:
        await attempts.settle_ended(tx, live.attempt.id, now=bench.clock.now(), outcome="lost")
    await late(bench, live)
    assert await bench.meters(live) == ((1, 2, 3), (1, 2, 3))


async def test_a_refusal_costs_nothing(bench: Bench, provider: Provider) -> None:
    live = await bench.live()
    await bench.credential("codex", provider.url)
    provider.answers = [[answer(500, b"{}")]]
    await bench.post(live)
    assert await bench.meters(live) == ((0, 0, 0), (0, 0, 0))


async def settle(bench: Bench, live: Live) -> Tokens:
    """Report an outcome as the runner's door does, with totals that differ from the relay's."""
    now: Any = bench.clock.now()
    async with bench.db.transaction() as tx:
        run = await run_rows.lock(tx, live.run.id)
        attempt = await attempt_rows.lock(tx, live.attempt.id)
        total = await relay.settle_reported(tx, run, attempt, Tokens(100, 50, 70))
        await moves.move_attempt(
            tx,
            relay.with_tokens(attempt, total),
            AttemptStatus.DRAINING,
            outcome="completed",
            heartbeat_at=now,
        )
    return total


async def late(bench: Bench, live: Live) -> None:
    """Keep the usage of a call."""
    async with bench.db.transaction() as tx:
        await relay.record_usage(tx, live.run.id, live.attempt.id, Tokens(1, 2, 3), model="m", now=bench.clock.now())
