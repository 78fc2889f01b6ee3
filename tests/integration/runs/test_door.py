"""RN41, RN44 and the runner's protocol: over real gRPC, with the tokens a workload really gets."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta

import grpc
import pytest
from tests import factories
from tests.integration.runs.door import Caller, caller_of, code_of, open_door
from tests.world import World

from stagewright.contexts.runs.model import Attempt, Run, RunStatus
from stagewright.contexts.runs.rpc.stream import Wakes
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import logs as log_rows
from stagewright.contexts.runs.usecases import moves
from stagewright.wire.v1 import stream_pb2

SECRET = b"swordfish-0451-swordfish"
REFUSED = pytest.raises(grpc.aio.AioRpcError)


@pytest.fixture
async def channel(world: World) -> AsyncIterator[grpc.aio.Channel]:
    """Return a channel to the runner's door."""
    async with open_door(world) as opened:
        yield opened


async def two_runs(world: World) -> tuple[Run, Run]:
    """Return two launched runs."""
    return await world.launched(), await world.launched()


class TestTokens:
    """RN41: a token opens its own attempt's doors only."""

    async def test_rn41_a_token_speaks_for_no_other_attempt(self, world: World, channel: grpc.aio.Channel) -> None:
        first, second = await two_runs(world)
        thief, victim = caller_of(world, channel, first), caller_of(world, channel, second)
        await thief.assignment()
        await victim.assignment()
        thief.attempt = victim.attempt
        for act in (
            thief.assignment(),
            thief.source(),
            thief.outcome(),
            thief.propose(factories.a_report()),
            thief.save_session(b"x"),
            thief.session("01a202d3-17fc-7600-8664-605442127836"),
        ):
            with REFUSED as refused:
                await act
            assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
            assert code_of(refused.value) == "permission_denied"
        assert (await world.attempt_of(second)).outcome is None
        assert "attempt_token_misused" in await world.incidents()
        assert "incident.opened" in [kind for kind, _ in await world.journal()]

    async def test_rn41_another_attempts_session_is_denied_and_journalled(
        self, world: World, channel: grpc.aio.Channel
    ) -> None:
        first, second = await two_runs(world)
        thief, victim = caller_of(world, channel, first), caller_of(world, channel, second)
        await victim.assignment()
        await thief.assignment()
        session = await victim.save_session(b"archive")
        with REFUSED as refused:
            await thief.session(session)
        assert code_of(refused.value) == "permission_denied"
        assert "attempt_token_misused" in await world.incidents()

    @pytest.mark.parametrize("name", ["tools", "model"])
    async def test_rn41_a_token_of_another_class_is_no_token_here(
        self, world: World, channel: grpc.aio.Channel, name: str
    ) -> None:
        caller = caller_of(world, channel, await world.launched())
        with REFUSED as refused:
            await caller.assignment(**caller.options(name))
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert (await world.run_of(1)).status is RunStatus.PREPARING

    async def test_rn41_no_token_forged_token_and_late_token_are_refused_alike(
        self, world: World, channel: grpc.aio.Channel
    ) -> None:
        run = await world.launched()
        caller = caller_of(world, channel, run)
        forged = caller.spec.tokens["run"][:-4] + "AAAA"
        for metadata in ((), (("authorization", f"Bearer {forged}"),), (("authorization", "Basic eA=="),)):
            with REFUSED as refused:
                await caller.assignment(metadata=metadata)
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
        world.clock.advance(caller.spec.deadline - world.clock.now() + timedelta(minutes=1))
        with REFUSED as refused:
            await caller.assignment()
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED

    async def test_rn41_after_the_end_everything_answers_attempt_ended(
        self, world: World, channel: grpc.aio.Channel
    ) -> None:
        run = await world.launched()
        caller = caller_of(world, channel, run)
        await caller.assignment()
        await caller.outcome("agent_failed")
        world.workloads.finish(caller.spec.name, 0)
        await world.work()
        for act in (
            caller.source(),
            caller.save_session(b"x"),
            caller.propose(factories.a_report()),
            caller.outcome("completed"),
            caller.assignment(),
        ):
            with REFUSED as refused:
                await act
            assert code_of(refused.value) == "attempt_ended"

    async def test_minting_again_for_an_attempt_gives_the_same_claims(self, world: World) -> None:
        run = await world.launched()
        (spec,) = world.workloads.launches
        again = world.outside.mint_tokens(run, await world.attempt_of(run))
        assert again == dict(spec.tokens)


