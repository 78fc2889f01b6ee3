"""The whole way of a model call: pinned real CLI, the runner's relay, the platform's relay, a scripted model."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.contract.engines.clis import REPORT, Cli
from tests.contract.engines.jobs import a_job, log_of, run_turn
from tests.fakes.model_stub import ModelStub
from tests.integration.relay.harness import KEY, MODELS, Bench, Live

from stagewright.adapters.engines.contract import EngineEvent
from stagewright.adapters.engines.registry import make_engine
from stagewright.processes.runner.exchange import Route
from stagewright.processes.runner.relay import Relay

pytestmark = [pytest.mark.engines, pytest.mark.timeout(180)]


@pytest.fixture(params=["codex", "claude"])
def cli(request: pytest.FixtureRequest) -> Cli:
    """Return each pinned CLI that is installed."""
    found = Cli(request.param, real=True)
    if reason := found.missing():
        pytest.skip(reason)
    return found


@asynccontextmanager
async def loopback(bench: Bench, live: Live) -> AsyncIterator[str]:
    """Run the runner's relay for the block and give its address for the engine."""
    engine = str(live.run.engine)
    route = Route("model", f"/model/{engine}", f"{bench.http.base_url}/model/{engine}", live.tokens["model"])
    relay = Relay([route])
    await relay.start()
    try:
        yield relay.url(route)
    finally:
        await relay.close()


async def play(bench: Bench, live: Live, cli: Cli, folder: Path, case: str, **changes: str) -> list[EngineEvent]:
    """Run one turn of the CLI."""
    async with loopback(bench, live) as url:
        usual = {"model": MODELS[cli.name], "model_url": url, "environment": {"PATH": cli.path(folder)}}
        job = a_job(folder, **{**usual, **changes})
        engine = make_engine(cli.name)
        await engine.check(job)
        await engine.prepare(job)
        return await run_turn(engine, f"[[scenario:{case}]] Do the work.")


@asynccontextmanager
async def a_model(bench: Bench, cli: Cli, folder: Path, *, key: str = KEY) -> AsyncIterator[ModelStub]:
    """Run the scripted model for the block; it takes the platform's key only."""
    with cli.stub(folder / "repo", key=key) as stub:
        await bench.credential(cli.name, cli.model_url(stub.url))
        yield stub


async def test_a_cli_works_through_both_relays_with_a_key_it_never_sees(bench: Bench, cli: Cli, tmp_path: Path) -> None:
    live = await bench.live(cli.name)
    async with a_model(bench, cli, tmp_path) as stub:
        events = await play(bench, live, cli, tmp_path, "first")
    assert events[-1].kind == "turn_ended", events[-1]
    assert REPORT["title"] in str(events[-1].result)
    assert KEY.encode() not in log_of(events)
    records = await bench.usage(live)
    assert (sum(row[1] for row in records), sum(row[3] for row in records)) == stub.spent
    assert {seen.method for seen in stub.requests} == {"POST"}


async def test_a_rejected_key_is_a_rejected_credential_for_the_cli(bench: Bench, cli: Cli, tmp_path: Path) -> None:
    live = await bench.live(cli.name)
    async with a_model(bench, cli, tmp_path, key="another"):
        events = await play(bench, live, cli, tmp_path, "first")
    assert (events[-1].kind, events[-1].failure) == ("turn_failed", "credential_rejected")


async def test_a_long_limit_is_a_rate_limit_for_the_cli(bench: Bench, cli: Cli, tmp_path: Path) -> None:
    live = await bench.live(cli.name)
    await bench.block(live, 600)
    events = await play(bench, live, cli, tmp_path, "first")
    assert (events[-1].kind, events[-1].failure) == ("turn_failed", "rate_limited")


async def test_a_provider_that_is_down_is_unavailable_for_the_cli(bench: Bench, cli: Cli, tmp_path: Path) -> None:
    live = await bench.live(cli.name)
    await bench.credential(cli.name, "http://127.0.0.1:1")
    events = await play(bench, live, cli, tmp_path, "first")
    assert (events[-1].kind, events[-1].failure) == ("turn_failed", "provider_unavailable")


async def test_without_a_credential_the_cli_says_what_is_missing(bench: Bench, cli: Cli, tmp_path: Path) -> None:
    live = await bench.live(cli.name)
    events = await play(bench, live, cli, tmp_path, "first")
    assert events[-1].kind == "turn_failed"
    guess = {
        "claude": "agent_not_configured",
        "codex": "provider_unavailable",
    }  # codex hides the code; the runner sees it
    assert events[-1].failure == guess[cli.name]
    assert f"model:{cli.name}" in events[-1].text
