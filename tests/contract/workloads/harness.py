"""Hands for both implementations: launch, print, end, and see whether they did."""

import asyncio
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from tests.fakes.workloads import FakeWorkloads

from stagewright.adapters.local.workloads import LocalWorkloads
from stagewright.contexts.runs.ports import Observed, Workloads, WorkloadSpec, WorkloadState

# A runner that obeys: it reads lines `say TEXT`, `exit N`, `leave`, `deaf` from a fifo in its directory.
PUPPET = r"""
mkfifo commands; : > ready
exec 3<>commands
while read -r word rest <&3; do
  case "$word" in
    say) echo "$rest" ;;
    exit) exit "$rest" ;;
    deaf) trap '' TERM; : > deafened ;;
    leave) (setsid sh -c 'echo $$ > grandchild; exec sleep 600' &) ;;
  esac
done
"""


def a_spec(**changes: object) -> WorkloadSpec:
    """Return a valid spec."""
    spec = WorkloadSpec(
        name="sw-0a1b2c3d4e5f-g1",
        run_id=uuid4(),
        attempt_id=uuid4(),
        generation=1,
        labels={"stagewright.dev/managed": "true"},
        controlplane_url="http://127.0.0.1:1",
        tokens={"run": "token-run", "tools": "token-tools", "model": "token-model"},
        deadline=datetime.now(UTC) + timedelta(hours=1),
        run_dir_key="run-0a1b2c3d4e5f",
    )
    return replace(spec, **changes)  # type: ignore[arg-type]


async def until(done: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something only the file system or /proc can tell, bounded."""
    for _ in range(int(seconds / 0.005)):
        if done():
            return
        await asyncio.sleep(0.005)
    raise TimeoutError(f"not within {seconds} s: {done}")


async def until_state(workloads: Workloads, name: str, *states: WorkloadState) -> Observed:
    """Wait until the workload is in one of the states."""
    for _ in range(2000):
        if (seen := await workloads.observe(name)).state in states:
            return seen
        await asyncio.sleep(0.005)
    raise TimeoutError(f"{name} is {seen.state}, not one of {states}")


class Harness(Protocol):
    """What the shared suite needs beyond the port."""

    workloads: Workloads

    async def say(self, spec: WorkloadSpec, line: str) -> None: ...
    async def finish(self, spec: WorkloadSpec, exit_code: int) -> None: ...
    def restarted(self) -> Workloads: ...


class FakeHarness:
    """The fake's own hands."""

    def __init__(self) -> None:
        self.fake = FakeWorkloads()
        self.workloads: Workloads = self.fake

    async def say(self, spec: WorkloadSpec, line: str) -> None:
        """Print a line."""
        self.fake.say(spec.name, line)

    async def finish(self, spec: WorkloadSpec, exit_code: int) -> None:
        """End it."""
        self.fake.finish(spec.name, exit_code)

    def restarted(self) -> Workloads:
        """Return the port as a restarted worker would have it."""
        return self.fake


class LocalHarness:
    """Real processes: the puppet in the place of the runner."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.workloads: Workloads = self.restarted()

    def restarted(self) -> LocalWorkloads:
        """Return the port as a restarted worker would have it."""
        return LocalWorkloads(self.data, runner=("/bin/sh", "-c", PUPPET))

    def run_dir(self, spec: WorkloadSpec) -> Path:
        """Return the work directory."""
        return self.data / "runs" / spec.run_dir_key

    async def order(self, spec: WorkloadSpec, command: str) -> None:
        """Give the puppet one line."""
        await until((self.run_dir(spec) / "ready").exists)
        with open(self.run_dir(spec) / "commands", "w", encoding="utf-8") as fifo:  # noqa: ASYNC230  it has a reader
            fifo.write(command + "\n")

    async def say(self, spec: WorkloadSpec, line: str) -> None:
        """Print a line."""
        await self.order(spec, f"say {line}")

    async def finish(self, spec: WorkloadSpec, exit_code: int) -> None:
        """End it."""
        await self.order(spec, f"exit {exit_code}")
        await until_state(self.workloads, spec.name, WorkloadState.FINISHED)


def mode_of(path: Path) -> int:
    """Return the permission bits."""
    return stat.S_IMODE(os.lstat(path).st_mode)
