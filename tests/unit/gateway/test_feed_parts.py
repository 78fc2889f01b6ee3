"""The parts of the feed by themselves: snapshots, memory, coalescing, the outbox, messages, the past."""

import asyncio
import itertools
from collections.abc import Iterator, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagewright.kit.feed import Snapshot
from stagewright.kit.journal import Entry
from stagewright.processes.gateway.realtime.coalescing import SILENCE, Coalescer
from stagewright.processes.gateway.realtime.frames import Line, Piece, line_of
from stagewright.processes.gateway.realtime.memory import Memory
from stagewright.processes.gateway.realtime.messages import NotUnderstood, Sub, read_message
from stagewright.processes.gateway.realtime.outbox import Limits, Outbox

AT = datetime(2026, 1, 5, tzinfo=UTC)
PROJECT = uuid4()


def an_entry(seq: int, tx: int = 0, kind: str = "project.changed", stream: str = "project:p", **body: Any) -> Entry:
    return Entry(seq, AT, "projects", stream, PROJECT, None, "c", "system", "x", kind, body, tx=tx)


def a_piece(seq: int, key: str) -> Piece:
    return next(p for p in line_of(an_entry(seq, id=key, version=seq)).pieces if p.frame.route == "projects")


def snapshot(xmax: int, *running: int) -> Snapshot:
    return Snapshot.of(f"{min(running, default=xmax)}:{xmax}:{','.join(map(str, sorted(running)))}")


SNAPSHOTS = st.builds(
    lambda xmax, running: snapshot(xmax, *(tx for tx in running if tx < xmax)),
    st.integers(1, 20),
    st.sets(st.integers(1, 19)),
)


class TestSnapshots:
    @given(SNAPSHOTS, SNAPSHOTS)
    def test_one_covers_another_when_it_saw_all_of_its_transactions(self, mine: Snapshot, other: Snapshot) -> None:
        missing = [tx for tx in range(1, 25) if other.saw(tx) and not mine.saw(tx)]
        assert not (mine.covers(other) and missing)
        if mine.xmax >= other.xmax:
            assert mine.covers(other) == (not missing)


class TestMemory:
    def filled(self, memory: Memory) -> None:
        """Two batches: transactions 5 and 7, then the late 6 and 8."""
        memory.add([self.line(1, 5), self.line(2, 7)])
        memory.complete(snapshot(8, 6))
        memory.add([self.line(3, 6), self.line(4, 8)])
        memory.complete(snapshot(9))

    def line(self, seq: int, tx: int) -> Line:
        return Line(seq, tx, (), 100)

    def found(self, lines: Iterator[Line] | None) -> list[int] | None:
        return None if lines is None else [line.seq for line in lines]

    @pytest.mark.parametrize(
        ("seen", "expected"),
        [
            (snapshot(5), [1, 2, 3, 4]),
            (snapshot(8, 6), [3, 4]),
            (snapshot(8, 5, 6), [1, 3, 4]),
            (snapshot(9), []),
            (snapshot(12, 8), [4]),
            (snapshot(4), None),
            (snapshot(9, 3), None),
        ],
    )
    def test_it_gives_what_a_cursor_did_not_see_or_nothing_at_all(
        self, seen: Snapshot, expected: list[int] | None
    ) -> None:
        memory = Memory(snapshot(5))
        self.filled(memory)
        assert self.found(memory.since(seen)) == expected

    def test_whole_batches_are_forgotten_oldest_first(self) -> None:
        memory = Memory(snapshot(5), most_rows=3)
        self.filled(memory)
        assert self.found(memory.since(snapshot(5))) is None
        assert self.found(memory.since(snapshot(8, 6))) == [3, 4]

    def test_a_batch_larger_than_the_memory_is_given_up_as_a_whole(self) -> None:
        memory = Memory(snapshot(5), most_bytes=250)
        memory.add([self.line(1, 5), self.line(2, 5)])
        memory.add([self.line(3, 5)])
        memory.complete(snapshot(6))
        assert self.found(memory.since(snapshot(5))) is None
        memory.add([self.line(4, 6)])
        memory.complete(snapshot(7))
        assert self.found(memory.since(snapshot(6))) == [4]

    def test_the_batch_under_way_is_not_given(self) -> None:
        memory = Memory(snapshot(5))
        memory.add([self.line(1, 5)])
        assert self.found(memory.since(snapshot(5))) == []


