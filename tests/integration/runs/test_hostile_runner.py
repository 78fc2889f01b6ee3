"""A workload that sends nonsense gets a clear answer; nothing of it breaks a loop or a row."""

from collections.abc import AsyncIterator

import grpc
import pytest
from tests import factories
from tests.integration.runs.door import Caller, caller_of, code_of, open_door
from tests.world import World

from stagewright.contexts.runs.model import RunStatus
from stagewright.wire.v1 import outcome_pb2, result_pb2, stream_pb2

REFUSED = pytest.raises(grpc.aio.AioRpcError)
NONSENSE = [
    "not json",
    "[]",
    '{"a": "\\u0000"}',
    '{"a": "\\ud800"}',
    '{"\\u0000": 1}',
    "[" * 100_000,
    '{"a":' * 500 + "1" + "}" * 500,
    '{"a": ' + "9" * 5000 + "}",
]


@pytest.fixture
async def caller(world: World) -> AsyncIterator[Caller]:
    """Return the caller of a live attempt."""
    async with open_door(world) as channel:
        made = caller_of(world, channel, await world.launched())
        await made.assignment()
        yield made


@pytest.mark.parametrize("text", NONSENSE, ids=lambda text: text[:20])
async def test_a_report_that_no_row_could_hold_is_refused_by_name(caller: Caller, text: str) -> None:
    header = result_pb2.ProposeResultHeader(attempt=caller.attempt, proposal_no=1, report=text)

    async def parts() -> AsyncIterator[result_pb2.ProposeResultPart]:
        yield result_pb2.ProposeResultPart(header=header)

    with REFUSED as refused:
        await caller.stub.ProposeResult(parts(), **caller.options())
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "report" in str(refused.value.details())


async def test_a_bundle_that_is_not_the_announced_one_is_refused(caller: Caller) -> None:
    for announced, sent in ((3, b"four"), (4, b"other")):
        header = result_pb2.ProposeResultHeader(
            attempt=caller.attempt, proposal_no=1, report="{}", bundle_bytes=announced, bundle_sha256="0" * 64
        )

        async def parts(
            header: result_pb2.ProposeResultHeader = header, sent: bytes = sent
        ) -> AsyncIterator[result_pb2.ProposeResultPart]:
            yield result_pb2.ProposeResultPart(header=header)
            yield result_pb2.ProposeResultPart(bundle=sent)

        with REFUSED as refused:
            await caller.stub.ProposeResult(parts(), **caller.options())
        assert code_of(refused.value) == "invalid"


@pytest.mark.parametrize(
    "body", [*NONSENSE[:7], '{"a": NaN, "v": 7}', '{"a": "' + "x" * 16_000 + '"}'], ids=lambda body: body[:20]
)
async def test_an_events_body_is_checked_before_the_journal_has_it(world: World, caller: Caller, body: str) -> None:
    event = stream_pb2.RunnerEvent(kind="run.agent.ready", at="", body=body)
    allowed = "NaN" in body
    async with caller.streaming() as talk:
        await talk.send(stream_pb2.RunnerMessage(number=1, attempt=caller.attempt, event=event))
        await talk.acknowledged(1)
    told = [body for kind, body in await world.journal() if kind == "run.agent.ready"]
    assert told == ([{"v": 1, "a": "NaN", "attempt": caller.attempt.attempt_id}] if allowed else [])
    assert ("runner_message_dropped" in await world.incidents()) is not allowed


async def test_odd_numbers_and_texts_of_an_outcome_fit_their_columns(world: World, caller: Caller) -> None:
    request = outcome_pb2.ReportOutcomeRequest(
        attempt=caller.attempt,
        outcome="agent_failed",
        code="engine\x00_error" * 20,
        detail="bad\x00 things " * 10_000,
        tokens_in=2**64 - 1,
        tokens_out=2**64 - 1,
    )
    assert (await caller.stub.ReportOutcome(request, **caller.options())).accepted
    world.workloads.finish(caller.spec.name, 0)
    await world.work()
    run = await world.run_of(1)
    assert run.status is RunStatus.FAILED
    assert run.tokens_in == 2**53
    assert str(run.detail).startswith("bad things")


async def test_a_result_with_long_paths_everywhere_still_gets_its_verdict(world: World) -> None:
    run = await world.started("run:vision")
    tree = await world.tree(run)
    for number in range(60):
        tree.write(f"{'d' * 200}/{'e' * 200}/{'f' * 200}/{number:03d}.py", "x\n")
    tree.commit("work")
    await world.hand_over(run, bundle=tree.bundle(str(run.base_sha)), report=factories.a_report())
    await world.turn()
    checked = [body for kind, body in await world.journal() if kind == "run.result.checked"]
    assert checked[0]["violations"][0]["more_paths"] == 42
