"""The engine ``claude``: one ``claude -p`` per turn, resumed by session id in the same working directory."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta

from stagewright.adapters.engines.claude.config import (
    REASONING,
    arguments,
    config_dir,
    environment,
    mcp_config,
    mcp_file,
)
from stagewright.adapters.engines.claude.events import ClaudeParser, Result
from stagewright.adapters.engines.contract import Archive, Capabilities, EngineEvent, EngineJob
from stagewright.adapters.engines.failures import classify, turn_failed, without_final
from stagewright.adapters.engines.files import collect, put_back, write_private
from stagewright.adapters.engines.jsonl import Invocation, drive
from stagewright.adapters.engines.mcp import reachable
from stagewright.adapters.engines.program import Program
from stagewright.adapters.engines.startcheck import check_version, program_of

NO_REPORT = "error_max_structured_output_retries"


class ClaudeEngine:
    """Drives Claude Code. It holds no credential: provider and tools are reached through the loopback relay."""

    name = "claude"
    capabilities = Capabilities(
        structured_output="native",
        resume=True,
        mcp=True,
        reasoning=REASONING,
        usage="per_call",
        native_events=True,
        needs_login=False,
    )

    def __init__(self) -> None:
        self._job: EngineJob | None = None
        self._program = Program()
        self._version = ""
        self._session_id = ""

    async def check(self, job: EngineJob) -> str:
        """Return the CLI's version, or raise ``EngineUnusable``."""
        self._version = await check_version(self.name, job)
        return self._version

    async def prepare(self, job: EngineJob) -> None:
        """Make the configuration folder and write the MCP file."""
        self._job = job
        config_dir(job).mkdir(parents=True, exist_ok=True, mode=0o700)
        write_private(mcp_file(job), mcp_config(job).encode())

    async def turn(self, prompt: str, *, thread_id: str | None) -> AsyncIterator[EngineEvent]:
        """Run ``claude -p`` once. It goes on without its tools when they are down, so they are looked at before."""
        job = self._ready()
        if job.tools_url and (reason := await reachable(job.tools_url)):
            yield turn_failed("mcp_unavailable", reason)
            return
        parser = ClaudeParser(job.repo)
        call = self._invocation(job, prompt, thread_id)
        try:
            async for event in drive(self._program, call, parser):
                self._session_id = event.thread_id or self._session_id
                yield event
                if parser.tools_lost and event.kind == "turn_started":
                    break
        finally:
            await self._program.close()
        tokens_in, tokens_cached, tokens_out = parser.usage
        if tokens_in or tokens_out:
            yield EngineEvent("usage", tokens_in=tokens_in, tokens_cached=tokens_cached, tokens_out=tokens_out)
        yield self._final(parser, call)

    def _invocation(self, job: EngineJob, prompt: str, thread_id: str | None) -> Invocation:
        prompt_file = job.home / "turn-prompt.md"
        write_private(prompt_file, prompt.encode())
        return Invocation(
            arguments(program_of(self.name, job), job, thread_id), job.repo, environment(job), prompt_file
        )

    def _final(self, parser: ClaudeParser, call: Invocation) -> EngineEvent:
        if parser.tools_lost and not self._program.interrupted:
            return turn_failed("mcp_unavailable", parser.tools_lost)
        if parser.result is not None and not self._program.interrupted:
            return _ended(parser.result)
        return without_final(
            interrupted=self._program.interrupted,
            started=bool(parser.session_id),
            exit_code=self._program.exit_code,
            errors=call.errors,
            name=self.name,
        )

    async def interrupt(self, grace: timedelta) -> None:
        """Stop the CLI and the shells it started."""
        await self._program.interrupt(grace)

    def archive(self) -> Archive | None:
        """Return the session's file at its path below the configuration folder, None when there is none yet."""
        home = config_dir(self._ready())
        found = sorted((home / "projects").glob(f"*/{self._session_id}.jsonl")) if self._session_id else []
        files = collect(home, found)
        return Archive(self._session_id, self._version, files) if files else None

    def restore(self, archive: Archive) -> None:
        """Put the session's file back."""
        put_back(config_dir(self._ready()), archive.files)

    def _ready(self) -> EngineJob:
        assert self._job is not None, "prepare comes first"
        return self._job


def _ended(result: Result) -> EngineEvent:
    """Return the final event; an answer without a valid report is still an answer, which the runner has repaired."""
    if result.structured is not None:
        return EngineEvent("turn_ended", result=json.dumps(result.structured, ensure_ascii=False))
    if not result.is_error or result.subtype == NO_REPORT:
        return EngineEvent("turn_ended", result=result.text)
    text = result.text or f"claude failed: {result.subtype}"
    return turn_failed(classify(text, result.status), text)