class TestCoalescing:
    def test_the_first_goes_out_and_later_ones_wait_for_silence(self) -> None:
        coalescer = Coalescer()
        assert coalescer.offer(a_piece(1, "a"), 1, AT)
        assert not coalescer.offer(a_piece(2, "a"), 2, AT)
        assert not coalescer.offer(a_piece(3, "a"), 3, AT)
        assert coalescer.offer(a_piece(4, "b"), 3, AT)
        assert (coalescer.oldest, coalescer.next_due(), coalescer.take_dropped()) == (2, AT + SILENCE, 1)
        assert coalescer.due(AT + SILENCE / 2) == []
        assert [piece.seq for piece in coalescer.due(AT + SILENCE)] == [3]
        assert (coalescer.oldest, coalescer.next_due()) == (None, None)
        assert not coalescer.offer(a_piece(5, "a"), 4, AT + SILENCE), "what was released counts as sent"
        assert coalescer.offer(a_piece(6, "b"), 4, AT + SILENCE)

    @given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 400)), max_size=60))
    def test_no_key_more_than_four_times_a_second_and_its_last_version_always(
        self, changes: list[tuple[str, int]]
    ) -> None:
        coalescer, now, sent = Coalescer(), AT, list[tuple[Piece, datetime]]()
        for number, (key, pause) in enumerate(changes, start=1):
            now += timedelta(milliseconds=pause)
            sent += [(piece, now) for piece in coalescer.due(now)]
            if coalescer.offer(a_piece(number, key), number, now):
                sent.append((a_piece(number, key), now))
        sent += [(piece, now + SILENCE) for piece in coalescer.due(now + SILENCE)]
        for key in {key for key, _ in changes}:
            mine = [(piece.seq, at) for piece, at in sent if piece.frame.key == key]
            assert [seq for seq, _ in mine] == sorted({seq for seq, _ in mine})
            assert mine[-1][0] == max(number for number, (name, _) in enumerate(changes, start=1) if name == key)
            assert all(later[1] - earlier[1] >= SILENCE for earlier, later in itertools.pairwise(mine))


class Wire:
    """Takes what an outbox writes; ``open`` lets it through."""

    def __init__(self) -> None:
        self.sent: list[MutableMapping[str, Any]] = []
        self.open = asyncio.Event()
        self._news = asyncio.Event()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        await self.open.wait()
        self.sent.append(message)
        self._news.set()

    async def wrote(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.sent) < count:
                self._news.clear()
                await self._news.wait()

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.sent if "text" in message]


class TestOutbox:
    async def test_what_was_promised_first_goes_first(self) -> None:
        wire, outbox = Wire(), Outbox(Limits())
        wire.open.set()
        outbox.push("live")
        running = asyncio.create_task(outbox.run(wire.send))
        outbox.begin("ready", iter(["past 1", "past 2"]))
        await wire.wrote(4)
        outbox.close(4400, "done")
        await running
        assert wire.texts == ["ready", "past 1", "past 2", "live"]
        assert wire.sent[-1] == {"type": "websocket.close", "code": 4400, "reason": "done"}

    def test_it_takes_so_many_messages_and_so_many_bytes(self) -> None:
        few = Outbox(Limits(messages=2))
        assert [few.push("x"), few.push("x"), few.push("x")] == [True, True, False]
        small = Outbox(Limits(bytes=10))
        assert [small.push("x" * 8), small.push("x" * 8), small.push(b"xx")] == [True, False, True]
        small.empty()
        assert small.push("x" * 10)

    def test_what_can_wait_needs_half_of_the_room(self) -> None:
        outbox = Outbox(Limits(messages=4))
        assert outbox.roomy
        outbox.push("x")
        outbox.push("x")
        assert not outbox.roomy

    async def test_a_write_that_is_blocked_for_too_long_ends_the_socket(self) -> None:
        wire, outbox = Wire(), Outbox(Limits(blocked=timedelta(seconds=0.01)))
        outbox.begin("ready", ())
        async with asyncio.timeout(5):
            await outbox.run(wire.send)
        assert outbox.closing == (4408, "too slow")

    async def test_giving_up_what_waits_keeps_the_greeting(self) -> None:
        wire, outbox = Wire(), Outbox(Limits())
        wire.open.set()
        outbox.push("live")
        outbox.begin("ready", iter(["past"]))
        outbox.empty()
        running = asyncio.create_task(outbox.run(wire.send))
        await wire.wrote(1)
        outbox.close(1000, "")
        await running
        assert wire.texts == ["ready"]


class TestMessages:
    def test_a_message_is_read_as_what_it_says(self) -> None:
        assert read_message('{"op":"sub","n":7,"topics":["runs"]}') == Sub(7, ["runs"], {})

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            '{"op":"sub"}',
            '{"op":"sub","n":"7"}',
            '{"op":"unsub","topics":"runs"}',
            '{"op":"hello","v":1,"logs":{"a":{"attempt":1}}}',
            '{"op":"sub","n":1,"topics":["\ud800"]}',
            '{"op":"sub","n":1,"topics":["' + "я" * 40_000 + '"]}',
        ],
    )
    def test_anything_else_is_not_understood(self, text: str) -> None:
        with pytest.raises(NotUnderstood):
            read_message(text)
