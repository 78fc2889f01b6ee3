"""What every CLI engine does the same way (RN42): events, resume, kill and resume, failures and their classes."""

import asyncio
import json
from datetime import timedelta

import pytest
from tests.contract.engines.clis import REPORT
from tests.contract.engines.conftest import Bench
from tests.contract.engines.jobs import DEADLINE, a_signal, kinds, thread_of

from stagewright.adapters.engines.contract import EngineEvent

pytestmark = pytest.mark.timeout(180)


def report_of(events: list[EngineEvent]) -> object:
    assert events[-1].kind == "turn_ended", events[-1]
    return json.loads(events[-1].result or "null")


def spent(events: list[EngineEvent]) -> tuple[int, int]:
    """Return the tokens of all usage events."""
    usage = [event for event in events if event.kind == "usage"]
    return sum(event.tokens_in for event in usage), sum(event.tokens_out for event in usage)


async def test_a_fresh_turn_yields_commands_changes_tool_calls_usage_and_the_report(bench: Bench) -> None:
    job = bench.job()
    events = await bench.play(await bench.engine(job), "fresh")
    assert report_of(events) == REPORT
    assert kinds(events)[:2] == ["thread", "turn_started"]
    assert [event.text for event in events if event.kind == "message"] == ["Looking around."]
    command = next(event for event in events if event.kind == "command")
    assert "no-such-program-here" in command.argv
    assert not command.ok
    assert "README.md" in command.text
    assert "no-such-program-here" in command.text
    assert [event.paths for event in events if event.kind == "file_change"] == [("hello.py",)]
    tools = [event for event in events if event.kind == "tool_call"]
    assert [(event.tool, event.ok) for event in tools] == [("issue_get", True), ("label_set", False)]
    assert ["Issue 7" in tools[0].text, "not permitted" in tools[1].text] == [True, True]
    assert spent(events) > (0, 0)
    assert all(event.kind != "turn_failed" for event in events)


async def test_another_turn_of_the_same_thread_counts_only_its_own_usage(bench: Bench) -> None:
    engine = await bench.engine(bench.job())
    first = await bench.play(engine, "first")
    thread = thread_of(first)
    assert thread
    resumed = await bench.play(engine, "resumed", thread_id=thread)
    assert thread_of(resumed) == thread
    assert report_of(resumed) == {**REPORT, "summary": "Went on."}
    whole_in, whole_out = spent(first)
    assert whole_in > 0
    assert 0 < spent(resumed)[1] < whole_out * 3


async def test_a_session_is_resumed_from_its_archive_in_fresh_folders(bench: Bench) -> None:
    engine = await bench.engine(bench.job())
    first = await bench.play(engine, "first")
    archive = engine.archive()
    assert archive is not None
    assert archive.thread_id == thread_of(first)
    assert len(archive.files) == 1
    home = bench.root / "fresh-home"
    home.mkdir()
    fresh = await bench.engine(bench.job(home=home))
    fresh.restore(archive)
    resumed = await bench.play(fresh, "resumed", thread_id=archive.thread_id)
    assert thread_of(resumed) == archive.thread_id
    assert report_of(resumed) == {**REPORT, "summary": "Went on."}


async def test_a_killed_turn_is_interrupted_and_its_session_can_be_resumed(bench: Bench) -> None:
    job = bench.job()
    engine = await bench.engine(job)
    events: list[EngineEvent] = []

    async def drive() -> None:
        async for event in engine.turn("[[scenario:slow]] Work slowly.", thread_id=None):
            events.append(event)

    async with asyncio.timeout(DEADLINE), a_signal(job.repo.parent / "begun") as command_runs:
        task = asyncio.create_task(drive())
        await command_runs.wait()
        await engine.interrupt(timedelta(seconds=5))
        await task
    assert (events[-1].kind, events[-1].failure) == ("turn_failed", "interrupted")
    assert spent(events) > (0, 0)
    bench.keep(engine, "slow", events)
    archive = engine.archive()
    assert archive is not None
    home = bench.root / "fresh-home"
    home.mkdir()
    fresh = await bench.engine(bench.job(home=home))
    fresh.restore(archive)
    revived = await bench.play(fresh, "revived", thread_id=archive.thread_id)
    assert report_of(revived) == {**REPORT, "summary": "Came back."}


async def test_an_answer_that_is_no_report_is_handed_over_as_it_is(bench: Bench) -> None:
    events = await bench.play(await bench.engine(bench.job()), "invalid-report")
    assert (events[-1].kind, events[-1].result) == ("turn_ended", "I am done, no JSON from me.")


@pytest.mark.parametrize(
    ("case", "failure"),
    [
        ("bad-credential", "credential_rejected"),
        ("rate-limited", "rate_limited"),
        ("budget", "budget"),
        ("overloaded", "provider_unavailable"),
        ("context-full", "context_exhausted"),
    ],
)
async def test_a_providers_refusal_fails_the_turn_with_its_class(bench: Bench, case: str, failure: str) -> None:
    events = await bench.play(await bench.engine(bench.job()), case)
    assert (events[-1].kind, events[-1].failure) == ("turn_failed", failure)
    assert events[-1].text


async def test_a_short_outage_of_the_provider_is_overcome(bench: Bench) -> None:
    events = await bench.play(await bench.engine(bench.job()), "recovers")
    assert report_of(events) == REPORT


async def test_an_unreachable_provider_fails_the_turn_in_bounded_time(bench: Bench) -> None:
    job = bench.job(model_url=bench.cli.model_url("http://127.0.0.1:9"))
    events = await bench.play(await bench.engine(job), "provider-down")
    assert (events[-1].kind, events[-1].failure) == ("turn_failed", "provider_unavailable")


async def test_governed_tools_that_are_down_fail_the_turn(bench: Bench) -> None:
    events = await bench.play(await bench.engine(bench.job(tools_url="http://127.0.0.1:9/mcp")), "mcp-down")
    assert (events[-1].kind, events[-1].failure) == ("turn_failed", "mcp_unavailable")
    assert not bench.model.posts()


async def test_governed_tools_that_refuse_us_fail_the_turn(bench: Bench) -> None:
    bench.tools.status = 401
    events = await bench.play(await bench.engine(bench.job()), "mcp-refuses")
    assert (events[-1].kind, events[-1].failure) == ("turn_failed", "mcp_unavailable")
