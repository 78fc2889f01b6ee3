"""The runner's stream as a hostile or broken workload speaks it: nothing blocks it, floods it or slips through it."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.runs.door import Caller, caller_of, code_of, open_door
from tests.world import World

from stagewright.contexts.runs.rpc.stream import Wakes
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import logs as log_rows
from stagewright.wire.v1 import common_pb2, stream_pb2

SECRET = b"swordfish-0451-swordfish"
REFUSED = pytest.raises(grpc.aio.AioRpcError)
TEXTS = st.text(max_size=200)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)
KINDS = st.sampled_from(["run.agent.started", "run.agent.ready", "run.toolchain.gap_detected", "run.succeeded"]) | TEXTS
TIMES = TEXTS | st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-05", "nan"])
COUNTS = st.integers(0, 2**64 - 1)
BODIES = st.one_of(
    st.builds(stream_pb2.RunnerEvent, kind=KINDS, at=TIMES, body=TEXTS | JSON.map(json.dumps)),
    st.builds(stream_pb2.RunnerEvent, kind=KINDS, body=st.integers(10_000, 200_000).map(lambda n: '{"a":"' + "x" * n)),
    st.builds(
        stream_pb2.LogChunk,
        stream=st.sampled_from(["engine", "runner", "platform"]) | TEXTS,
        at=TIMES,
        data=st.binary(max_size=300),
    ),
    st.builds(stream_pb2.LogChunk, stream=st.just("engine"), data=st.just(b"x" * 70_000)),
    st.builds(stream_pb2.Heartbeat, at=TIMES, engine_alive=st.booleans()),
    st.builds(stream_pb2.Usage, model=TEXTS, tokens_in=COUNTS, tokens_cached=COUNTS, tokens_out=COUNTS),
    st.none(),
)
FIELDS = {"RunnerEvent": "event", "LogChunk": "log", "Heartbeat": "heartbeat", "Usage": "usage"}


@pytest.fixture
async def caller(world: World) -> AsyncIterator[Caller]:
    """Return the caller of a live attempt."""
    async with open_door(world) as channel:
        made = caller_of(world, channel, await world.launched())
        await made.assignment()
        yield made


def arbitrary_bodies(count: int) -> list[Any]:
    """Return bodies of every form, always the same ones."""
    found: list[Any] = []

    @settings(max_examples=count, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(BODIES)
    def collect(body: Any) -> None:
        found.append(body)

    collect()
    return found


async def bodies_of(world: World, kind: str) -> list[dict[str, Any]]:
    """Return the journalled bodies of ``kind``."""
    return [body for one, body in await world.journal() if one == kind]


async def incident(world: World, code: str) -> dict[str, Any]:
    """Return the one incident with ``code``."""
    async with world.db.reading() as reader:
        [row] = await reader.all(
            dict, "select level, message, details, count from incidents where code = %(code)s", code=code
        )
    return row


async def log_of(world: World, caller: Caller) -> bytes:
    """Return what is stored of the engine's log."""
    async with world.db.reading() as reader:
        stored = log_rows.read(reader, caller.spec.attempt_id, "engine")
        return b"".join([chunk.chunk async for chunk in stored])


async def test_arbitrary_messages_never_block_the_stream(world: World, caller: Caller) -> None:
    bodies = arbitrary_bodies(300)
    async with caller.streaming() as talk:
        for number, body in enumerate(bodies, start=1):
            message = stream_pb2.RunnerMessage(number=number, attempt=caller.attempt)
            if body is not None:
                getattr(message, FIELDS[type(body).__name__]).CopyFrom(body)
            await talk.send(message)
        last = len(bodies) + 1
        await talk.send(caller.event(last, body='{"the": "last"}'))
        await talk.acknowledged(last)
        await talk.done()
    assert (await bodies_of(world, "run.agent.ready"))[-1]["the"] == "last"
    assert "run.succeeded" not in await world.events(await world.run_of(1))
    async with world.db.reading() as reader:
        assert (await attempt_rows.get(reader, caller.spec.attempt_id)).last_message_no == last
    assert await log_of(world, caller), "the times of all chunks can be read"


async def test_dropped_messages_are_counted_and_told_once(world: World, caller: Caller) -> None:
    async with caller.streaming() as talk:
        await talk.send(caller.event(1, "run.forged"))
        await talk.acknowledged(1)
        told = await incident(world, "runner_message_dropped")
        assert (told["level"], told["count"]) == ("warning", 1)
        assert told["details"]["number"] == 1
        assert "run.forged" in told["details"]["reason"]
        await talk.send(*(caller.event(number, "run.forged") for number in range(2, 51)))
        await talk.acknowledged(50)
        assert (await incident(world, "runner_message_dropped"))["count"] == 1
        await talk.done()
    told = await incident(world, "runner_message_dropped")
    assert (told["count"], told["details"]["dropped"]) == (2, 50)


async def test_a_secret_in_an_event_is_redacted_where_it_stands_in_keys_and_values(
    world: World, caller: Caller
) -> None:
    quoted = 'quoted "secret"\nof two lines'
    world.redactor.add(quoted)
    world.redactor.add(SECRET)
    body = json.dumps({"a": [quoted], SECRET.decode(): "key"})
    async with caller.streaming() as talk:
        await talk.send(caller.event(1, body=body), caller.event(2, SECRET.decode()))
        await talk.acknowledged(2)
    [told] = await bodies_of(world, "run.agent.ready")
    assert (told["a"], told["«redacted»"]) == (["«redacted»"], "key")
    assert SECRET.decode() not in str(await incident(world, "runner_message_dropped"))


