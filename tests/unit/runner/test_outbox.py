"""Numbering and at-least-once sending, without a network."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagewright.kit.redact import Redactor
from stagewright.processes.runner import outbox as module
from stagewright.processes.runner.outbox import WINDOW_MESSAGES, Outbox
from stagewright.wire.v1 import common_pb2, stream_pb2

SECRET = "canary-0123456789-secret-value"


def an_outbox() -> Outbox:
    return Outbox(common_pb2.Attempt(attempt_id="a", generation=1), Redactor([SECRET]))


def all_of(outbox: Outbox) -> list[stream_pb2.RunnerMessage]:
    """Return what can be sent now."""
    messages = []
    while (message := outbox.next()) is not None:
        messages.append(message)
    return messages


async def test_messages_are_numbered_from_one_in_order() -> None:
    outbox = an_outbox()
    for name in ("a", "b", "c"):
        outbox.event("run.agent.ready", name=name)
    sent = all_of(outbox)
    assert [message.number for message in sent] == [1, 2, 3]
    assert [json.loads(message.event.body)["name"] for message in sent] == ["a", "b", "c"]


async def test_a_new_stream_sends_what_was_not_acknowledged_under_the_same_numbers() -> None:
    outbox = an_outbox()
    for number in range(5):
        outbox.event("run.agent.ready", number=number)
    first = all_of(outbox)
    outbox.acknowledged(2)
    outbox.rewind()
    outbox.event("run.agent.started")
    again = all_of(outbox)
    assert again[:3] == first[2:]
    assert [message.number for message in again] == [3, 4, 5, 6]
    assert outbox.last_acked == 2


async def test_the_window_bounds_what_is_unacknowledged() -> None:
    outbox = an_outbox()
    for number in range(WINDOW_MESSAGES + 10):
        outbox.event("run.agent.ready", number=number)
    assert len(all_of(outbox)) == WINDOW_MESSAGES
    assert outbox.delay() is None
    outbox.acknowledged(10)
    assert len(all_of(outbox)) == 10


async def test_only_the_newest_heartbeat_waits() -> None:
    outbox = an_outbox()
    outbox.beat(engine_alive=False)
    outbox.beat(engine_alive=True)
    [message] = all_of(outbox)
    assert message.heartbeat.engine_alive
    assert message.number == 1


async def test_event_bodies_are_redacted_and_bounded() -> None:
    outbox = an_outbox()
    outbox.event("run.agent.ready", text=f"see {SECRET}")
    outbox.event("run.agent.ready", text="x" * 20_000)
    small, large = all_of(outbox)
    assert SECRET not in small.event.body
    assert json.loads(large.event.body) == {"truncated": True, "keys": ["text"]}


async def test_a_full_buffer_holds_the_engine_up_only_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_BLOCK_SECONDS", 0.05)
    outbox = an_outbox()
    started = asyncio.get_running_loop().time()
    for _ in range(40):
        await outbox.log("engine", b"x" * 1024 * 1024)
    assert asyncio.get_running_loop().time() - started < 3


async def test_draining_ends_when_everything_is_acknowledged() -> None:
    outbox = an_outbox()
    await outbox.log("runner", b"the beginning of a canary-0123")
    outbox.event("run.agent.ready")
    draining = asyncio.create_task(outbox.drain(5))
    await asyncio.sleep(0)
    sent = all_of(outbox)
    assert not draining.done()
    outbox.acknowledged(sent[-1].number)
    assert await draining
    assert b"canary-0123" in b"".join(message.log.data for message in sent)


async def test_draining_gives_up_in_time() -> None:
    outbox = an_outbox()
    outbox.event("run.agent.ready")
    assert not await outbox.drain(0.01)


@given(st.lists(st.sampled_from(["event", "log", "send", "ack", "cut"]), max_size=60))
def test_whatever_happens_the_platform_gets_every_number_once_in_order(steps: list[str]) -> None:
    async def play() -> None:
        outbox = an_outbox()
        received: list[int] = []
        bodies: list[str] = []
        put = 0
        for step in [*steps, "cut", "send", "ack"]:
            if step == "event":
                put += 1
                outbox.event("run.agent.ready", n=put)
            elif step == "log":
                await outbox.log("engine", b"x" * 40_000)
            elif step == "send" and (message := outbox.next()):
                assert message.number <= len(received) + 1
                if message.number == len(received) + 1:
                    received.append(message.number)
                    bodies.append(message.event.body)
            elif step == "ack":
                outbox.acknowledged(len(received))
            elif step == "cut":
                outbox.rewind()
        outbox.rewind()
        for message in all_of(outbox):
            if message.number == len(received) + 1:
                received.append(message.number)
                bodies.append(message.event.body)
        assert received == list(range(1, len(received) + 1))
        assert [json.loads(body)["n"] for body in bodies if body] == list(range(1, put + 1))

    asyncio.run(play())
