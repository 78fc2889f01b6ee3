"""Act out one rehearsal step in the work tree and report it as engine events."""

import asyncio
import contextlib
import json
import os
import shlex
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

from stagewright.adapters.engines.contract import EngineEvent, EngineJob, FailureClass
from stagewright.adapters.engines.environment import clean_environment
from stagewright.adapters.engines.files import inside
from stagewright.adapters.engines.mcp import ToolsClient, ToolsUnreachable
from stagewright.adapters.engines.program import Program
from stagewright.adapters.engines.scripted.scenario import Step

QUESTION_TOOL = "owner_feedback_request"
FAILURES: tuple[str, ...] = get_args(FailureClass)


class Actor:
    """Acts steps for one job. Stops at once when it is interrupted."""

    def __init__(self, job: EngineJob) -> None:
        self._job = job
        self._stopping = asyncio.Event()
        self._program = Program()
        self._tools: ToolsClient | None = None
        self.parked = False

    @property
    def stopping(self) -> bool:
        """Say whether ``interrupt`` was called."""
        return self._stopping.is_set()

    async def interrupt(self, grace: timedelta) -> None:
        """Stop waiting and stop the running command."""
        self._stopping.set()
        await self._program.interrupt(grace)

    async def close(self) -> None:
        """Kill a command that still runs."""
        await self._program.close()

    async def open_tools(self) -> EngineEvent | None:
        """Connect to the governed tools if the job has any; return the failure when the door does not answer."""
        if not self._job.tools_url:
            return None
        tools = ToolsClient(self._job.tools_url)
        try:
            await tools.open()
        except ToolsUnreachable as error:
            return failed("mcp_unavailable", str(error))
        self._tools = tools
        return None

    async def act(self, step: Step) -> AsyncIterator[EngineEvent]:
        """Act one step. ``parked`` is set when a person must answer before the rehearsal goes on."""
        match step.kind:
            case "say":
                yield EngineEvent("message", text=step.value, raw=_log(step.value))
            case "write" | "delete" | "rename":
                yield self._change(step)
            case "run":
                async for event in self._run(step.value):
                    yield event
            case "tool":
                yield await self._call(step.value["name"], step.value["arguments"])
            case "ask":
                yield await self._call(QUESTION_TOOL, step.value)
            case "sleep":
                yield EngineEvent("log", raw=_log(f"sleep {step.value:g}s"))
                await self._pause(step.value)
            case "hang":
                yield EngineEvent("log", raw=_log("hang"))
                await self._stopping.wait()
            case "usage":
                yield EngineEvent("usage", **step.value, raw=_log(f"usage {json.dumps(step.value)}"))
            case "fail":
                yield failed(step.value, f"the rehearsal fails here: {step.value}")

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # wait_for would lose a cancellation
                await self._stopping.wait()

    def _change(self, step: Step) -> EngineEvent:
        names = (step.value["from"], step.value["to"]) if step.kind == "rename" else (_path_of(step),)
        paths = [inside(self._job.repo, name) for name in names]
        raw = _log(" ".join([step.kind, *names]))
        try:
            if None in paths:
                raise ValueError("the path leaves the repository through a symbolic link")
            _apply(step, [path for path in paths if path is not None])
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else str(error)) or "failed"
            return EngineEvent("warning", text=f"{step.kind} {' '.join(names)}: {reason}", raw=raw)
        return EngineEvent("file_change", paths=names, raw=raw)

    async def _run(self, command: str) -> AsyncIterator[EngineEvent]:
        argv = ["/bin/sh", "-c", command]
        async for piece in self._program.run(argv, cwd=self._job.repo, env=clean_environment(self._job)):
            yield EngineEvent("log", raw=piece.data)
        code = self._program.exit_code
        yield EngineEvent("command", argv=shlex.join(argv), exit_code=code, ok=code == 0, raw=_log(f"exit {code}"))

    async def _call(self, name: str, arguments: dict[str, Any]) -> EngineEvent:
        raw = _log(f"tool {name}")
        if self._tools is None:
            return EngineEvent("warning", text=f"no governed tools: {name} is not called", raw=raw)
        try:
            reply = await self._tools.call(name, arguments)
        except ToolsUnreachable as error:
            return failed("mcp_unavailable", str(error))
        self.parked = reply.pending
        return EngineEvent("tool_call", tool=name, ok=reply.ok, text=reply.text, raw=raw)


def failed(code: str, text: str) -> EngineEvent:
    """Return the final event of a failed turn; a code that is no failure class counts as ``engine_error``."""
    failure: Any = code if code in FAILURES else "engine_error"
    return EngineEvent("turn_failed", failure=failure, code=code, text=text, ok=False, raw=_log(text))


def _path_of(step: Step) -> str:
    return str(step.value["path"] if step.kind == "write" else step.value)


def _apply(step: Step, paths: list[Path]) -> None:
    match step.kind:
        case "write":
            _write(paths[0], step.value["content"])
        case "delete" if paths[0].is_dir() and not paths[0].is_symlink():
            shutil.rmtree(paths[0])
        case "delete":
            paths[0].unlink()
        case _:
            paths[1].parent.mkdir(parents=True, exist_ok=True)
            os.replace(paths[0], paths[1])


def _write(path: Path, content: str) -> None:
    if path.is_symlink():
        path.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8", newline="")


def _log(text: str) -> bytes:
    return f"rehearsal: {text}\n".encode()
