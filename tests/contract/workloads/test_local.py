"""What only real processes can show: groups, sessions, dead workers, reused pids, files and deadlines."""

import asyncio
import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from tests.contract.workloads.harness import LocalHarness, a_spec, mode_of, until, until_state

from stagewright.adapters.local import supervisor
from stagewright.adapters.local.errors import WorkloadInvalid
from stagewright.adapters.local.workloads import LocalWorkloads
from stagewright.contexts.runs.ports import WorkloadSpec, WorkloadState

LINUX_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="child subreapers and /proc are Linux")


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[LocalHarness]:
    harness = LocalHarness(tmp_path)
    yield harness
    for name in await harness.workloads.list_names():
        await harness.workloads.delete(name)


async def launched(local: LocalHarness, **changes: object) -> WorkloadSpec:
    spec = a_spec(**changes)
    await local.workloads.launch(spec)
    await until((local.run_dir(spec) / "ready").exists)
    # The puppet may be ready before its supervisor has written down who it is.
    await until(file_of(local, spec, "runner").exists)
    return spec


def file_of(local: LocalHarness, spec: WorkloadSpec, name: str) -> Path:
    return local.data / "workloads" / spec.name / name


def told(local: LocalHarness, spec: WorkloadSpec, name: str) -> dict[str, object]:
    value = json.loads(file_of(local, spec, name).read_text())
    assert isinstance(value, dict)
    return value


def environment_of(pid: object) -> list[bytes]:
    return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") if sys.platform == "linux" else []


def pid_in(path: Path) -> int:
    return int(path.read_text().strip() or 0) if path.exists() else 0


async def grandchild_of(local: LocalHarness, spec: WorkloadSpec) -> tuple[int, str]:
    await local.order(spec, "leave")
    path = local.run_dir(spec) / "grandchild"
    await until(lambda: pid_in(path) > 0)
    start = supervisor.start_of(pid_in(path))
    assert start is not None
    return pid_in(path), start


async def test_the_environment_holds_what_is_named_and_no_credential(
    local: LocalHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGEWRIGHT_ENCRYPTION_KEY", "canary")
    monkeypatch.setenv("GITHUB_TOKEN", "canary")
    spec = await launched(local)
    entries = environment_of(told(local, spec, "runner")["pid"])
    names = {entry.partition(b"=")[0].decode() for entry in entries if entry}
    assert names <= {
        "STAGEWRIGHT_CONTROLPLANE_URL",
        "STAGEWRIGHT_ATTEMPT_ID",
        "STAGEWRIGHT_GENERATION",
        "STAGEWRIGHT_TOKEN_DIR",
        "HOME",
        "TMPDIR",
        "PATH",
        "LANG",
        "PWD",
    }
    everything = file_of(local, spec, "spec.json").read_text() + repr(entries)
    assert "canary" not in everything
    assert not [token for token in spec.tokens.values() if token in everything]


async def test_tokens_are_files_for_the_owner_only_and_go_with_the_workload(local: LocalHarness) -> None:
    spec = await launched(local)
    folder = file_of(local, spec, "tokens")
    assert {path.name: path.read_text() for path in folder.iterdir()} == spec.tokens
    assert {mode_of(path) for path in folder.iterdir()} == {0o400}
    assert mode_of(folder) == mode_of(folder.parent) == mode_of(local.run_dir(spec)) == 0o700
    await local.workloads.delete(spec.name)
    assert not folder.exists()
    assert not local.run_dir(spec).exists()


async def test_the_runner_writes_files_for_itself_only(local: LocalHarness) -> None:
    spec = await launched(local)
    assert mode_of(local.run_dir(spec) / "ready") & 0o077 == 0


@LINUX_ONLY
async def test_a_grandchild_in_its_own_session_dies_with_the_runner(local: LocalHarness) -> None:
    spec = await launched(local)
    pid, start = await grandchild_of(local, spec)
    await local.finish(spec, 3)
    assert supervisor.start_of(pid) != start
    assert (await local.workloads.observe(spec.name)).exit_code == 3


@LINUX_ONLY
async def test_deleting_kills_a_grandchild_in_its_own_session(local: LocalHarness) -> None:
    spec = await launched(local)
    pid, start = await grandchild_of(local, spec)
    await local.workloads.delete(spec.name)
    assert supervisor.start_of(pid) != start


async def test_a_runner_that_ignores_the_stop_is_killed_after_the_grace(local: LocalHarness) -> None:
    spec = await launched(local)
    await local.order(spec, "deaf")
    await until((local.run_dir(spec) / "deafened").exists)
    await local.workloads.stop(spec.name, grace=timedelta(milliseconds=50))
    seen = await until_state(local.workloads, spec.name, WorkloadState.FINISHED)
    assert (seen.exit_code, seen.detail) == (137, "killed")


async def test_the_deadline_kills_the_group(local: LocalHarness) -> None:
    spec = a_spec(deadline=datetime.now(UTC) + timedelta(milliseconds=200))
    await local.workloads.launch(spec)
    seen = await until_state(local.workloads, spec.name, WorkloadState.FINISHED)
    assert (seen.exit_code, seen.detail) == (137, "deadline")


LAUNCHER = """
import asyncio, os, pickle, signal, sys
from pathlib import Path
from stagewright.adapters.local.workloads import LocalWorkloads
from tests.contract.workloads.harness import PUPPET
spec = pickle.loads(sys.stdin.buffer.read())
asyncio.run(LocalWorkloads(Path(sys.argv[1]), runner=("/bin/sh", "-c", PUPPET)).launch(spec))
os.killpg(0, signal.SIGKILL)
"""


async def test_a_workload_outlives_a_killed_worker_and_is_adopted(local: LocalHarness) -> None:
    spec = a_spec()
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        LAUNCHER,
        str(local.data),
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        start_new_session=True,
    )
    await worker.communicate(pickle.dumps(spec))
    assert worker.returncode == -signal.SIGKILL
    assert (await local.workloads.observe(spec.name)).state is WorkloadState.RUNNING
    await local.workloads.launch(spec)
    await local.finish(spec, 5)
    assert (await local.workloads.observe(spec.name)).exit_code == 5


