"""The engine ``codex``: one ``codex exec`` per turn, resumed by thread id, its usage read from the thread's file."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta

from stagewright.adapters.engines.codex.config import REASONING, catalogue, codex_home, config
from stagewright.adapters.engines.codex.events import CodexParser
from stagewright.adapters.engines.codex.session import Spent, rollout_of, spent_from, spent_in
from stagewright.adapters.engines.contract import Archive, Capabilities, EngineEvent, EngineJob
from stagewright.adapters.engines.environment import clean_environment
from stagewright.adapters.engines.failures import classify, turn_failed, without_final
from stagewright.adapters.engines.files import collect, put_back, write_private
from stagewright.adapters.engines.jsonl import Invocation, drive
from stagewright.adapters.engines.program import Program
from stagewright.adapters.engines.startcheck import check_version, program_of


class CodexEngine:
    """Drives the Codex CLI. It holds no credential: provider and tools are reached through the loopback relay."""

    name = "codex"
    capabilities = Capabilities(
        structured_output="native",
        resume=True,
        mcp=True,
        reasoning=REASONING,
        usage="cumulative",
        native_events=True,
        needs_login=False,
    )

    def __init__(self) -> None:
        self._job: EngineJob | None = None
        self._program = Program()
        self._version = ""
        self._thread_id = ""
        self._spent = Spent()

    async def check(self, job: EngineJob) -> str:
        """Return the CLI's version, or raise ``EngineUnusable``."""
        self._version = await check_version(self.name, job)
        return self._version

    async def prepare(self, job: EngineJob) -> None:
        """Write the Codex home and the report's schema."""
        self._job = job
        home = codex_home(job)
        write_private(home / "models.json", catalogue(job.model).encode())
        write_private(home / "config.toml", config(job).encode())
        write_private(home / "report.schema.json", json.dumps(job.report_schema).encode())

    async def turn(self, prompt: str, *, thread_id: str | None) -> AsyncIterator[EngineEvent]:
        """Run ``codex exec`` once; the prompt goes through standard input, as it may be longer than an argument."""
        job = self._ready()
        parser = CodexParser(job.repo)
        call = self._invocation(job, prompt, thread_id)
        self._thread_id = thread_id or ""
        self._spent = spent_in(rollout_of(codex_home(job), self._thread_id)) or Spent()
        job.result_file.unlink(missing_ok=True)
        try:
            async for event in drive(self._program, call, parser):
                self._thread_id = event.thread_id or self._thread_id
                yield event
        finally:
            await self._program.close()
        if (usage := self._newly_spent(job, parser)) is not None:
            yield usage
        yield self._final(job, parser, call)

    def _invocation(self, job: EngineJob, prompt: str, thread_id: str | None) -> Invocation:
        home = codex_home(job)
        prompt_file = job.home / "turn-prompt.md"
        write_private(prompt_file, prompt.encode())
        flags = ["--json", "--strict-config", "--ignore-rules"]
        report = ["--output-schema", str(home / "report.schema.json"), "-o", str(job.result_file)]
        where = ["resume", thread_id] if thread_id else []
        argv = [str(program_of(self.name, job)), "exec", *flags, *report, *where, "-"]
        env = {**clean_environment(job), "CODEX_HOME": str(home), "NO_COLOR": "1"}
        return Invocation(argv, job.repo, env, prompt_file)

    def _newly_spent(self, job: EngineJob, parser: CodexParser) -> EngineEvent | None:
        """Return what this turn spent: the CLI counts the thread's total over resumes, and says nothing when killed."""
        total = spent_in(rollout_of(codex_home(job), self._thread_id)) or spent_from(parser.usage)
        spent = (total or self._spent).since(self._spent)
        if spent == Spent():
            return None
        return EngineEvent(
            "usage", tokens_in=spent.tokens_in, tokens_cached=spent.tokens_cached, tokens_out=spent.tokens_out
        )

    def _final(self, job: EngineJob, parser: CodexParser, call: Invocation) -> EngineEvent:
        if parser.completed:
            text = parser.last_message
            if job.result_file.is_file() and not job.result_file.is_symlink():
                text = job.result_file.read_text(encoding="utf-8", errors="replace") or text
            return EngineEvent("turn_ended", result=text)
        if parser.failure is not None and not self._program.interrupted:
            return turn_failed(classify(parser.failure), parser.failure)
        return without_final(
            interrupted=self._program.interrupted,
            started=bool(parser.thread_id),
            exit_code=self._program.exit_code,
            errors=call.errors,
            name=self.name,
        )

    async def interrupt(self, grace: timedelta) -> None:
        """Stop the CLI and the shells it started."""
        await self._program.interrupt(grace)

    def archive(self) -> Archive | None:
        """Return the thread's rollout file at its dated path, None when there is no thread yet."""
        home = codex_home(self._ready())
        rollout = rollout_of(home, self._thread_id)
        files = collect(home, [rollout]) if rollout else ()
        return Archive(self._thread_id, self._version, files) if files else None

    def restore(self, archive: Archive) -> None:
        """Put the rollout file back at its dated path."""
        put_back(codex_home(self._ready()), archive.files)

    def _ready(self) -> EngineJob:
        assert self._job is not None, "prepare comes first"
        return self._job