class TestSource:
    """The source reaches the workload as a bundle, resumable, without a forge credential."""

    async def test_the_source_is_a_bundle_that_can_be_resumed(self, world: World, channel: grpc.aio.Channel) -> None:
        caller = caller_of(world, channel, await world.launched())
        await caller.assignment()
        whole = await caller.source()
        data = b"".join(chunk.data for chunk in whole)
        assert hashlib.sha256(data).hexdigest() == whole[0].sha256
        assert len(data) == whole[0].total_bytes
        rest = await caller.source(offset=100)
        assert b"".join(chunk.data for chunk in rest) == data[100:]
        (end,) = await caller.source(offset=len(data))
        assert (end.offset, end.data) == (len(data), b"")


async def stored(world: World, attempt: Attempt, stream: str = "engine") -> tuple[list[log_rows.Chunk], bytes]:
    """Return a stream's chunks and bytes."""
    async with world.db.reading() as reader:
        chunks = [chunk async for chunk in log_rows.read(reader, attempt.id, stream)]
    return chunks, b"".join(chunk.chunk for chunk in chunks)


class TestLogs:
    """RN44: logs are numbered, capped, redacted over every border, and closed by their totals."""

    async def live(self, world: World, channel: grpc.aio.Channel) -> tuple[Run, Caller]:
        run = await world.launched()
        caller = caller_of(world, channel, run)
        await caller.assignment()
        return run, caller

    async def test_rn44_secrets_and_characters_split_over_chunks_do_not_leak_or_break(
        self, world: World, channel: grpc.aio.Channel
    ) -> None:
        world.redactor.add(SECRET)
        run, caller = await self.live(world, channel)
        text = "до секрета ".encode() + SECRET + " после\n".encode()
        async with caller.streaming() as talk:
            for number, at in enumerate(range(0, len(text), 3), start=1):
                await talk.send(caller.log(number, text[at : at + 3]))
                if number % 4 == 0:
                    await talk.acknowledged(number)  # a batch of its own
            await talk.acknowledged(number)
            await talk.done()
        _, data = await stored(world, await world.attempt_of(run))
        assert data.decode() == "до секрета «redacted» после\n"

    async def test_rn44_a_reconnect_in_the_middle_loses_and_repeats_nothing(
        self, world: World, channel: grpc.aio.Channel
    ) -> None:
        run, caller = await self.live(world, channel)
        async with caller.streaming() as talk:
            await talk.send(caller.log(1, b"one\n"), caller.log(2, b"two\n"))
            await talk.acknowledged(2)
        async with caller.streaming() as talk:
            await talk.acknowledged(2)
            await talk.send(caller.log(2, b"two\n"), caller.log(3, b"three\n"))
            await talk.acknowledged(3)
            await talk.done()
        chunks, data = await stored(world, await world.attempt_of(run))
        assert data == b"one\ntwo\nthree\n"
        assert [chunk.stream_seq for chunk in chunks] == [1, 2, 3]
        assert [chunk.from_byte for chunk in chunks] == [0, 4, 8]
        assert [chunk.from_line for chunk in chunks] == [0, 1, 2]

    async def test_a_gap_in_the_numbers_is_refused(self, world: World, channel: grpc.aio.Channel) -> None:
        _, caller = await self.live(world, channel)
        async with caller.streaming() as talk:
            await talk.send(caller.log(2, b"two\n"))
            with REFUSED as refused:
                await talk.acknowledged(2)
        assert code_of(refused.value) == "sequence_gap"

    async def test_rn44_totals_and_digest_are_written_also_when_the_runner_was_killed(
        self, world: World, channel: grpc.aio.Channel
    ) -> None:
        run, caller = await self.live(world, channel)
        async with caller.streaming() as talk:
            for number in range(1, 21):
                await talk.send(caller.log(number, bytes([64 + number]) * 50_000 + b"\n"))
            await talk.acknowledged(20)
        attempt = await world.attempt_of(run)
        world.workloads.lose(attempt.workload_name)
        for seconds in (1, 15):
            await world.tick(seconds)
        chunks, data = await stored(world, attempt)
        async with world.db.reading() as reader:
            end = (await log_rows.ends(reader, attempt.id))["engine"]
        assert [chunk.stream_seq for chunk in chunks] == list(range(1, len(chunks) + 1))
        assert (end.bytes, end.lines, end.sha256) == (len(data), 20, hashlib.sha256(data).digest())
        assert len(data) == 20 * 50_001

    async def test_rn44_past_the_cap_stands_one_marker_and_then_nothing(self, world: World) -> None:
        run = await world.started()
        attempt = await world.attempt_of(run)
        cap, line = 300_000, b"x" * 999 + b"\n"
        for number in range(12):
            async with world.db.transaction() as tx:
                stream = ("engine", "runner")[number % 2]
                await log_rows.append(tx, attempt.id, [(stream, world.clock.now(), line * 50)], cap=cap)
        engine, runner = await stored(world, attempt), await stored(world, attempt, "runner")
        marks = (engine[1] + runner[1]).count(b"[stagewright] the log reached its limit")
        assert marks == 1
        assert len(engine[1]) + len(runner[1]) <= cap + 200
        for chunks, _ in (engine, runner):
            assert [chunk.stream_seq for chunk in chunks] == list(range(1, len(chunks) + 1))
        await world.report(run, "agent_failed")
        await world.work()
        async with world.db.reading() as reader:
            ends = await log_rows.ends(reader, attempt.id)
        assert ends["engine"].sha256 == hashlib.sha256(engine[1]).digest()
        assert ends["engine"].bytes == len(engine[1])

    async def test_what_was_held_back_at_the_end_of_a_stream_is_kept(
        self, world: World, channel: grpc.aio.Channel
    ) -> None:
        world.redactor.add(SECRET)
        run, caller = await self.live(world, channel)
        async with caller.streaming() as talk:
            await talk.send(caller.log(1, b"it begins: " + SECRET[:10]))
            await talk.acknowledged(1)
            await talk.done()
        _, data = await stored(world, await world.attempt_of(run))
        assert data == b"it begins: " + SECRET[:10]


