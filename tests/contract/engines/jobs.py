"""Engine jobs over real folders and a real git repository, and a turn gathered into a list."""

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from stagewright.adapters.engines.contract import Engine, EngineEvent, EngineJob

DEADLINE = 60.0
KILL_SECONDS = 5.0
REPORT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["status", "title", "summary", "question", "sections", "tool_gaps"],
    "properties": {
        "status": {"type": "string", "enum": ["completed", "needs_input", "blocked"]},
        "title": {"type": "string", "minLength": 3, "maxLength": 80},
        "summary": {"type": "string", "maxLength": 2000},
        "question": {"type": ["string", "null"]},
        "sections": {"$ref": "#/$defs/sections"},
        "tool_gaps": {"type": "array", "items": {"type": "string"}},
    },
    "$defs": {
        "sections": {
            "type": "object",
            "additionalProperties": False,
            "required": ["context", "artifacts", "risks"],
            "properties": {
                "context": {"type": "string", "description": "why this was asked"},
                "artifacts": {"type": "array", "items": {"type": "string"}},
                "risks": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            },
        }
    },
}


def a_repository(folder: Path) -> Path:
    """Return a git work tree with one commit."""
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("# Sample\n")
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], [*identity, "commit", "-q", "-m", "Begin"]):
        subprocess.run(["git", *words], cwd=folder, check=True, timeout=30)
    return folder


def a_job(root: Path, **changes: Any) -> EngineJob:
    """Return a job whose folders are below ``root``; the repository is made when it is not there."""
    repo = root / "repo"
    if not repo.exists():
        a_repository(repo)
    home = root / "home"
    home.mkdir(exist_ok=True)
    prompt_file = root / "prompt.md"
    prompt_file.write_text("Do the work.")
    job = EngineJob(
        repo=repo,
        home=home,
        prompt_file=prompt_file,
        result_file=root / "result.json",
        session_dir=root / "session",
        model="stub-model",
        reasoning="medium",
        report_schema=REPORT_SCHEMA,
        stage="dev",
    )
    return replace(job, **changes)


async def run_turn(
    engine: Engine,
    prompt: str = "Do the work.",
    *,
    thread_id: str | None = None,
    until: Callable[[EngineEvent], bool] = lambda _: False,
) -> list[EngineEvent]:
    """Return the events of one turn, up to the first one for which ``until`` holds; bounded by a deadline."""
    events: list[EngineEvent] = []
    async with asyncio.timeout(DEADLINE), aclosing(engine.turn(prompt, thread_id=thread_id)) as turn:  # type: ignore[type-var]
        async for event in turn:
            events.append(event)
            if until(event):
                break
    return events


def alive(pid: int) -> bool:
    """Say whether the process lives; one that is only waiting to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def survivors(pids: Iterable[int]) -> list[int]:
    """Return which of ``pids`` live on; a kill gets a moment to arrive."""
    until = time.monotonic() + KILL_SECONDS
    left = [pid for pid in pids if alive(pid)]
    while left and time.monotonic() < until:
        time.sleep(0.02)
        left = [pid for pid in left if alive(pid)]
    return left


def pids_in(events: list[EngineEvent]) -> list[int]:
    """Return the numbers of the log's lines ``pid <number>``."""
    return [int(line.split()[1]) for line in log_of(events).splitlines() if line.startswith(b"pid ")]


@asynccontextmanager
async def a_signal(path: Path) -> AsyncIterator[asyncio.Event]:
    """Make a pipe at ``path`` and yield an event that is set as soon as somebody writes to it."""
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    written = asyncio.Event()
    asyncio.get_running_loop().add_reader(descriptor, written.set)
    try:
        yield written
    finally:
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)


def thread_of(events: list[EngineEvent]) -> str:
    """Return the thread the turn belongs to."""
    return next(event.thread_id for event in events if event.kind == "thread")


def kinds(events: list[EngineEvent]) -> list[str]:
    """Return the kinds of all events but plain log."""
    return [event.kind for event in events if event.kind != "log"]


def log_of(events: list[EngineEvent]) -> bytes:
    """Return all log bytes."""
    return b"".join(event.raw for event in events)
