"""What happens by time alone, with the runner in this process so that its times can be short."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest
from tests.fakes.controlplane import FakeControlPlane
from tests.integration.runner.harness import Run, scenario

from stagewright.kit.redact import Redactor
from stagewright.processes.runner import attempt, main, results, sessions, stream, turns
from stagewright.processes.runner.attempt import Attempt
from stagewright.processes.runner.control import Control
from stagewright.processes.runner.failures import Failed, Outcome, Unreachable
from stagewright.processes.runner.settings import read_settings
from stagewright.wire.v1 import session_pb2, stream_pb2


class Inside:
    """An attempt in this process."""

    def __init__(self, run: Run) -> None:
        self.control = Control()
        self.settings = read_settings(run.environment(), run.run_dir)
        self.attempt = Attempt(self.settings, self.control, Redactor())

    async def outcome(self) -> Outcome:
        """Run it, bounded."""
        return await asyncio.wait_for(self.attempt.run(), 30)


@pytest.fixture
async def inside(run: Run) -> AsyncIterator[Inside]:
    made = Inside(run)
    yield made
    await made.attempt.close()


async def test_a_platform_that_never_answers_is_given_up(
    inside: Inside, platform: FakeControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "FIRST_CONTACT_SECONDS", 0.3)
    await platform.stop()
    with pytest.raises(Unreachable):
        await inside.outcome()
    assert await main._attempt(inside.settings, Redactor()) == 10


async def test_a_stop_before_the_first_contact_ends_at_once(inside: Inside, platform: FakeControlPlane) -> None:
    await platform.stop()
    running = asyncio.create_task(inside.outcome())
    await asyncio.sleep(0)
    inside.control.stop("terminated", inside.control.grace)
    with pytest.raises(Unreachable, match="stopped before"):
        await running


async def test_a_turn_that_goes_on_with_an_open_wait_is_interrupted_and_parked(
    inside: Inside, platform: FakeControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.2)
    platform.assignment.scenario = scenario({"write": {"path": "half.py", "content": "x\n"}}, "hang")
    platform.order(stream_pb2.PlatformMessage(wait_opened=stream_pb2.WaitOpened(wait_id="w1", kind="question")))
    assert (await inside.outcome()).outcome == "parked"
    assert platform.outcomes[0].outcome == "parked"
    assert platform.saved[-1].wip_bytes > 0


async def test_a_session_is_waited_for_while_the_platform_is_away() -> None:
    header = session_pb2.SessionHeader(engine="scripted", archive_sha256=hashlib.sha256(b"archive").hexdigest())
    door = Away(4, [session_pb2.SessionChunk(header=header), session_pb2.SessionChunk(archive=b"archive")])
    fetched = await sessions.fetch_session(door, "s1")  # type: ignore[arg-type]
    assert (fetched.archive, door.asked) == (b"archive", 5)


async def test_a_session_that_does_not_come_in_time_is_not_lost_but_another_attempt_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sessions, "PATIENCE_SECONDS", 0.1)
    with pytest.raises(Failed, match="away") as failure:
        await sessions.fetch_session(Away(1000, []), "s1")  # type: ignore[arg-type]
    assert failure.value.outcome.code == "source_unavailable"


class Away:
    """A door whose platform is away for some calls."""

    def __init__(self, calls: int, chunks: list[session_pb2.SessionChunk]) -> None:
        self.asked = 0
        self._calls = calls
        self._chunks = chunks

    async def get_session(self, session_id: str) -> AsyncIterator[session_pb2.SessionChunk]:
        """Give the chunks once the platform is back."""
        self.asked += 1
        if self.asked <= self._calls:
            raise Unreachable("away")
        for chunk in self._chunks:
            yield chunk


async def test_a_model_relay_that_is_down_is_noticed_before_the_turn(
    inside: Inside, platform: FakeControlPlane, unused_tcp_port: int
) -> None:
    platform.assignment.relay_url = f"http://127.0.0.1:{unused_tcp_port}/model/scripted"
    outcome = await inside.outcome()
    assert (outcome.outcome, outcome.code) == ("agent_failed", "provider_unavailable")


async def test_the_session_is_saved_on_a_timer_while_the_turn_goes_on(
    inside: Inside, platform: FakeControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "TIMER_SECONDS", 0.1)
    platform.assignment.scenario = scenario({"write": {"path": "half.py", "content": "x\n"}}, "hang")
    running = asyncio.create_task(inside.outcome())
    await platform.until(lambda: bool(platform.saved))
    assert platform.saved[0].reason == "timer"
    inside.control.stop("cancelled", inside.control.grace)
    assert (await running).outcome == "interrupted"


async def test_without_a_verdict_in_time_the_platform_decides_later(
    inside: Inside, platform: FakeControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "VERDICT_SECONDS", 0.1)
    platform.judge = lambda number, report, bundle: None
    assert (await inside.outcome()).outcome == "completed"
    assert platform.outcomes[0].outcome == "completed"
    assert b"no verdict" in platform.logs["runner"]


async def test_a_platform_that_stops_acknowledging_is_called_anew(
    inside: Inside, platform: FakeControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "SILENCE_SECONDS", 0.2)
    platform.ack = False
    platform.assignment.scenario = scenario({"sleep": "2s"})
    running = asyncio.create_task(inside.outcome())
    await platform.until(lambda: len(platform.hellos) > 1)
    platform.ack = True
    assert (await running).outcome == "completed"


async def test_an_error_of_ours_becomes_a_problem_and_exit_12(inside: Inside, platform: FakeControlPlane) -> None:
    platform.assignment.report_schema = "{ not json"
    assert await main._attempt(inside.settings, Redactor()) == 12
    [problem] = platform.problems
    assert problem.code == "runner_internal"
    assert "JSONDecodeError" in problem.text
    assert not platform.outcomes


async def test_heartbeats_say_whether_the_engine_lives(
    inside: Inside, platform: FakeControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.05)
    platform.assignment.scenario = scenario({"sleep": "500ms"})
    await inside.outcome()
    assert not platform.heartbeats[0].engine_alive
    assert any(beat.engine_alive for beat in platform.heartbeats)