class TestOrders:
    """What the platform tells a runner on its stream."""

    async def test_a_stop_and_a_verdict_reach_the_runner_and_again_after_a_reconnect(self, world: World) -> None:
        wakes = Wakes()
        async with open_door(world, wakes) as channel, asyncio.timeout(10):
            run = await world.launched()
            caller = caller_of(world, channel, run)
            assignment = await caller.assignment()
            run = await world.fresh(run)
            tree = await world.tree(run)
            tree.commit("work", hello_dot_py="print()\n")
            async with caller.streaming() as talk:
                await talk.acknowledged(0)
                await caller.propose(factories.a_report(), tree.bundle(assignment.base_sha))
                await world.turn()
                wakes.ring()
                verdict = await talk.told("result_checked")
                assert (verdict.result_checked.accepted, verdict.result_checked.proposal_no) == (True, 1)
            async with caller.streaming() as talk:
                await talk.told("result_checked")
                async with world.db.transaction() as tx:
                    await moves.request_stop(tx, run, "superseded", now=world.clock.now())
                wakes.ring()
                stop = await talk.told("stop")
            assert (stop.stop.reason, stop.stop.grace_seconds) == ("superseded", 30)

    async def test_only_events_of_the_allow_list_are_journalled(self, world: World, channel: grpc.aio.Channel) -> None:
        run = await world.launched()
        caller = caller_of(world, channel, run)
        await caller.assignment()
        ready = stream_pb2.RunnerEvent(kind="run.agent.ready", at="2026-01-05T12:00:00Z", body='{"turn": 1}')
        forged = stream_pb2.RunnerEvent(kind="run.succeeded", at="2026-01-05T12:00:00Z", body="{}")
        async with caller.streaming() as talk:
            await talk.send(stream_pb2.RunnerMessage(number=1, attempt=caller.attempt, event=ready))
            await talk.acknowledged(1)
            await talk.send(stream_pb2.RunnerMessage(number=2, attempt=caller.attempt, event=forged))
            await talk.acknowledged(2)
        kinds = await world.events(run)
        assert "run.agent.ready" in kinds
        assert "run.succeeded" not in kinds
        async with world.db.reading() as reader:
            assert (await attempt_rows.get(reader, caller.spec.attempt_id)).last_message_no == 2
