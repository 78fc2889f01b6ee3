"""The engine ``scripted``: acts a rehearsal scenario step by step and remembers where it stands."""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from stagewright.adapters.engines.contract import Archive, Capabilities, EngineEvent, EngineJob, EngineUnusable
from stagewright.adapters.engines.files import collect, inside, put_back
from stagewright.adapters.engines.scripted import progress
from stagewright.adapters.engines.scripted.actor import Actor, failed
from stagewright.adapters.engines.scripted.builtin import builtin_steps
from stagewright.adapters.engines.scripted.obey import orders_in
from stagewright.adapters.engines.scripted.replying import with_reply
from stagewright.adapters.engines.scripted.report import make_report, merge
from stagewright.adapters.engines.scripted.scenario import (
    LARGEST_SCENARIO,
    BadScenario,
    Step,
    parse_scenario,
)

VERSION = "1"
FOLDER = ".stagewright/rehearsals"
ONCE = ("crash", "hang", "fail", "obey", "result")


class ScriptedEngine:
    """Rehearses a stage without a model. Steps that end an attempt are not repeated when its run goes on."""

    name = "scripted"
    capabilities = Capabilities(
        structured_output="native",
        resume=True,
        mcp=True,
        reasoning=(),
        usage="per_call",
        native_events=True,
        needs_login=False,
    )

    def __init__(self) -> None:
        self._job: EngineJob | None = None
        self._steps: tuple[Step, ...] = ()
        self._actor: Actor | None = None
        self._prompt = ""

    async def check(self, job: EngineJob) -> str:
        """Return the engine's version; a scenario that cannot be read makes it unusable."""
        _read_steps(job)
        return VERSION

    async def prepare(self, job: EngineJob) -> None:
        """Read the scenario: the job's text, the repository's file for the stage, or the built-in one."""
        self._steps = _read_steps(job)
        self._job = job
        self._actor = Actor(job)
        job.session_dir.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def turn(self, prompt: str, *, thread_id: str | None) -> AsyncIterator[EngineEvent]:
        """Act the steps that are left. After the last one the latest ``result`` counts, or a generated report."""
        job, actor = self._ready()
        self._prompt = prompt
        try:
            async for event in self._events(job, actor, prompt, thread_id):
                yield event
        finally:
            await actor.close()

    async def _events(
        self, job: EngineJob, actor: Actor, prompt: str, thread_id: str | None
    ) -> AsyncIterator[EngineEvent]:
        stored = progress.load(job.session_dir).of_run(job.run_id) if thread_id else progress.Progress()
        thread = thread_id or _thread_of(job, self._steps, prompt)
        at = progress.Progress(thread, stored.done, job.run_id)
        progress.save(job.session_dir, at)
        yield EngineEvent("thread", thread_id=thread)
        yield EngineEvent("turn_started")
        if (problem := await actor.open_tools()) is not None:
            yield problem
            return
        actor.parked = False
        for number in range(at.done, len(self._steps)):
            step = self._steps[number]
            if step.kind in ONCE:
                progress.save(job.session_dir, replace(at, done=number + 1))
            for order in self._expanded(step, prompt):
                async for event in self._act(order):
                    yield event
                    if event.kind in ("turn_ended", "turn_failed"):
                        return
                if order.kind == "crash":
                    return
            progress.save(job.session_dir, replace(at, done=number + 1))
            if actor.parked:
                yield EngineEvent("turn_ended")
                return
        yield self._ended(self._latest_result())

    def _expanded(self, step: Step, prompt: str) -> tuple[Step, ...]:
        """Return the step itself, or for ``obey`` the steps the untrusted text orders."""
        if step.kind != "obey":
            return (step,)
        orders, problems = orders_in(prompt)
        return (*orders, *(Step("say", f"unreadable order: {problem}") for problem in problems))

    async def _act(self, step: Step) -> AsyncIterator[EngineEvent]:
        _, actor = self._ready()
        if step.kind == "result":
            yield self._ended(step.value)
            return
        if step.kind != "crash":
            async for event in actor.act(step):
                yield event
        if actor.stopping:
            yield failed("interrupted", "the rehearsal was interrupted")

    def _latest_result(self) -> dict[str, Any] | str:
        return next((step.value for step in reversed(self._steps) if step.kind == "result"), {})

    def _ended(self, value: dict[str, Any] | str) -> EngineEvent:
        job, _ = self._ready()
        if isinstance(value, str):
            return EngineEvent("turn_ended", result=value)
        usual = with_reply(make_report(job.report_schema, job.stage), job.report_schema, self._prompt)
        report = merge(usual, value)
        return EngineEvent("turn_ended", result=json.dumps(report, ensure_ascii=False))

    async def interrupt(self, grace: timedelta) -> None:
        """Stop the step that is acted now; the turn fails as ``interrupted``."""
        if self._actor is not None:
            await self._actor.interrupt(grace)

    def archive(self) -> Archive | None:
        """Return the step counter."""
        job, _ = self._ready()
        at = progress.load(job.session_dir)
        if not at.thread_id:
            return None
        return Archive(at.thread_id, VERSION, collect(job.session_dir, [job.session_dir / progress.FILE]))

    def restore(self, archive: Archive) -> None:
        """Put the step counter back."""
        job, _ = self._ready()
        put_back(job.session_dir, archive.files)

    def _ready(self) -> tuple[EngineJob, Actor]:
        assert self._job is not None, "prepare comes first"
        assert self._actor is not None
        return self._job, self._actor


def _read_steps(job: EngineJob) -> tuple[Step, ...]:
    source = "the scenario of the assignment"
    text = job.scenario
    name = f"{FOLDER}/{job.stage}.yaml"
    path = inside(job.repo, name) if job.stage else None
    if not text.strip() and path is not None and path.is_file() and not path.is_symlink():
        source = name
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(LARGEST_SCENARIO + 1)
    if not text.strip():
        return builtin_steps(job)
    try:
        return parse_scenario(text)
    except BadScenario as error:
        raise EngineUnusable("engine_error", f"{source}, {error}") from error


def _thread_of(job: EngineJob, steps: tuple[Step, ...], prompt: str) -> str:
    facts = json.dumps([job.stage, [[step.kind, step.value] for step in steps], prompt], sort_keys=True, default=str)
    return f"rehearsal-{hashlib.sha256(facts.encode()).hexdigest()[:16]}"
