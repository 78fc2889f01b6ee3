"""The engine ``command``: runs a command line; its output is log, its result file is the report."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from stagewright.adapters.engines.command.template import BadTemplate, fill
from stagewright.adapters.engines.contract import Archive, Capabilities, EngineEvent, EngineJob, EngineUnusable
from stagewright.adapters.engines.environment import clean_environment, find_program
from stagewright.adapters.engines.files import collect, put_back, write_private
from stagewright.adapters.engines.mcp import reachable
from stagewright.adapters.engines.program import Program

VERSION = "1"
THREAD = "session"
LARGEST_RESULT = 1024 * 1024
COUNTS = ("tokens_in", "tokens_cached", "tokens_out")


class CommandEngine:
    """Exit 0 and a JSON result file complete the turn; the session is whatever the command keeps in its folder."""

    name = "command"
    capabilities = Capabilities(
        structured_output="prompted",
        resume=True,
        mcp=True,
        reasoning=(),
        usage="per_call",
        native_events=False,
        needs_login=False,
    )

    def __init__(self) -> None:
        self._job: EngineJob | None = None
        self._program = Program()

    async def check(self, job: EngineJob) -> str:
        """Check the template and that its program is there."""
        try:
            argv = fill(job.argv, _places(job, job.prompt_file))
        except BadTemplate as error:
            raise EngineUnusable("agent_not_configured", str(error)) from error
        if find_program(argv[0], job) is None:
            raise EngineUnusable(
                "agent_not_configured",
                f"engines.command.argv[0]: the program {argv[0]!r} is not on PATH; install it in the workload's image",
            )
        return VERSION

    async def prepare(self, job: EngineJob) -> None:
        """Make the session folder and write the MCP configuration, which names the loopback relay only."""
        self._job = job
        job.session_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        servers = {"governed": {"type": "http", "url": job.tools_url}} if job.tools_url else {}
        write_private(_mcp_config(job), json.dumps({"mcpServers": servers}, indent=2).encode() + b"\n")

    async def turn(self, prompt: str, *, thread_id: str | None) -> AsyncIterator[EngineEvent]:
        """Run the command once. What it prints is log."""
        try:
            async for event in self._events(self._ready(), prompt, thread_id):
                yield event
        finally:
            await self._program.close()

    async def _events(self, job: EngineJob, prompt: str, thread_id: str | None) -> AsyncIterator[EngineEvent]:
        yield EngineEvent("thread", thread_id=thread_id or THREAD)
        yield EngineEvent("turn_started")
        if job.tools_url and (reason := await reachable(job.tools_url)):
            yield _failed("mcp_unavailable", reason)
            return
        job.result_file.unlink(missing_ok=True)
        argv = fill(job.argv, _places(job, _prompt_file(job, prompt)))
        try:
            async for piece in self._program.run(argv, cwd=job.repo, env=clean_environment(job)):
                yield EngineEvent("log", raw=piece.data)
        except OSError as error:
            yield _failed("engine_error", f"engines.command.argv[0]: {argv[0]!r} cannot be started: {error.strerror}")
            return
        for event in self._conclusion(job, self._program.exit_code):
            yield event

    def _conclusion(self, job: EngineJob, exit_code: int | None) -> list[EngineEvent]:
        if self._program.interrupted:
            return [_failed("interrupted", "the command was interrupted")]
        if exit_code is None or exit_code < 0:
            return [_failed("lost", f"the command was killed by signal {-(exit_code or 0)}")]
        if exit_code:
            return [_failed("engine_error", f"the command ended with exit code {exit_code}; see the log")]
        try:
            text = _read_result(job.result_file)
        except ValueError as error:
            return [_failed("engine_error", str(error))]
        return _result_events(text)

    async def interrupt(self, grace: timedelta) -> None:
        """Stop the command and all it started."""
        await self._program.interrupt(grace)

    def archive(self) -> Archive | None:
        """Return all files of the session folder, None when there are none or they exceed the archive limit."""
        job = self._ready()
        files = collect(job.session_dir, job.session_dir.rglob("*"))
        return Archive(THREAD, VERSION, files) if files else None

    def restore(self, archive: Archive) -> None:
        """Put the session folder's files back."""
        put_back(self._ready().session_dir, archive.files)

    def _ready(self) -> EngineJob:
        assert self._job is not None, "prepare comes first"
        return self._job


def _mcp_config(job: EngineJob) -> Path:
    return job.home / "mcp.json"


def _places(job: EngineJob, prompt_file: Path) -> dict[str, str]:
    return {
        "prompt_file": str(prompt_file),
        "result_file": str(job.result_file),
        "session_dir": str(job.session_dir),
        "mcp_config": str(_mcp_config(job)),
    }


def _prompt_file(job: EngineJob, prompt: str) -> Path:
    """Return a file with exactly this prompt: the job's own for its first turn, else a new one."""
    wanted = prompt.encode()
    if job.prompt_file.is_file() and job.prompt_file.read_bytes() == wanted:
        return job.prompt_file
    path = job.home / "turn-prompt.md"
    write_private(path, wanted)
    return path


def _read_result(path: Path) -> str:
    if path.is_symlink() or not path.is_file():
        raise ValueError("no result file: the command ended with 0 but wrote no {result_file}")
    if path.stat().st_size > LARGEST_RESULT:
        raise ValueError("no result file: {result_file} is larger than 1 MiB; shorten the report")
    try:
        text = path.read_text(encoding="utf-8")
        json.loads(text)
    except ValueError as error:
        raise ValueError(f"no result file: {{result_file}} is not JSON ({error})") from error
    return text


def _result_events(text: str) -> list[EngineEvent]:
    """Return the final event, after a ``usage`` event if the result carries the counts beside the report's fields."""
    report: Any = json.loads(text)
    usage = report.pop("usage", None) if isinstance(report, dict) else None
    if not isinstance(usage, dict):
        return [EngineEvent("turn_ended", result=text)]
    counts = {name: usage[name] for name in COUNTS if type(usage.get(name)) is int and usage[name] >= 0}
    return [EngineEvent("usage", **counts), EngineEvent("turn_ended", result=json.dumps(report, ensure_ascii=False))]


def _failed(failure: Any, text: str) -> EngineEvent:
    return EngineEvent("turn_failed", failure=failure, code=failure, text=text, ok=False, raw=f"{text}\n".encode())
