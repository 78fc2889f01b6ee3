"""Log topics of the socket: chunks in order, gaps named, ends told, attempts one after the other."""

from datetime import timedelta
from typing import Any

from tests.fakes.clock import FakeClock
from tests.fakes.gateway import Gateway
from tests.fakes.socket import Client, Listening

from stagewright.contexts.runs import api as runs
from stagewright.contexts.runs.model import AttemptId
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import logs as log_rows
from stagewright.kit.ids import uuid7


async def an_attempt(gateway: Gateway, run: runs.Run, generation: int = 1) -> AttemptId:
    """Begin an attempt of the run; the one before has ended."""
    now, attempt = gateway.clock.now(), AttemptId(uuid7())
    async with gateway.db.transaction() as tx:
        await tx.execute("update attempts set status = 'ended', ended_at = now() where run_id = %(run)s", run=run.id)
        values: dict[str, Any] = {"id": attempt, "run_id": run.id, "generation": generation, "reason": "first"}
        values |= {"workload_name": f"sw-{generation}", "workload_kind": "local", "restored_session_id": None}
        await attempt_rows.insert(tx, values | {"deadline": now, "now": now})
    return attempt


async def write(gateway: Gateway, attempt: AttemptId, *pieces: bytes) -> None:
    """Store chunks, as the runner's door does, and ring."""
    for piece in pieces:
        async with gateway.db.transaction() as tx:
            await log_rows.append(tx, attempt, [("engine", gateway.clock.now(), piece)])
    gateway.db.ring()


async def close(gateway: Gateway, attempt: AttemptId) -> None:
    """End the streams, as the end of the attempt does."""
    async with gateway.db.transaction() as tx:
        await log_rows.close(tx, attempt, gateway.clock.now())
    gateway.db.ring()


def mark(attempt: int, stream_seq: int) -> dict[str, int]:
    return {"attempt": attempt, "stream_seq": stream_seq}


def numbers(client: Client) -> list[int]:
    return [header["stream_seq"] for header, _ in client.chunks if "eof" not in header]


def ends(client: Client) -> list[dict[str, Any]]:
    return [header["eof"] for header, _ in client.chunks if "eof" in header]


async def test_chunks_come_in_order_from_the_mark_and_the_end_is_told(server: Listening) -> None:
    gateway = server.gateway
    _, _, run = await gateway.scene()
    attempt = await an_attempt(gateway, run)
    await write(gateway, attempt, b"one\n", b"two\n")
    owner, topic = await gateway.person(role="owner"), f"run.logs:{run.id}:engine"
    async with server.open(owner) as client:
        await client.hello(topic, logs={topic: mark(1, 1)})
        await client.until(lambda: numbers(client) == [2])
        await write(gateway, attempt, "drei: Grü".encode()[:-1], "ü\n".encode()[1:])
        await client.until(lambda: numbers(client) == [2, 3, 4])
        await close(gateway, attempt)
        await client.until(lambda: ends(client) != [])
    assert [data for _, data in client.chunks[:3]] == [b"two\n", "drei: Grü".encode()[:-1], b"\xbc\n"]
    assert [(header["from_byte"], header["from_line"]) for header, _ in client.chunks[:3]] == [(4, 1), (8, 2), (17, 2)]
    (end,) = ends(client)
    assert (end["bytes"], end["lines"], len(end["sha256"])) == (19, 3, 64)


async def test_a_chunk_and_the_end_say_when_they_were_written(server: Listening, clock: FakeClock) -> None:
    gateway = server.gateway
    _, _, run = await gateway.scene()
    attempt = await an_attempt(gateway, run)
    owner, topic = await gateway.person(role="owner"), f"run.logs:{run.id}:engine"
    times = []
    async with server.open(owner) as client:
        await client.hello(topic, logs={topic: mark(1, 0)})
        for piece in (b"one\n", b"two\n"):
            times.append(clock.now().isoformat())
            await write(gateway, attempt, piece)
            clock.advance(timedelta(seconds=3))
        times.append(clock.now().isoformat())
        await close(gateway, attempt)
        await client.until(lambda: ends(client) != [])
    assert [header["at"] for header, _ in client.chunks] == times


async def test_without_a_mark_only_what_comes_is_sent(server: Listening) -> None:
    gateway = server.gateway
    _, _, run = await gateway.scene()
    attempt = await an_attempt(gateway, run)
    await write(gateway, attempt, b"old\n")
    owner, topic = await gateway.person(role="owner"), f"run.logs:{run.id}:engine"
    async with server.open(owner) as client:
        await client.hello(topic)
        await server.live.logs.look()
        await write(gateway, attempt, b"new\n")
        await client.until(lambda: numbers(client) == [2])


async def test_a_new_attempt_begins_a_section_after_the_end_of_the_old_one(server: Listening) -> None:
    gateway = server.gateway
    _, _, run = await gateway.scene()
    owner, topic = await gateway.person(role="owner"), f"run.logs:{run.id}:engine"
    async with server.open(owner) as client:
        await client.hello(topic)
        await server.live.logs.look()
        first = await an_attempt(gateway, run)
        await write(gateway, first, b"a\n")
        await client.until(lambda: len(client.chunks) == 1)
        await close(gateway, first)
        second = await an_attempt(gateway, run, 2)
        await write(gateway, second, b"b\n")
        await client.until(lambda: len(client.chunks) == 3)
    assert [(header["attempt"], "eof" in header) for header, _ in client.chunks] == [(1, False), (1, True), (2, False)]


