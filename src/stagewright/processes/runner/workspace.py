"""Everything a turn needs, made from the assignment: folders, source, engine, relay, session, checks, prompt."""

import asyncio
import contextlib
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from stagewright.adapters.engines.contract import Engine, EngineJob, EngineUnusable
from stagewright.adapters.engines.mcp import ToolsClient, ToolsUnreachable
from stagewright.adapters.engines.registry import make_engine
from stagewright.processes.runner.control import Control
from stagewright.processes.runner.door import Door
from stagewright.processes.runner.exchange import CONNECT_SECONDS, RelayRefusal, Route
from stagewright.processes.runner.failures import AttemptOver, Failed, Refused
from stagewright.processes.runner.git import Git, GitFailed
from stagewright.processes.runner.outbox import Outbox
from stagewright.processes.runner.relay import Relay
from stagewright.processes.runner.sessions import (
    LARGEST_ARCHIVE,
    REDEPLOY,
    SessionKeeper,
    SessionLost,
    fetch_session,
    restore_session,
)
from stagewright.processes.runner.settings import Settings
from stagewright.processes.runner.source import fetch_source
from stagewright.processes.runner.turns import Driver, RelayAnswers
from stagewright.processes.runner.worktree import WorkTree
from stagewright.wire.v1 import assignment_pb2


@dataclass(frozen=True, slots=True)
class Ready:
    """An engine that can take its first prompt."""

    engine: Engine
    driver: Driver
    tree: WorkTree
    keeper: SessionKeeper
    prompt: str


