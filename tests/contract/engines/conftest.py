"""Every CLI engine twice: the pinned real program (marked ``engines``) and a replay of its recorded output."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.contract.engines.clis import RECORDING, Cli
from tests.contract.engines.jobs import a_job, run_turn
from tests.contract.engines.recorder import record
from tests.fakes.model_stub import ModelStub
from tests.fakes.tools_stub import ToolsStub, a_reply

from stagewright.adapters.engines.contract import Engine, EngineEvent, EngineJob
from stagewright.adapters.engines.registry import make_engine

CLIS = [Cli(name, real) for name in ("codex", "claude") for real in (True, False)]


@dataclass
class Bench:
    """A CLI with a model stub, a tools stub and folders; engines made here meet all of them."""

    cli: Cli
    root: Path
    model: ModelStub
    tools: ToolsStub
    jobs: list[EngineJob] = field(default_factory=list)

    def job(self, name: str = "a", **changes: Any) -> EngineJob:
        """Return a job in a folder of its own; equal names share folders."""
        root = self.root / name
        root.mkdir(exist_ok=True)
        usual = {
            "model_url": self.cli.model_url(self.model.url),
            "tools_url": self.tools.url,
            "environment": {"PATH": self.cli.path(self.root)},
        }
        job = a_job(root, **{**usual, **changes})
        self.jobs.append(job)
        return job

    async def engine(self, job: EngineJob) -> Engine:
        """Return a checked and prepared engine."""
        engine = make_engine(self.cli.name)
        await engine.check(job)
        await engine.prepare(job)
        return engine

    async def play(self, engine: Engine, case: str, *, thread_id: str | None = None) -> list[EngineEvent]:
        """Run one turn of a case, and keep it when recording."""
        events = await run_turn(engine, f"[[scenario:{case}]] Do the work.", thread_id=thread_id)
        self.keep(engine, case, events)
        return events

    def keep(self, engine: Engine, case: str, events: list[EngineEvent]) -> None:
        """Record a turn of the real program, if asked to."""
        if RECORDING and self.cli.real:
            record(self.cli, case, self.jobs[-1], events, engine.archive())


@pytest.fixture(
    params=[
        pytest.param(cli, id=f"{cli.name}-{'real' if cli.real else 'replay'}", marks=[pytest.mark.engines] * cli.real)
        for cli in CLIS
    ]
)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Return a bench for each CLI, real and replayed."""
    yield from _bench(request.param, tmp_path)


@pytest.fixture(
    params=[pytest.param(cli, id=cli.name, marks=pytest.mark.engines) for cli in CLIS if cli.real],
)
def real_bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Return a bench for each real CLI."""
    yield from _bench(request.param, tmp_path)


def _bench(cli: Cli, tmp_path: Path) -> Iterator[Bench]:
    if reason := cli.missing():
        pytest.skip(reason)
    replies = {"issue_get": a_reply("Issue 7: say hello"), "label_set": a_reply("refused: not permitted", error=True)}
    with cli.stub(tmp_path / "a" / "repo") as model, ToolsStub(replies) as tools:
        yield Bench(cli, tmp_path, model, tools)
