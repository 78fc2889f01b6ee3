"""The processes of workloads: found by their files, killed like a machine that breaks."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID


def kill_runner(workload: Path, *, with_supervisor: bool = False) -> bool:
    """Kill the runner's process group, before that its supervisor when asked; say whether there was one."""
    runner = _read(workload / "runner")
    if runner is None:
        return False
    if with_supervisor and (supervisor := _read(workload / "pid")) is not None:
        _kill(int(supervisor["pid"]), group=False)
    return _kill(int(runner["pid"]), group=True)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _kill(pid: int, *, group: bool) -> bool:
    with suppress(ProcessLookupError):
        (os.killpg if group else os.kill)(pid, signal.SIGKILL)
        return True
    return False


def processes() -> Iterator[tuple[int, bytes]]:
    """Return every process of the machine that we may look at, with its environment."""
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            with suppress(OSError):
                yield int(entry), Path("/proc", entry, "environ").read_bytes()


def processes_of_attempts(attempts: list[UUID]) -> list[int]:
    """Return the living processes that carry the id of one of the attempts in their environment."""
    marks = [f"STAGEWRIGHT_ATTEMPT_ID={attempt}".encode() for attempt in attempts]
    return [pid for pid, environ in processes() if any(mark in environ for mark in marks)]