class Workspace:
    """Makes everything ready step by step (`runs.md` 14, steps 2 to 6)."""

    def __init__(
        self,
        assignment: assignment_pb2.Assignment,
        settings: Settings,
        *,
        door: Door,
        outbox: Outbox,
        control: Control,
    ) -> None:
        self._assignment = assignment
        self._settings = settings
        self._door = door
        self._outbox = outbox
        self._control = control
        self._keeper: SessionKeeper | None = None
        self._answers = RelayAnswers()
        self._routes = _routes(assignment, settings)
        self._relay = Relay(self._routes, hold=self._hold_redeploy, seen=self._answers.seen)
        self.private = settings.run_dir / "private"

    async def prepare(self) -> Ready:
        """Make everything ready for the first turn. Raises ``AttemptOver``."""
        assignment = self._assignment
        self._make_folders()
        loading = asyncio.create_task(asyncio.to_thread(make_engine, assignment.engine))  # while the source comes
        try:
            await self._relay.start()
            tree = await self._make_tree()
            job = self._job()
            engine, version = await _prepared_engine(loading, job)
        finally:
            await asyncio.gather(loading, return_exceptions=True)
        await self._check_doors()
        thread = await self._restore(engine, tree)
        driver = Driver(engine, self._outbox, self._control, self._answers, assignment.model, thread=thread)
        keeper = self._keeper = SessionKeeper(self._door, self._outbox, engine, tree, assignment)
        self._outbox.event(
            "run.agent.started", branch=assignment.branch, engine=assignment.engine, engine_version=version
        )
        prompt = self._prompt(job.prompt_file, restored=thread is not None)
        self._outbox.event("run.agent.ready", prompt_sha256=assignment.prompt_sha256)
        return Ready(engine, driver, tree, keeper, prompt)

    async def close(self) -> None:
        """Close the relay."""
        await self._relay.close()

    def _make_folders(self) -> None:
        for name in ("private", "engine", "session"):
            (self._settings.run_dir / name).mkdir(mode=0o700, exist_ok=True)
        if (self._settings.run_dir / "repo").exists():
            raise Failed("engine_error", "the work tree is already there; the launcher has to give an empty directory")

    async def _make_tree(self) -> WorkTree:
        bundle = self.private / "source.bundle"
        await fetch_source(self._door, bundle)
        git = Git(self._settings.run_dir / "repo", home=self.private, path=self._settings.path)
        tree = WorkTree(git, self.private, self._assignment)
        try:
            await tree.set_up(bundle)
        except GitFailed as error:
            raise Failed("source_unavailable", f"the work tree could not be made: {error}") from error
        finally:
            bundle.unlink(missing_ok=True)
        return tree

    def _job(self) -> EngineJob:
        assignment, run_dir = self._assignment, self._settings.run_dir
        urls = {route.kind: self._relay.url(route) for route in self._routes}
        return EngineJob(
            repo=run_dir / "repo",
            home=run_dir / "engine",
            prompt_file=self.private / "prompt.md",
            result_file=run_dir / "engine" / "result.json",
            session_dir=run_dir / "session",
            model=assignment.model,
            reasoning=assignment.reasoning,
            report_schema=json.loads(assignment.report_schema or "{}"),
            model_url=urls.get("model", ""),
            tools_url=urls.get("tools", ""),
            tool_names=tuple(assignment.tools),
            argv=tuple(assignment.engine_argv),
            scenario=assignment.scenario,
            stage=assignment.stage or assignment.kind.replace("_", "-"),
            run_id=assignment.run_id,
            engine_version=assignment.engine_version,
            scope_any=assignment.scope_any,
            scope_allow=tuple(assignment.scope_allow),
            # the attempt's id lets the local runtime find what a dead supervisor left behind
            environment={
                "PATH": self._settings.path,
                "STAGEWRIGHT_ATTEMPT_ID": self._settings.attempt_id,
                **self._settings.proxies,
            },
        )

    async def _check_doors(self) -> None:
        """See that the relay reaches the platform, and that the tools are those of the assignment."""
        for route in self._routes:
            if route.kind == "tools":
                await self._check_tools(route)
            else:
                await _ping(route)

    async def _check_tools(self, route: Route) -> None:
        client = ToolsClient(self._relay.url(route))
        try:
            await client.open()
            there = set(await client.list_tools())
        except ToolsUnreachable as error:
            raise Failed("engine_error", f"mcp_unavailable: {error}") from error
        if there != set(self._assignment.tools):
            differing = ", ".join(sorted(there ^ set(self._assignment.tools)))
            raise Failed("engine_error", f"the tools door and the assignment differ in: {differing}")

    async def _restore(self, engine: Engine, tree: WorkTree) -> str | None:
        """Restore the session the assignment names and return its thread; a lost one means a fresh start, told."""
        session_id = self._assignment.session_id
        if not session_id:
            return None
        try:
            if not engine.capabilities.resume:
                raise SessionLost(f"the engine {engine.name} cannot resume")
            fetched = await fetch_session(self._door, session_id)
            limit = self._assignment.max_archive_bytes or LARGEST_ARCHIVE
            thread = await restore_session(fetched, engine, tree, self.private, limit)
        except SessionLost as error:
            self._outbox.event("run.agent.session.restored", session_id=session_id, not_compatible=str(error)[:500])
            await self._outbox.log("runner", f"session_lost: {error}; starting fresh\n".encode())
            return None
        thread = self._assignment.session_thread_id or thread
        self._outbox.event("run.agent.session.restored", session_id=session_id, thread_id=thread)
        self._outbox.event("run.agent.resume.used", session_id=session_id, thread_id=thread)
        return thread

    def _prompt(self, path: Path, *, restored: bool) -> str:
        """Write the prompt file, verify it, and return what the first turn is told."""
        assignment = self._assignment
        path.write_bytes(assignment.prompt.encode())
        if hashlib.sha256(path.read_bytes()).hexdigest() != assignment.prompt_sha256:
            raise Failed("engine_error", "prompt_sha256: the prompt that arrived is not the one that was rendered")
        if restored:
            return assignment.resume_prompt or assignment.prompt
        lost_session = bool(assignment.session_id and assignment.resume_prompt)
        return f"{assignment.prompt}\n\n{assignment.resume_prompt}" if lost_session else assignment.prompt

    async def _hold_redeploy(self) -> None:
        """A redeploy builds the saved work tree, so it waits for the save."""
        try:
            saved = self._keeper is not None and await self._keeper.save(REDEPLOY)
        except Refused as error:
            raise RelayRefusal(409, f"the platform refuses this attempt: {error}") from error
        if not saved:
            raise RelayRefusal(503, "the work tree could not be saved before the redeploy; call the tool again")


async def _prepared_engine(loading: asyncio.Task[Engine], job: EngineJob) -> tuple[Engine, str]:
    """Return the engine, checked and prepared, with its version."""
    try:
        engine = await loading
        version = await engine.check(job)
        await engine.prepare(job)
    except EngineUnusable as error:
        outcome = "precondition_failed" if error.code == "agent_not_configured" else "agent_failed"
        raise AttemptOver(outcome, error.code, str(error)) from error
    return engine, version


async def _ping(route: Route) -> None:
    target = urlsplit(route.target)
    port = target.port or (443 if target.scheme == "https" else 80)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(target.hostname, port)
    except (OSError, TimeoutError) as error:
        raise Failed("provider_unavailable", f"the platform's model relay cannot be reached: {error}") from error
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def _routes(assignment: assignment_pb2.Assignment, settings: Settings) -> list[Route]:
    routes = []
    if assignment.tools_url:
        routes.append(Route("tools", "/mcp", assignment.tools_url, settings.tokens["tools"]))
    if assignment.relay_url:
        routes.append(Route("model", f"/model/{assignment.engine}", assignment.relay_url, settings.tokens["model"]))
    return routes
