"""Sessions: saved with the work in progress, restored in the next attempt, lost without harm."""

import json
from pathlib import Path

import pytest
from tests.fakes.controlplane import FakeControlPlane
from tests.integration.runner.harness import REPORT, Remote, Run, git, scenario

from stagewright.wire.v1 import stream_pb2

TWO_ACTS = scenario(
    {"write": {"path": "one.txt", "content": "one\n"}},
    {"run": "git add -A && git commit -q -m 'act one'"},
    {"write": {"path": "two.txt", "content": "two\n"}},
    {"say": "end of act one"},
    "hang",
    {"write": {"path": "three.txt", "content": "three\n"}},
)


@pytest.fixture
async def saved(run: Run, platform: FakeControlPlane) -> str:
    """Play the first act, stop, and return the id of the saved session."""
    platform.assignment.scenario = TWO_ACTS
    await run.start()
    await platform.until(lambda: b"end of act one" in platform.logs["engine"])
    platform.order(stream_pb2.PlatformMessage(stop=stream_pb2.Stop(reason="superseded", grace_seconds=20)))
    assert await run.ended() == 0, run.output
    return f"session-{len(platform.saved)}"


@pytest.fixture
async def next_run(saved: str, tmp_path: Path, platform: FakeControlPlane) -> Run:
    """Return the next attempt, given the session."""
    folder = tmp_path / "next"
    folder.mkdir()
    forget(platform)
    platform.assignment.session_id = saved
    platform.assignment.resume_prompt = "Go on, please."
    return Run(folder, platform)


def forget(platform: FakeControlPlane) -> None:
    """Make the platform ready for another attempt."""
    for kept in (platform.events, platform.numbers, platform.outcomes, platform.proposals, platform._orders):
        kept.clear()
    platform.logs.clear()


async def test_the_next_attempt_goes_on_with_session_and_work(
    next_run: Run, platform: FakeControlPlane, remote: Remote
) -> None:
    assert await next_run.done() == 0, next_run.output
    commit = remote.take(platform.proposals[0][1])
    assert {"one.txt", "two.txt", "three.txt"} <= set(remote.files_of(commit))
    assert git(remote.path, "log", "--format=%s", commit).splitlines() == ["A change", "act one", "first"]
    assert "run.agent.session.restored" in platform.kinds()
    assert "run.agent.resume.used" in platform.kinds()
    assert b"end of act one" not in platform.logs["engine"]


async def test_restored_work_is_uncommitted_again(next_run: Run, platform: FakeControlPlane) -> None:
    assert await next_run.done() == 0, next_run.output
    assert git(next_run.repo, "log", "--format=%s").splitlines() == ["act one", "first"]
    assert git(next_run.repo, "status", "--porcelain") == "?? three.txt\n?? two.txt"


@pytest.mark.parametrize("harm", ["digest", "engine", "absent", "work"])
async def test_a_lost_session_means_a_fresh_start(
    next_run: Run, platform: FakeControlPlane, saved: str, harm: str
) -> None:
    header, archive, wip = platform.sessions.pop(saved)
    platform.assignment.scenario = scenario({"write": {"path": "fresh.txt", "content": "fresh\n"}})
    if harm == "digest":
        archive = archive[:-1] + b"x"
    elif harm == "engine":
        header.engine = "codex"
    elif harm == "work":
        wip, header.wip_sha256 = archive, header.archive_sha256
    if harm != "absent":
        platform.sessions[saved] = (header, archive, wip)
    assert await next_run.done() == 0, next_run.output
    [body] = [json.loads(body) for kind, body in platform.events if kind == "run.agent.session.restored"]
    assert body["not_compatible"]
    assert b"session_lost" in platform.logs["runner"]
    assert git(next_run.repo, "status", "--porcelain") == "?? fresh.txt"
    assert platform.outcomes[0].outcome == "completed"


async def test_equal_states_are_saved_once(run: Run, platform: FakeControlPlane) -> None:
    platform.assignment.scenario = scenario({"say": "nothing"}, report=REPORT)
    assert await run.done() == 0, run.output
    assert [header.reason for header in platform.saved] == ["turn"]
    [header] = platform.saved
    assert header.engine == "scripted"
    assert header.wip_bytes == 0
    assert json.loads(header.manifest)