async def test_a_reused_pid_is_never_adopted_stopped_or_killed(local: LocalHarness) -> None:
    spec = await launched(local)
    pid = told(local, spec, "pid")
    bystander = await asyncio.create_subprocess_exec("sleep", "600")
    try:
        forged = {**pid, "pid": bystander.pid, "start": "another-boot:1"}
        file_of(local, spec, "pid").write_text(json.dumps(forged))
        file_of(local, spec, "runner").write_text(json.dumps({"pid": bystander.pid, "start": "another-boot:1"}))
        seen = await local.workloads.observe(spec.name)
        assert (seen.state, seen.detail) == (WorkloadState.ABSENT, "the supervisor is gone without an exit")
        await local.workloads.stop(spec.name, grace=timedelta(0))
        await local.workloads.delete(spec.name)
        assert supervisor.start_of(bystander.pid) is not None
        assert bystander.returncode is None
    finally:
        bystander.kill()
        await bystander.wait()
        supervisor.signal_exactly(int(str(pid["pid"])), str(pid["start"]), signal.SIGKILL)


@LINUX_ONLY
async def test_a_killed_supervisor_takes_the_runner_with_it_and_the_rest_is_found_by_its_mark(
    local: LocalHarness,
) -> None:
    spec = await launched(local)
    pid, start = await grandchild_of(local, spec)
    runner = told(local, spec, "runner")
    who = told(local, spec, "pid")
    supervisor.signal_exactly(int(str(who["pid"])), str(who["start"]), signal.SIGKILL)
    await until(lambda: supervisor.start_of(int(str(runner["pid"]))) != runner["start"])
    assert (await local.workloads.observe(spec.name)).state is WorkloadState.ABSENT
    assert supervisor.start_of(pid) == start
    await local.workloads.delete(spec.name)
    await until(lambda: supervisor.start_of(pid) != start)


async def test_a_launch_cut_off_before_the_supervisor_is_finished_by_the_next(local: LocalHarness) -> None:
    spec = a_spec()
    folder = local.data / "workloads" / spec.name
    (folder / "tokens").mkdir(parents=True)
    (folder / "tokens" / "run").write_text("half")
    known = {"attempt_id": str(spec.attempt_id), "generation": 1, "run_dir_key": spec.run_dir_key}
    (folder / "spec.json").write_text(json.dumps(known))
    assert (await local.workloads.observe(spec.name)).state is WorkloadState.ABSENT
    await local.workloads.launch(spec)
    assert (folder / "tokens" / "run").read_text() == spec.tokens["run"]
    assert (await local.workloads.observe(spec.name)).state is WorkloadState.RUNNING


