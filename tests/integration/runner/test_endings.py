"""How an attempt ends without a result: stops, waits, failures of the engine, refusals, exit codes."""

import asyncio
import json
import signal

import pytest
from tests.fakes.controlplane import ATTEMPT_ID, FakeControlPlane, accept
from tests.integration.runner.harness import REPORT, Run, scenario

from stagewright.wire.v1 import stream_pb2

HANGING = scenario(
    {"write": {"path": "half.py", "content": "x = 1\n"}},
    {"say": "now I hang"},
    "hang",
)


def stop(reason: str, grace: int = 20) -> stream_pb2.PlatformMessage:
    return stream_pb2.PlatformMessage(stop=stream_pb2.Stop(reason=reason, grace_seconds=grace))


async def hanging(run: Run, platform: FakeControlPlane) -> None:
    platform.assignment.scenario = HANGING
    await run.start()
    await platform.until(lambda: b"now I hang" in platform.logs["engine"])


async def test_a_stop_interrupts_the_turn_and_saves_the_session(run: Run, platform: FakeControlPlane) -> None:
    await hanging(run, platform)
    platform.order(stop("cancelled"))
    assert await run.ended() == 0, run.output
    [outcome] = platform.outcomes
    assert (outcome.outcome, outcome.code) == ("interrupted", "cancelled")
    assert platform.saved[-1].wip_bytes > 0
    assert not platform.proposals


async def test_a_stop_kills_an_engine_that_does_not_listen(run: Run, platform: FakeControlPlane) -> None:
    platform.assignment.scenario = scenario({"run": "trap '' TERM; echo deaf; sleep 600 & wait; wait"})
    await run.start()
    await platform.until(lambda: b"deaf" in platform.logs["engine"])
    platform.order(stop("active_time_exceeded", grace=1))
    assert await run.ended() == 0, run.output
    assert platform.outcomes[0].outcome == "interrupted"


async def test_a_termination_signal_is_a_stop(run: Run, platform: FakeControlPlane) -> None:
    await hanging(run, platform)
    run.signal(signal.SIGTERM)
    assert await run.ended() == 0, run.output
    [outcome] = platform.outcomes
    assert (outcome.outcome, outcome.code) == ("interrupted", "terminated")


async def test_a_stop_before_the_engine_started_ends_at_once(run: Run, platform: FakeControlPlane) -> None:
    platform.refuse["GetSource"] = "not_ready"
    platform.order(stop("cancelled"))
    assert await run.done() == 0, run.output
    assert platform.outcomes[0].outcome == "interrupted"
    assert not platform.saved


async def test_an_open_wait_parks_the_attempt_after_the_turn(run: Run, platform: FakeControlPlane) -> None:
    """RN32: finishing with an open wait is parked, not completed."""
    platform.assignment.scenario = scenario({"say": "asked"}, {"sleep": "300ms"})
    platform.order(stream_pb2.PlatformMessage(wait_opened=stream_pb2.WaitOpened(wait_id="w1", kind="approval")))
    assert await run.done() == 0, run.output
    assert platform.outcomes[0].outcome == "parked"
    assert platform.saved
    assert not platform.proposals


@pytest.mark.parametrize(
    ("fails_with", "outcome", "code"),
    [
        ("rate_limited", "rate_limited", "rate_limited"),
        ("budget", "budget", "budget"),
        ("credential_rejected", "parked", "credential_rejected"),
        ("context_exhausted", "agent_failed", "context_exhausted"),
        ("provider_unavailable", "agent_failed", "provider_unavailable"),
        ("mcp_unavailable", "agent_failed", "engine_error"),
        ("something_else", "agent_failed", "engine_error"),
    ],
)
async def test_a_failed_turn_ends_the_attempt_as_the_table_says(
    run: Run, platform: FakeControlPlane, fails_with: str, outcome: str, code: str
) -> None:
    platform.assignment.scenario = json.dumps([{"fail": fails_with}])
    assert await run.done() == 0, run.output
    [told] = platform.outcomes
    assert (told.outcome, told.code) == (outcome, code)
    assert platform.saved[-1].reason == "end"


