"""The process tree below a child, read from /proc: what left the child's process group is found and killed too."""

import contextlib
import os
import signal
from pathlib import Path

PROC = Path("/proc")
PASSES = 3


def descendants(pid: int) -> set[tuple[int, str]]:
    """Return (pid, start time) of everything below ``pid``; empty where there is no /proc.

    The start time tells a process from a later one with the same number.
    """
    children: dict[int, list[tuple[int, str]]] = {}
    for entry in _numbered_entries():
        facts = _facts(entry)
        if facts is not None:
            parent, started = facts
            children.setdefault(parent, []).append((int(entry.name), started))
    found: set[tuple[int, str]] = set()
    waiting = [pid]
    while waiting:
        for child in children.get(waiting.pop(), []):
            if child not in found:
                found.add(child)
                waiting.append(child[0])
    return found


def kill_group(pid: int, number: signal.Signals) -> None:
    """Signal the process group led by ``pid``; one that is gone is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def kill_tree(pid: int) -> None:
    """Kill the group of the living child ``pid`` and all that is below it."""
    for _ in range(PASSES):
        below = descendants(pid)
        kill_group(pid, signal.SIGKILL)
        kill_known(below)
        if not descendants(pid):
            return


def kill_known(known: set[tuple[int, str]]) -> None:
    """Kill those of ``known`` that still live: what a child left behind when it ended."""
    for pid, started in known:
        facts = _facts(PROC / str(pid))
        if facts is not None and facts[1] == started:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def _numbered_entries() -> list[Path]:
    try:
        return [PROC / name for name in os.listdir(PROC) if name.isdigit()]
    except OSError:
        return []


def _facts(entry: Path) -> tuple[int, str] | None:
    """Return (parent, start time); fields 4 and 22 of ``stat``, counted after the name, which may hold anything."""
    try:
        fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
        return int(fields[1]), fields[19]
    except (OSError, IndexError, ValueError):
        return None
