"""Attempts as process groups of this machine, found again by pid and start time after the worker died."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from stagewright.adapters.local import supervisor
from stagewright.adapters.local.errors import LaunchFailed, WorkloadConflict, WorkloadInvalid
from stagewright.adapters.local.folder import Folder
from stagewright.adapters.local.rundir import RunDirs, empty_trash, move_to_trash
from stagewright.contexts.runs.ports import Observed, WorkloadSpec, WorkloadState

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
RUNNER = (sys.executable, "-I", "-m", "stagewright.processes.runner")
DELETE_WAIT_SECONDS = 15.0


class LocalWorkloads:
    """Implements the ``Workloads`` port on this machine. All state is in files below ``data``."""

    def __init__(
        self, data: Path, *, runner: Sequence[str] = RUNNER, path: str = "", extra: Mapping[str, str] | None = None
    ) -> None:
        """``path`` is the PATH of runners (default: ours); ``extra`` holds proxy settings, never a credential."""
        self._root = data / "workloads"
        self._rundirs = RunDirs(data / "runs")
        self._runner = tuple(runner)
        self._path = path or os.environ.get("PATH", os.defpath)
        self._extra = dict(extra or {})

    async def launch(self, spec: WorkloadSpec) -> None:
        """Start the workload, or finish a launch that was cut off; raise ``WorkloadConflict`` for another attempt's."""
        await asyncio.to_thread(self._launch, spec)

    async def observe(self, name: str) -> Observed:
        """Look at the workload. Gone without having written its exit is ``absent`` with a detail."""
        return await asyncio.to_thread(self._observe, name)

    async def stop(self, name: str, *, grace: timedelta) -> None:
        """Have the supervisor send SIGTERM to the runner and kill everything after ``grace``."""
        await asyncio.to_thread(self._stop, name, grace.total_seconds())

    async def delete(self, name: str) -> None:
        """Kill what is left, remove tokens, state and the work tree. Idempotent."""
        await asyncio.to_thread(self._delete, name)

    async def list_names(self) -> Sequence[str]:
        """Return the workloads that have a folder of ours."""
        return await asyncio.to_thread(self._list_names)

    async def tail(self, name: str, lines: int) -> str:
        """Return the last lines the runner printed (at most about 1 MiB is kept)."""
        return await asyncio.to_thread(lambda: self._folder(name).tail(lines))

    def _folder(self, name: str) -> Folder:
        if not NAME.fullmatch(name):
            raise WorkloadInvalid(f"workload name {name!r}: use lower-case letters, digits and hyphens, at most 63")
        return Folder(self._root / name)

    def _launch(self, spec: WorkloadSpec) -> None:
        folder = self._folder(spec.name)
        if not KEY.fullmatch(spec.run_dir_key):
            raise WorkloadInvalid(f"run_dir_key {spec.run_dir_key!r}: use letters, digits, dot, hyphen and underscore")
        with folder.lock() as lock:
            known = folder.read("spec.json")
            if known and (known["attempt_id"], known["generation"]) != (str(spec.attempt_id), spec.generation):
                raise WorkloadConflict(f"workload {spec.name} belongs to attempt {known['attempt_id']}")
            if known and folder.read("pid"):
                return
            self._refuse_shared_tree(spec)
            cwd = self._rundirs.remake(spec.run_dir_key, owner=spec.name)
            folder.write_tokens(spec.tokens)
            folder.write("spec.json", json.dumps(self._describe(spec, cwd, folder)))
            _start_supervisor(folder.path, lock)

    def _refuse_shared_tree(self, spec: WorkloadSpec) -> None:
        owner = self._rundirs.owner(spec.run_dir_key)
        if owner and owner != spec.name and self._observe(owner).state in _ALIVE:
            raise WorkloadConflict(f"the work tree of {spec.name} is still used by {owner}; delete that workload first")

    def _describe(self, spec: WorkloadSpec, cwd: Path, folder: Folder) -> dict[str, Any]:
        """Return what the supervisor needs: command, clean environment, directory, deadline."""
        environment = {
            **self._extra,
            "STAGEWRIGHT_CONTROLPLANE_URL": spec.controlplane_url,
            "STAGEWRIGHT_ATTEMPT_ID": str(spec.attempt_id),
            "STAGEWRIGHT_GENERATION": str(spec.generation),
            "STAGEWRIGHT_TOKEN_DIR": str(folder.tokens),
            "HOME": str(cwd / "home"),
            "TMPDIR": str(cwd / "tmp"),
            "PATH": self._path,
            "LANG": "C.UTF-8",
        }
        return {
            "attempt_id": str(spec.attempt_id),
            "generation": spec.generation,
            "run_id": str(spec.run_id),
            "run_dir_key": spec.run_dir_key,
            "labels": dict(spec.labels),
            "argv": list(self._runner),
            "env": environment,
            "cwd": str(cwd),
            "deadline": spec.deadline.timestamp(),
        }

    def _observe(self, name: str) -> Observed:
        folder = self._folder(name)
        who = folder.read("pid")
        if who is None:
            launching = folder.locked_by_someone()
            return Observed(WorkloadState.STARTING if launching else WorkloadState.ABSENT)
        alive = supervisor.start_of(who["pid"]) == who["start"]
        ended = folder.read("exit")  # read after the look at the process: it is written before the process goes
        started_at = _moment(who["at"])
        if ended is not None:
            code, detail, at = ended["exit_code"], ended["detail"], _moment(ended["at"])
            return Observed(WorkloadState.FINISHED, code, detail, started_at, at)
        if alive:
            return Observed(WorkloadState.RUNNING, started_at=started_at)
        return Observed(WorkloadState.ABSENT, detail="the supervisor is gone without an exit", started_at=started_at)

    def _stop(self, name: str, grace: float) -> None:
        folder = self._folder(name)
        who = folder.read("pid")
        if who is not None and folder.read("exit") is None:
            with contextlib.suppress(FileNotFoundError, FileExistsError):  # deleted, or stopped by another just now
                folder.write("stop", repr(max(0.0, grace)))
                supervisor.signal_exactly(who["pid"], who["start"], signal.SIGTERM)

    def _delete(self, name: str) -> None:
        folder = self._folder(name)
        if folder.path.is_dir():
            with folder.lock():
                spec = folder.read("spec.json") or {}
                self._kill(folder, spec)
                if "run_dir_key" in spec:
                    self._rundirs.remove(spec["run_dir_key"], owner=name)
                move_to_trash(folder.path, self._root / ".trash")
        empty_trash(self._root / ".trash")

    def _kill(self, folder: Folder, spec: Mapping[str, Any]) -> None:
        """End the supervisor's tree through the supervisor; without it, whatever carries the attempt's id."""
        who = folder.read("pid")
        if who is None:
            return
        self._stop(folder.path.name, 0.0)
        if _wait_until(lambda: supervisor.start_of(who["pid"]) != who["start"], DELETE_WAIT_SECONDS) and (
            folder.read("exit") is not None
        ):
            return
        supervisor.signal_exactly(who["pid"], who["start"], signal.SIGKILL)
        if runner := folder.read("runner"):
            supervisor.signal_exactly(runner["pid"], runner["start"], signal.SIGKILL)
        _kill_marked(f"STAGEWRIGHT_ATTEMPT_ID={spec.get('attempt_id')}".encode())

    def _list_names(self) -> list[str]:
        if not self._root.is_dir():
            return []
        return sorted(p.name for p in self._root.iterdir() if NAME.fullmatch(p.name) and (p / "spec.json").is_file())