async def test_more_events_than_a_second_may_bring_are_folded_and_none_is_lost(world: World, caller: Caller) -> None:
    async with caller.streaming() as talk:
        await talk.send(*(caller.event(number, body=f'{{"n": {number}}}') for number in range(1, 301)))
        gaps = (f'{{"tool_gaps": ["tool-{number}"]}}' for number in range(60))
        await talk.send(*(caller.event(301 + at, "run.toolchain.gap_detected", gap) for at, gap in enumerate(gaps)))
        await talk.send(*(caller.usage(number, 10) for number in range(361, 661)))
        await talk.acknowledged(660)
        ready = await bodies_of(world, "run.agent.ready")
        assert [body["n"] for body in ready[:200]] == list(range(1, 201)), "the first are kept one by one"
        assert len(ready) < 250
        assert ready[-1]["n"] == 300
        assert sum(body.get("folded", 1) for body in ready) == 300
        found = await bodies_of(world, "run.toolchain.gap_detected")
        assert len(found) < 20
        assert {name for body in found for name in body["tool_gaps"]} == {f"tool-{number}" for number in range(60)}
        async with world.db.reading() as reader:
            [usage] = await reader.all(
                dict, "select count(*) as rows, sum(tokens_in)::int as sent, sum(tokens_out)::int as got from run_usage"
            )
        assert (usage["sent"], usage["got"]) == (3000, 600)
        assert usage["rows"] < 60
        world.clock.advance(timedelta(seconds=1))
        await talk.send(*(caller.event(number, body='{"n": 0}') for number in range(661, 671)))
        await talk.acknowledged(670)
    singly = [body for body in await bodies_of(world, "run.agent.ready") if body["n"] == 0]
    assert (len(singly), [body for body in singly if "folded" in body]) == (10, [])


async def test_a_message_of_the_stream_for_another_attempt_ends_it_and_is_told(world: World, caller: Caller) -> None:
    async with caller.streaming() as talk:
        foreign = caller.log(1, b"x")
        foreign.attempt.CopyFrom(common_pb2.Attempt(attempt_id=caller.attempt.attempt_id, generation=7))
        await talk.send(foreign)
        with REFUSED as refused:
            await talk.acknowledged(1)
    assert code_of(refused.value) == "permission_denied"
    assert "attempt_token_misused" in await world.incidents()


async def test_an_open_stream_ends_with_its_token(world: World) -> None:
    wakes = Wakes()
    async with open_door(world, wakes) as channel:
        caller = caller_of(world, channel, await world.launched())
        await caller.assignment()
        async with caller.streaming() as talk:
            await talk.acknowledged(0)
            world.clock.advance(caller.spec.deadline - world.clock.now() + timedelta(minutes=1))
            wakes.ring()
            with REFUSED as refused:
                await talk.acknowledged(1)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert code_of(refused.value) == "unauthenticated"


async def test_a_newer_stream_of_the_attempt_ends_the_older_one(world: World, caller: Caller) -> None:
    async with caller.streaming() as older:
        await older.acknowledged(0)
        async with caller.streaming() as newer:
            await newer.acknowledged(0)
            while await older.call.read() is not grpc.aio.EOF:
                continue
            await newer.send(caller.log(1, b"one\n"))
            await newer.acknowledged(1)
    assert await log_of(world, caller) == b"one\n"


async def test_a_secret_parted_by_a_reconnect_is_not_stored_in_two_halves(world: World, caller: Caller) -> None:
    world.redactor.add(SECRET)
    async with caller.streaming() as talk:
        await talk.send(caller.log(1, b"it is " + SECRET[:14]))
        await talk.acknowledged(1)
    async with caller.streaming() as talk:
        await talk.acknowledged(1)
        await talk.send(caller.log(2, SECRET[14:] + b" and so on\n"))
        await talk.acknowledged(2)
        await talk.done()
    stored = await log_of(world, caller)
    assert stored.decode() == f"it is {SECRET[:14].decode()}«redacted» and so on\n"


async def test_what_was_held_back_survives_a_batch_that_is_refused(world: World, caller: Caller) -> None:
    world.redactor.add(SECRET)
    foreign = caller.log(3, b"x")
    foreign.attempt.generation = 9
    async with caller.streaming() as talk:
        await talk.send(caller.log(1, b"it is " + SECRET[:14]))
        await talk.acknowledged(1)
        await talk.send(caller.log(2, SECRET[14:]), foreign)
        with REFUSED:
            await talk.acknowledged(3)
    async with caller.streaming() as talk:
        await talk.acknowledged(1)
        await talk.send(caller.log(2, b" nothing\n"))
        await talk.acknowledged(2)
        await talk.done()
    assert await log_of(world, caller) == b"it is " + SECRET[:14] + b" nothing\n"


async def test_a_chunks_time_is_the_platforms_when_the_runners_is_absurd(world: World, caller: Caller) -> None:
    absurd = caller.log(1, b"x\n")
    absurd.log.at = "9999-12-31T23:59:59-14:00"
    async with caller.streaming() as talk:
        await talk.send(absurd)
        await talk.acknowledged(1)
        await talk.done()
    async with world.db.reading() as reader:
        [chunk] = await log_rows.list_after(reader, caller.spec.attempt_id, "engine", after=0, limit=5)
    assert chunk.at == world.clock.now()