async def test_many_launches_at_once_start_one_supervisor(local: LocalHarness) -> None:
    spec = a_spec()
    await asyncio.gather(*(local.restarted().launch(spec) for _ in range(6)))
    await local.say(spec, "here")
    await local.finish(spec, 0)
    assert await local.workloads.tail(spec.name, 10) == "here"


async def test_the_work_tree_is_made_anew_and_links_in_the_old_one_are_not_followed(
    local: LocalHarness, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "keep").write_text("x")
    first = await launched(local)
    (local.run_dir(first) / "link").symlink_to(precious)
    (local.run_dir(first) / "repo").symlink_to(precious)
    locked = local.run_dir(first) / "locked"
    locked.mkdir()
    (locked / "file").write_text("x")
    locked.chmod(0)
    await local.finish(first, 0)
    second = a_spec(name="sw-0a1b2c3d4e5f-g2", generation=2)
    await local.workloads.launch(second)
    await until((local.run_dir(second) / "ready").exists)
    assert sorted(os.listdir(local.run_dir(second))) == ["commands", "home", "ready", "tmp"]
    await local.workloads.delete(first.name)
    assert local.run_dir(second).is_dir(), "the old attempt's end must not take the new one's tree"
    await local.workloads.delete(second.name)
    assert (precious / "keep").read_text() == "x"
    assert not list((local.data / "runs").glob("**/locked"))


async def test_the_output_kept_is_capped(local: LocalHarness) -> None:
    flood = LocalWorkloads(
        local.data, runner=("/bin/sh", "-c", "yes 0123456789abcdef | head -c 5000000; echo; echo last")
    )
    spec = a_spec()
    await flood.launch(spec)
    await until_state(flood, spec.name, WorkloadState.FINISHED)
    kept = sum(file_of(local, spec, name).stat().st_size for name in ("output.log", "output.log.1"))
    assert kept <= 2 * supervisor.LOG_CAP
    assert (await flood.tail(spec.name, 1)) == "last"


async def test_a_log_that_cannot_be_written_does_not_end_the_run(local: LocalHarness) -> None:
    flood = LocalWorkloads(local.data, runner=("/bin/sh", "-c", "yes | head -c 1000000; exit 7"))
    spec = a_spec()
    file_of(local, spec, "output.log").mkdir(parents=True)
    await flood.launch(spec)
    seen = await until_state(flood, spec.name, WorkloadState.FINISHED)
    assert (seen.exit_code, seen.detail) == (7, "exited")


async def test_a_runner_that_cannot_be_started_exits_127_and_says_why(local: LocalHarness) -> None:
    missing = LocalWorkloads(local.data, runner=("/nonexistent/runner",))
    spec = a_spec()
    await missing.launch(spec)
    seen = await until_state(missing, spec.name, WorkloadState.FINISHED)
    assert seen.exit_code == 127
    assert "cannot start the runner" in await missing.tail(spec.name, 5)


@pytest.mark.parametrize("name", ["../x", "", "UPPER", "a/b", ".trash", "x" * 64])
async def test_a_name_that_could_leave_the_folder_is_refused(local: LocalHarness, name: str) -> None:
    with pytest.raises(WorkloadInvalid, match="workload name"):
        await local.workloads.launch(a_spec(name=name))


async def test_a_key_that_could_leave_the_folder_is_refused(local: LocalHarness) -> None:
    with pytest.raises(WorkloadInvalid, match="run_dir_key"):
        await local.workloads.launch(a_spec(run_dir_key="../../etc"))


async def test_folders_that_are_not_ours_are_not_listed(local: LocalHarness) -> None:
    (local.data / "workloads" / "somebody").mkdir(parents=True)
    (local.data / "workloads" / ".trash").mkdir()
    assert await local.workloads.list_names() == []
    assert (await local.workloads.observe("somebody")).state is WorkloadState.ABSENT


async def test_a_new_attempt_of_the_run_needs_another_name(local: LocalHarness) -> None:
    spec = await launched(local)
    await local.finish(spec, 0)
    await local.workloads.launch(a_spec(name="sw-0a1b2c3d4e5f-g2", generation=2, attempt_id=uuid4()))
    assert sorted(await local.workloads.list_names()) == [spec.name, "sw-0a1b2c3d4e5f-g2"]