_ALIVE = (WorkloadState.STARTING, WorkloadState.RUNNING)


def _start_supervisor(folder: Path, lock: int) -> None:
    """Start the supervisor and return once it is registered. It inherits the lock, so nobody can launch in between."""
    started = subprocess.run(
        [sys.executable, "-I", "-S", supervisor.__file__, str(folder), str(lock)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        cwd="/",
        pass_fds=(lock,),
        start_new_session=True,
        timeout=30,
        check=False,
    )
    if started.returncode != 0:
        raise LaunchFailed(f"the supervisor did not start: {started.stderr.decode('utf-8', 'replace')[-500:]}")


def _kill_marked(mark: bytes) -> None:
    """Kill what carries the attempt's id in its environment (Linux; for a supervisor that died before its tree)."""
    if not supervisor.LINUX:
        return
    for entry in os.listdir("/proc"):
        start = supervisor.start_of(int(entry)) if entry.isdigit() else None
        if start is None:
            continue
        with contextlib.suppress(OSError):
            if mark in Path("/proc", entry, "environ").read_bytes().split(b"\0"):
                supervisor.signal_exactly(int(entry), start, signal.SIGKILL)


def _wait_until(done: Callable[[], bool], seconds: float) -> bool:
    give_up = time.monotonic() + seconds
    while not done():
        if time.monotonic() >= give_up:
            return False
        time.sleep(0.005)
    return True


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
