"""The real runner as a local workload: launched, stopped, killed, judged by what it reported."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.contract.workloads.harness import until, until_state
from tests.fakes.controlplane import ATTEMPT_ID, FakeControlPlane
from tests.integration.runner.harness import TOKENS, scenario

from stagewright.adapters.local import supervisor
from stagewright.adapters.local.workloads import LocalWorkloads
from stagewright.contexts.runs.ports import WorkloadSpec, WorkloadState

NAME = "sw-000000000001-g1"
LINGERING = "(setsid sh -c 'echo $$ > ../lingering; exec sleep 600' &) ; while [ ! -s ../lingering ]; do :; done"


@pytest.fixture
async def workloads(tmp_path: Path) -> AsyncIterator[LocalWorkloads]:
    made = LocalWorkloads(tmp_path / "data")
    yield made
    await made.delete(NAME)


def spec_for(platform: FakeControlPlane) -> WorkloadSpec:
    return WorkloadSpec(
        name=NAME,
        run_id=UUID(platform.assignment.run_id),
        attempt_id=UUID(ATTEMPT_ID),
        generation=1,
        labels={},
        controlplane_url=platform.url,
        tokens=TOKENS,
        deadline=datetime.now(UTC) + timedelta(hours=1),
        run_dir_key="run-000000000001",
    )


async def test_an_attempt_runs_locally_from_launch_to_exit(
    workloads: LocalWorkloads, platform: FakeControlPlane
) -> None:
    await workloads.launch(spec_for(platform))
    await platform.until(lambda: bool(platform.outcomes))
    seen = await until_state(workloads, NAME, WorkloadState.FINISHED)
    assert (seen.exit_code, seen.detail) == (0, "exited")
    assert platform.outcomes[0].outcome == "completed"
    assert await workloads.tail(NAME, 5) == "reported: completed"


async def test_a_stopped_attempt_reports_that_it_was_interrupted(
    workloads: LocalWorkloads, platform: FakeControlPlane
) -> None:
    platform.assignment.scenario = scenario({"say": "hanging"}, "hang")
    await workloads.launch(spec_for(platform))
    await platform.until(lambda: b"hanging" in platform.logs["engine"])
    await workloads.stop(NAME, grace=timedelta(seconds=30))
    seen = await until_state(workloads, NAME, WorkloadState.FINISHED)
    assert (seen.exit_code, seen.detail) == (0, "stopped")
    assert (platform.outcomes[0].outcome, platform.outcomes[0].code) == ("interrupted", "terminated")


async def test_nothing_the_agent_started_outlives_the_attempt(
    workloads: LocalWorkloads, platform: FakeControlPlane, tmp_path: Path
) -> None:
    platform.assignment.scenario = scenario({"run": LINGERING}, {"say": "hanging"}, "hang")
    await workloads.launch(spec_for(platform))
    await platform.until(lambda: b"hanging" in platform.logs["engine"])
    pid = int((tmp_path / "data/runs/run-000000000001/lingering").read_text())
    await workloads.delete(NAME)
    await until(lambda: supervisor.start_of(pid) is None)
    assert not platform.outcomes


async def test_a_refused_attempt_exits_11_and_says_why(workloads: LocalWorkloads, platform: FakeControlPlane) -> None:
    platform.refuse["GetAssignment"] = "attempt_ended"
    await workloads.launch(spec_for(platform))
    seen = await until_state(workloads, NAME, WorkloadState.FINISHED)
    assert seen.exit_code == 11
    assert "attempt_ended" in await workloads.tail(NAME, 1)


async def test_no_token_is_in_the_environment_or_the_command_line_of_any_process(
    workloads: LocalWorkloads, platform: FakeControlPlane, tmp_path: Path
) -> None:
    look = (
        "for p in /proc/[0-9]*; do tr '\\0' '\\n' < $p/environ; tr '\\0' ' ' < $p/cmdline; done 2>/dev/null > all.txt"
    )
    platform.assignment.scenario = scenario({"run": look}, {"say": "hanging"}, "hang")
    await workloads.launch(spec_for(platform))
    await platform.until(lambda: b"hanging" in platform.logs["engine"])
    text = (tmp_path / "data/runs/run-000000000001/repo/all.txt").read_text(errors="replace")
    assert "STAGEWRIGHT_TOKEN_DIR" in text
    assert not [token for token in TOKENS.values() if token in text]
