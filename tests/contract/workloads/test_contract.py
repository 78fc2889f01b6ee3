"""What every place for workloads keeps: the same sentences for the fake and for real processes."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from tests.contract.workloads.harness import FakeHarness, Harness, LocalHarness, a_spec, until_state

from stagewright.contexts.runs.ports import WorkloadState
from stagewright.kit.errors import Conflict


@pytest.fixture(params=["fake", "local"])
async def harness(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Harness]:
    made: Harness = FakeHarness() if request.param == "fake" else LocalHarness(tmp_path)
    yield made
    for name in await made.workloads.list_names():
        await made.workloads.delete(name)


async def test_a_launched_workload_runs_and_has_a_start(harness: Harness) -> None:
    spec = a_spec()
    await harness.workloads.launch(spec)
    seen = await harness.workloads.observe(spec.name)
    assert seen.state is WorkloadState.RUNNING
    assert seen.started_at is not None
    assert seen.exit_code is None


async def test_launching_the_same_attempt_twice_starts_one(harness: Harness) -> None:
    spec = a_spec()
    await harness.workloads.launch(spec)
    first = await harness.workloads.observe(spec.name)
    await harness.workloads.launch(spec)
    assert await harness.workloads.observe(spec.name) == first
    assert await harness.workloads.list_names() == [spec.name]


async def test_launching_an_ended_attempt_again_does_not_restart_it(harness: Harness) -> None:
    spec = a_spec()
    await harness.workloads.launch(spec)
    await harness.finish(spec, 0)
    await harness.workloads.launch(spec)
    assert (await harness.workloads.observe(spec.name)).state is WorkloadState.FINISHED


async def test_the_name_of_another_attempt_is_a_conflict(harness: Harness) -> None:
    spec = a_spec()
    await harness.workloads.launch(spec)
    with pytest.raises(Conflict, match=str(spec.attempt_id)):
        await harness.workloads.launch(a_spec(attempt_id=uuid4()))
    with pytest.raises(Conflict):
        await harness.workloads.launch(a_spec(attempt_id=spec.attempt_id, generation=2))


async def test_a_work_tree_in_use_is_not_given_to_another_workload(harness: Harness) -> None:
    spec = a_spec()
    await harness.workloads.launch(spec)
    with pytest.raises(Conflict, match=spec.name):
        await harness.workloads.launch(a_spec(name="sw-0a1b2c3d4e5f-g2", generation=2))
    await harness.workloads.delete(spec.name)
    await harness.workloads.launch(a_spec(name="sw-0a1b2c3d4e5f-g2", generation=2))


async def test_the_exit_code_is_seen_and_stays(harness: Harness) -> None:
    spec = a_spec()
    await harness.workloads.launch(spec)
    await harness.finish(spec, 12)
    seen = await harness.workloads.observe(spec.name)
    assert (seen.state, seen.exit_code) == (WorkloadState.FINISHED, 12)
    assert seen.started_at is not None
    assert seen.ended_at is not None
    assert seen.ended_at >= seen.started_at
    assert await harness.restarted().observe(spec.name) == seen


async def test_a_stopped_workload_ends(harness: Harness) -> None:
    spec = a_spec()
    await harness.workloads.launch(spec)
    await harness.workloads.stop(spec.name, grace=timedelta(seconds=20))
    seen = await until_state(harness.workloads, spec.name, WorkloadState.FINISHED)
    assert seen.detail == "stopped"


async def test_a_stop_without_grace_kills(harness: Harness) -> None:
    spec = a_spec()
    await harness.workloads.launch(spec)
    await harness.workloads.stop(spec.name, grace=timedelta(0))
    seen = await until_state(harness.workloads, spec.name, WorkloadState.FINISHED)
    assert (seen.exit_code, seen.detail) == (137, "killed")


async def test_a_deleted_workload_is_absent_and_deleting_again_is_fine(harness: Harness) -> None:
    spec = a_spec()
    await harness.workloads.launch(spec)
    await harness.workloads.delete(spec.name)
    await harness.workloads.delete(spec.name)
    assert (await harness.workloads.observe(spec.name)).state is WorkloadState.ABSENT
    assert await harness.workloads.list_names() == []


async def test_what_never_was_is_absent_and_can_be_stopped(harness: Harness) -> None:
    assert (await harness.workloads.observe("sw-never-g1")).state is WorkloadState.ABSENT
    await harness.workloads.stop("sw-never-g1", grace=timedelta(seconds=1))
    assert await harness.workloads.tail("sw-never-g1", 10) == ""


async def test_the_tail_holds_the_last_lines(harness: Harness) -> None:
    spec = a_spec()
    await harness.workloads.launch(spec)
    for line in ("one", "two", "three"):
        await harness.say(spec, line)
    await harness.finish(spec, 0)
    assert await harness.workloads.tail(spec.name, 2) == "two\nthree"


async def test_a_restarted_worker_finds_a_running_workload(harness: Harness) -> None:
    spec = a_spec()
    await harness.workloads.launch(spec)
    again = harness.restarted()
    assert await again.list_names() == [spec.name]
    assert (await again.observe(spec.name)).state is WorkloadState.RUNNING
    await again.launch(spec)
    await again.stop(spec.name, grace=timedelta(0))
    await until_state(again, spec.name, WorkloadState.FINISHED)