async def test_a_missing_chunk_is_waited_for_and_then_named(server: Listening, clock: FakeClock) -> None:
    gateway = server.gateway
    _, _, run = await gateway.scene()
    attempt = await an_attempt(gateway, run)
    owner, topic = await gateway.person(role="owner"), f"run.logs:{run.id}:engine"
    async with server.open(owner) as client:
        await client.hello(topic, logs={topic: mark(1, 0)})
        await write(gateway, attempt, b"1\n", b"2\n", b"3\n")
        await client.until(lambda: numbers(client) == [1, 2, 3])
        async with gateway.db.transaction() as tx:
            await log_rows.append(tx, attempt, [("engine", clock.now(), b"4\n"), ("engine", clock.now(), b"5\n")])
            await tx.execute("delete from run_logs where stream_seq = 4")
        gateway.db.ring()
        for _ in range(5):
            await server.live.logs.look()
            await clock.run(timedelta(seconds=2))
        assert numbers(client) == [1, 2, 3]
        await clock.run(timedelta(seconds=3))
        await server.live.logs.look()
        assert (await client.heard("error"))["code"] == "log_gap"
        await server.live.logs.look()
        await client.until(lambda: numbers(client) == [1, 2, 3, 5])


async def test_a_reader_far_behind_is_sent_to_rest_and_goes_on_at_the_head(server: Listening, clock: FakeClock) -> None:
    gateway = server.gateway
    _, _, run = await gateway.scene()
    attempt = await an_attempt(gateway, run)
    async with gateway.db.transaction() as tx:
        await log_rows.append(tx, attempt, [("engine", clock.now(), b"x\n")] * 100)
    owner, topic = await gateway.person(role="owner"), f"run.logs:{run.id}:engine"
    async with server.open(owner) as client:
        await client.hello(topic, logs={topic: mark(1, 0)})
        assert (await client.heard("error")) == {"op": "error", "topic": topic, "code": "log_lag"}
        await clock.run(timedelta(seconds=2))
        await write(gateway, attempt, b"y\n")
        await client.until(lambda: 101 in numbers(client))
        place = (await gateway.get(f"/runs/{run.id}/logs/engine", owner, params={"from_byte": 0})).json()
        assert place["bytes"] == 202


async def test_no_more_than_ten_chunks_a_second_are_sent(server: Listening, clock: FakeClock) -> None:
    gateway = server.gateway
    _, _, run = await gateway.scene()
    attempt = await an_attempt(gateway, run)
    async with gateway.db.transaction() as tx:
        await log_rows.append(tx, attempt, [("engine", clock.now(), b"x\n")] * 25)
    owner, topic = await gateway.person(role="owner"), f"run.logs:{run.id}:engine"
    async with server.open(owner) as client:
        await client.hello(topic, logs={topic: mark(1, 0)})
        await client.until(lambda: len(client.chunks) == 10)
        for _ in range(3):
            await server.live.logs.look()
        await client.sub(1)
        assert len(client.chunks) == 10
        clock.advance(timedelta(seconds=1))
        await server.live.logs.look()
        await client.until(lambda: len(client.chunks) == 20)


async def test_a_crashed_attempt_without_output_ends_too(server: Listening) -> None:
    gateway = server.gateway
    _, _, run = await gateway.scene()
    attempt = await an_attempt(gateway, run)
    owner, topic = await gateway.person(role="owner"), f"run.logs:{run.id}:runner"
    async with server.open(owner) as client:
        await client.hello(topic, logs={topic: mark(1, 0)})
        await close(gateway, attempt)
        await client.until(lambda: ends(client) != [])
        assert ends(client)[0]["bytes"] == 0


async def test_a_chunk_after_the_end_of_its_attempt_is_refused(server: Listening) -> None:
    gateway = server.gateway
    _, _, run = await gateway.scene()
    old = await an_attempt(gateway, run)
    new = await an_attempt(gateway, run, 2)
    await write(gateway, old, b"late\n")
    await write(gateway, new, b"new\n")
    owner, topic = await gateway.person(role="owner"), f"run.logs:{run.id}:engine"
    async with server.open(owner) as client:
        await client.hello(topic, logs={topic: mark(2, 0)})
        await client.until(lambda: [data for _, data in client.chunks] == [b"new\n"])


async def test_one_statement_serves_all_readers_of_a_log(server: Listening) -> None:
    gateway = server.gateway
    _, _, run = await gateway.scene()
    attempt = await an_attempt(gateway, run)
    owner, topic = await gateway.person(role="owner"), f"run.logs:{run.id}:engine"
    async with server.open(owner) as first, server.open(owner) as second:
        await first.hello(topic, logs={topic: mark(1, 0)})
        await second.hello(topic, logs={topic: mark(1, 0)})
        await write(gateway, attempt, b"x\n")
        await first.until(lambda: numbers(first) == [1])
        await second.until(lambda: numbers(second) == [1])
        await second.say(op="unsub", topics=[topic])
        await second.sub(1)
        await write(gateway, attempt, b"y\n")
        await first.until(lambda: numbers(first) == [1, 2])
        assert numbers(second) == [1]
