"""The runner's single calls and uploads as a hostile or broken workload makes them."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import grpc
import pytest
from tests import factories
from tests.integration.runs.door import Caller, caller_of, code_of, open_door
from tests.world import World

from stagewright.contexts.agents import api as agents
from stagewright.contexts.runs.errors import AttemptEnded
from stagewright.contexts.runs.model import AttemptStatus, RunStatus
from stagewright.contexts.runs.rpc.limits import Slots
from stagewright.contexts.runs.usecases import sessions
from stagewright.kit.crypto import Keyring, Sealer
from stagewright.kit.errors import LimitReached
from stagewright.wire.v1 import common_pb2, outcome_pb2, result_pb2, session_pb2

SECRET = "swordfish-0451-swordfish"
REFUSED = pytest.raises(grpc.aio.AioRpcError)


@pytest.fixture
async def caller(world: World) -> AsyncIterator[Caller]:
    """Return the caller of a live attempt."""
    async with open_door(world) as channel:
        made = caller_of(world, channel, await world.launched())
        await made.assignment()
        yield made


async def incident(world: World, code: str) -> dict[str, Any]:
    """Return the one incident with ``code``."""
    async with world.db.reading() as reader:
        [row] = await reader.all(dict, "select level, message, details from incidents where code = %(code)s", code=code)
    return row


async def test_an_attempt_without_its_assignment_is_told_to_ask_again_and_is_not_live(world: World) -> None:
    async with open_door(world) as channel:
        caller = caller_of(world, channel, run := await world.launched())
        async with world.db.transaction() as tx:
            kept = await tx.value("select assignment from attempts where id = %(id)s", id=caller.spec.attempt_id)
            await tx.execute("update attempts set assignment = null where id = %(id)s", id=caller.spec.attempt_id)
        with REFUSED as refused:
            await caller.assignment()
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        assert code_of(refused.value) == "attempt.no_assignment"
        assert (await world.attempt_of(run)).status is AttemptStatus.LAUNCHING
        assert (await world.fresh(run)).status is RunStatus.PREPARING
        async with world.db.transaction() as tx:
            await tx.execute(
                "update attempts set assignment = %(kept)s where id = %(id)s", kept=kept, id=caller.spec.attempt_id
            )
        assert (await caller.assignment()).attempt_id == str(caller.spec.attempt_id)


async def test_a_problems_details_are_redacted_in_keys_values_and_lists(world: World, caller: Caller) -> None:
    world.redactor.add(SECRET)
    details = {"env": {SECRET: [f"token={SECRET}", 7]}, "long": "x" * 200}
    request = outcome_pb2.ReportProblemRequest(
        attempt=caller.attempt,
        level="error",
        code=f"Code {SECRET}",
        text=f"it said {SECRET}" + "y" * 9000,
        details=json.dumps(details),
    )
    await caller.stub.ReportProblem(request, **caller.options())
    told = await incident(world, "runner_problem")
    assert told["details"]["env"] == {"«redacted»": ["token=«redacted»", 7]}
    assert told["message"].startswith("it said «redacted»")
    assert len(told["message"]) == 4000
    assert SECRET not in str(told)


async def test_a_flood_of_problems_leaves_a_bounded_number_of_incidents(world: World, caller: Caller) -> None:
    def problem(number: int) -> outcome_pb2.ReportProblemRequest:
        words = "".join(chr(97 + int(digit)) for digit in str(number))
        return outcome_pb2.ReportProblemRequest(attempt=caller.attempt, level="error", code="flood", text=words)

    for number in range(60):
        await caller.stub.ReportProblem(problem(number), **caller.options())
    with REFUSED as refused:
        await caller.stub.ReportProblem(problem(61), **caller.options())
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    world.clock.advance(timedelta(minutes=1))
    await caller.stub.ReportProblem(problem(62), **caller.options())


async def test_a_sessions_manifest_holds_no_secret(world: World, caller: Caller) -> None:
    world.redactor.add(SECRET)
    header = session_pb2.SessionHeader(
        engine="scripted",
        manifest=json.dumps({f"{SECRET}.txt": {"bytes": 1}}),
        reason="turn",
        archive_sha256=hashlib.sha256(b"a").hexdigest(),
    )

    async def parts() -> AsyncIterator[session_pb2.SaveSessionPart]:
        yield session_pb2.SaveSessionPart(header=session_pb2.SaveSessionHeader(attempt=caller.attempt, session=header))
        yield session_pb2.SaveSessionPart(archive=b"a")

    await caller.stub.SaveSession(parts(), **caller.options())
    async with world.db.reading() as reader:
        assert await reader.value("select manifest from agent_sessions") == {"«redacted».txt": {"bytes": 1}}


async def test_details_larger_than_the_page_allows_leave_their_names(world: World, caller: Caller) -> None:
    request = outcome_pb2.ReportProblemRequest(
        attempt=caller.attempt, level="warning", code="disk.full", text="full", details=json.dumps({"a": "x" * 20_000})
    )
    await caller.stub.ReportProblem(request, **caller.options())
    assert (await incident(world, "disk.full"))["details"] == {"truncated": True, "names": ["a"]}


async def test_a_session_under_a_missing_key_is_the_platforms_fault_and_comes_back_with_the_key(world: World) -> None:
    async with open_door(world) as channel:
        caller = caller_of(world, channel, await world.launched())
        await caller.assignment()
        session = await caller.save_session(b"archive")
        async with world.db.transaction() as tx:
            await tx.execute(
                "update attempts set restored_session_id = %(session)s where id = %(id)s",
                session=session,
                id=caller.spec.attempt_id,
            )
        other = Sealer(Keyring.parse(Keyring.generate("other")), "sessions")
        async with open_door(world, sealer=other) as elsewhere:
            with REFUSED as refused:
                await caller_of(world, elsewhere, await world.run_of(1)).session(session)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        told = await incident(world, "session.key_missing")
        assert told["level"] == "critical"
        assert "STAGEWRIGHT_ROOT_KEYS" in told["message"]
        chunks = await caller.session(session)
        assert b"".join(chunk.archive for chunk in chunks) == b"archive"


@pytest.mark.parametrize("call", ["SaveSession", "ProposeResult"])
async def test_an_upload_without_a_token_is_refused_before_its_end(caller: Caller, call: str) -> None:
    never = asyncio.Event()

    async def parts() -> AsyncIterator[Any]:
        if call == "SaveSession":
            yield session_pb2.SaveSessionPart(archive=bytes(1024))
        else:
            yield result_pb2.ProposeResultPart(bundle=bytes(1024))
        await never.wait()

    with REFUSED as refused:
        await getattr(caller.stub, call)(parts(), timeout=10)
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert code_of(refused.value) == "unauthenticated"


async def test_a_large_upload_that_is_refused_hears_why(world: World, caller: Caller) -> None:
    world.workloads.lose(caller.spec.name)
    for seconds in (1, 15):
        await world.tick(seconds)
    for act in (
        caller.save_session(bytes(4), bytes(3_000_000)),
        caller.propose(factories.a_report(), bytes(3_000_000)),
    ):
        with REFUSED as refused:
            await act
        assert code_of(refused.value) in ("attempt_ended", "generation_stale")


async def test_an_upload_has_one_header_and_it_comes_first(caller: Caller) -> None:
    mine = session_pb2.SaveSessionHeader(attempt=caller.attempt, session=session_pb2.SessionHeader(engine="scripted"))
    other = session_pb2.SaveSessionHeader(attempt=common_pb2.Attempt(attempt_id="other", generation=1))
    archive = session_pb2.SaveSessionPart(archive=b"x")
    orders: Sequence[list[session_pb2.SaveSessionPart]] = (
        [archive],
        [],
        [session_pb2.SaveSessionPart(header=mine), session_pb2.SaveSessionPart(header=other)],
    )
    for order in orders:

        async def parts(order: list[session_pb2.SaveSessionPart] = order) -> AsyncIterator[session_pb2.SaveSessionPart]:
            for part in order:
                yield part

        with REFUSED as refused:
            await caller.stub.SaveSession(parts(), **caller.options())
        assert code_of(refused.value) == "invalid"
        assert "header" in str(refused.value.details())


async def test_a_session_that_is_not_the_announced_one_is_invalid(caller: Caller) -> None:
    header = session_pb2.SessionHeader(
        engine="scripted", manifest="{}", reason="turn", archive_sha256=hashlib.sha256(b"other").hexdigest()
    )

    async def parts() -> AsyncIterator[session_pb2.SaveSessionPart]:
        yield session_pb2.SaveSessionPart(header=session_pb2.SaveSessionHeader(attempt=caller.attempt, session=header))
        yield session_pb2.SaveSessionPart(archive=b"archive")

    with REFUSED as refused:
        await caller.stub.SaveSession(parts(), **caller.options())
    assert code_of(refused.value) == "invalid"


async def test_no_session_is_stored_for_an_attempt_that_ended_during_the_upload(world: World) -> None:
    run = await world.started()
    attempt = await world.attempt_of(run)
    await world.report(run, "agent_failed")
    await world.work()
    draft = agents.SessionDraft(
        project_id=run.project_id,
        run_id=run.id,
        attempt_id=attempt.id,
        repository_id=run.repository_id,
        issue_number=run.issue_number,
        stage=run.stage,
        role=run.role,
        engine=agents.EngineName.SCRIPTED,
        engine_version="1",
        thread_id="t",
        archive=b"a",
        archive_sha256=hashlib.sha256(b"a").digest(),
        reason=agents.SessionReason.TURN,
    )
    async with world.db.transaction() as tx:
        with pytest.raises(AttemptEnded):
            await sessions.save(tx, draft, sealer=factories.a_sealer("sessions"), clock=world.clock)
    async with world.db.reading() as reader:
        assert await agents.newest_session(reader, run.id) is None


async def test_a_second_proposal_comes_only_after_the_first_was_sent_back(world: World, caller: Caller) -> None:
    with REFUSED as refused:
        await caller.propose(factories.a_report(), number=2)
    assert code_of(refused.value) == "invalid"
    assert await caller.propose(factories.a_report())
    with REFUSED as refused:
        await caller.propose(factories.a_report(), number=2)
    assert "was sent back" in str(refused.value.details())
    async with world.db.transaction() as tx:
        await tx.execute("update run_results set verdict = 'repair'")
    for _ in range(2):
        assert await caller.propose(factories.a_report(), number=2)


@pytest.mark.parametrize(
    ("said", "after"),
    [
        ("9999-12-31T23:59:59-14:00", timedelta(hours=24)),
        ("0001-01-01T00:00:00+14:00", timedelta(0)),
    ],
)
async def test_a_time_to_go_on_stays_within_the_longest_wait(
    world: World, caller: Caller, said: str, after: timedelta
) -> None:
    request = outcome_pb2.ReportOutcomeRequest(attempt=caller.attempt, outcome="rate_limited", resume_at=said)
    await caller.stub.ReportOutcome(request, **caller.options())
    [wait] = await world.waits_of(await world.run_of(1))
    assert wait.resume_at == world.clock.now() + after


async def test_an_outcomes_code_holds_no_secret(world: World, caller: Caller) -> None:
    world.redactor.add(SECRET)
    request = outcome_pb2.ReportOutcomeRequest(attempt=caller.attempt, outcome="agent_failed", code=SECRET)
    await caller.stub.ReportOutcome(request, **caller.options())
    assert (await world.attempt_of(await world.run_of(1))).code == "«redacted»"


async def test_an_attempt_has_room_for_a_few_transfers_at_once(world: World) -> None:
    slots, attempt = Slots(2), (await world.attempt_of(await world.launched())).id
    for _ in range(2):
        async with slots.held(attempt), slots.held(attempt):
            with pytest.raises(LimitReached):
                await slots.held(attempt).__aenter__()