async def test_an_engine_that_vanishes_is_lost(run: Run, platform: FakeControlPlane) -> None:
    platform.assignment.scenario = json.dumps(["crash"])
    assert await run.done() == 0, run.output
    assert (platform.outcomes[0].outcome, platform.outcomes[0].code) == ("agent_failed", "workload_lost")


async def test_an_unknown_engine_is_not_configured(run: Run, platform: FakeControlPlane) -> None:
    platform.assignment.engine = "nonesuch"
    assert await run.done() == 0, run.output
    [outcome] = platform.outcomes
    assert (outcome.outcome, outcome.code) == ("precondition_failed", "agent_not_configured")
    assert "nonesuch" in outcome.detail


async def test_a_prompt_that_was_changed_on_the_way_is_not_used(run: Run, platform: FakeControlPlane) -> None:
    platform.assignment.prompt = "Do something else.\n"
    assert await run.done() == 0, run.output
    assert platform.outcomes[0].code == "engine_error"
    assert "prompt_sha256" in platform.outcomes[0].detail


async def test_a_stale_generation_is_refused_with_exit_11(run: Run, platform: FakeControlPlane) -> None:
    """RN22: a message of an old generation is refused and changes nothing."""
    platform.assignment.generation = 2
    assert await run.done() == 11
    assert "generation_stale" in run.output
    assert platform.calls == ["GetAssignment"]


async def test_a_generation_that_becomes_stale_kills_the_engine_and_exits_11(
    run: Run, platform: FakeControlPlane
) -> None:
    await hanging(run, platform)
    platform.refuse_all = "generation_stale"
    platform.cut_streams()
    assert await run.ended() == 11
    assert not platform.outcomes


async def test_an_ended_attempt_is_refused_with_exit_11(run: Run, platform: FakeControlPlane) -> None:
    platform.refuse["GetAssignment"] = "attempt_ended"
    assert await run.done() == 11


async def test_a_wrong_token_is_refused_with_exit_11(run: Run, platform: FakeControlPlane) -> None:
    platform.run_token = "another"
    assert await run.done() == 11
    assert "unauthenticated" in run.output


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("STAGEWRIGHT_ATTEMPT_ID", "", "STAGEWRIGHT_ATTEMPT_ID is not set"),
        ("STAGEWRIGHT_ATTEMPT_ID", "seven", "not a UUID"),
        ("STAGEWRIGHT_GENERATION", "0", "STAGEWRIGHT_GENERATION"),
        ("STAGEWRIGHT_CONTROLPLANE_URL", "http://platform.example:8081", "loopback only; use https"),
        ("STAGEWRIGHT_TOKEN_DIR", "/nonexistent", "the token file run cannot be read"),
    ],
)
async def test_a_wrong_setting_is_named_with_exit_12(run: Run, name: str, value: str, says: str) -> None:
    assert await run.done(**{name: value}) == 12
    assert says in run.output


async def test_an_outcome_is_told_again_until_it_is_acknowledged(run: Run, platform: FakeControlPlane) -> None:
    """RN23 seen from the runner: the platform goes away after the proposal, the outcome arrives once."""

    def then_gone(number: int, report: str, bundle: bytes) -> None:
        asyncio.get_running_loop().call_soon(gone.set)

    gone = asyncio.Event()
    platform.judge = then_gone
    await run.start()
    await asyncio.wait_for(gone.wait(), 30)
    await platform.stop()
    await platform.start()
    platform.order(stream_pb2.PlatformMessage(result_checked=accept(1, "", b"")))
    assert await run.ended() == 0, run.output
    assert [outcome.outcome for outcome in platform.outcomes] == ["completed"]
    assert len({header.bundle_sha256 for header, _ in platform.proposals}) == 1
    assert {header.proposal_no for header, _ in platform.proposals} == {1}


async def test_a_report_of_being_blocked_is_handed_over(run: Run, platform: FakeControlPlane) -> None:
    platform.assignment.scenario = scenario(report={**REPORT, "status": "blocked"})
    assert await run.done() == 0, run.output
    assert json.loads(platform.proposals[0][0].report)["status"] == "blocked"
    assert platform.assignment.attempt_id == ATTEMPT_ID
