"""Starting a CLI engine: found, of the pinned version, able to reach its tools; and programs that misbehave."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.contract.engines.clis import Cli
from tests.contract.engines.jobs import a_job, kinds, log_of, pids_in, run_turn, survivors
from tests.fakes.tools_stub import ToolsStub

from stagewright.adapters.engines.contract import EngineJob, EngineUnusable, known_engines
from stagewright.adapters.engines.pins import PINS, VERSIONS
from stagewright.adapters.engines.registry import make_engine

CLI_NAMES = ("codex", "claude")
INIT = '{"type":"system","subtype":"init","session_id":"s1","mcp_servers":[{"name":"governed","status":"failed"}]}'


def a_program(root: Path, name: str, body: str, **changes: Any) -> EngineJob:
    """Return a job whose PATH has a program of that name with a Python body."""
    folder = root / "bin"
    folder.mkdir()
    (folder / f"{name}.py").write_text("import os, sys, time\nwrite = sys.stdout.buffer.write\n" + body)
    program = folder / name
    words = shlex.join([sys.executable, "-B", f"{folder}/{name}.py"])
    program.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    program.chmod(0o755)
    return a_job(root, environment={"PATH": f"{folder}:/usr/bin:/bin"}, **changes)


def test_every_shipped_engine_can_be_made() -> None:
    assert [make_engine(name).name for name in known_engines()] == list(known_engines())


@pytest.mark.parametrize("name", CLI_NAMES)
async def test_a_missing_program_is_named_with_the_remedy(tmp_path: Path, name: str) -> None:
    job = a_job(tmp_path, environment={"PATH": str(tmp_path)})
    with pytest.raises(EngineUnusable, match=f"the program '{name}' is not on PATH; install it") as caught:
        await make_engine(name).check(job)
    assert caught.value.code == "agent_not_configured"
    assert str(caught.value).endswith(f": npm install -g {PINS[name].package}@{PINS[name].version}")


@pytest.mark.parametrize("name", CLI_NAMES)
async def test_another_version_than_the_assignment_asks_for_is_refused(tmp_path: Path, name: str) -> None:
    environment = {"PATH": Cli(name, real=False).path(tmp_path)}
    found = await make_engine(name).check(a_job(tmp_path, environment=environment))
    assert await make_engine(name).check(a_job(tmp_path, environment=environment, engine_version=found)) == found
    with pytest.raises(
        EngineUnusable, match=f"{name} {found} is installed and the assignment asks for 9.9.9"
    ) as caught:
        await make_engine(name).check(a_job(tmp_path, environment=environment, engine_version="9.9.9"))
    assert caught.value.code == "agent_not_configured"
    assert str(caught.value).endswith(f": npm install -g {PINS[name].package}@9.9.9")


@pytest.mark.parametrize("name", CLI_NAMES)
async def test_the_pinned_version_is_the_one_the_recordings_are_of(tmp_path: Path, name: str) -> None:
    job = a_job(tmp_path, environment={"PATH": Cli(name, real=False).path(tmp_path)}, engine_version=VERSIONS[name])
    assert await make_engine(name).check(job) == VERSIONS[name]


@pytest.mark.parametrize(
    ("body", "says"), [("print('hello')", "prints no version"), ("sys.exit(3)", "prints no version")]
)
@pytest.mark.parametrize("name", CLI_NAMES)
async def test_a_program_without_a_version_is_unusable(tmp_path: Path, name: str, body: str, says: str) -> None:
    with pytest.raises(EngineUnusable, match=says) as caught:
        await make_engine(name).check(a_program(tmp_path, name, body))
    assert caught.value.code == "engine_error"


@pytest.mark.parametrize(
    ("body", "failure", "says"),
    [
        ("os.kill(os.getpid(), 9)", "lost", "without a final event"),
        (
            "sys.stderr.write('Error: unknown configuration field x\\n'); sys.exit(1)",
            "engine_error",
            "unknown configuration",
        ),
        ("write(b'not json\\n' * 3)", "engine_error", "could not start"),
        ("write(b'[' * 100_000)", "engine_error", "could not start"),
    ],
)
@pytest.mark.parametrize("name", CLI_NAMES)
async def test_a_program_that_ends_without_a_final_event_fails_the_turn(
    tmp_path: Path, name: str, body: str, failure: str, says: str
) -> None:
    job = a_program(tmp_path, name, body)
    engine = make_engine(name)
    await engine.prepare(job)
    events = await run_turn(engine)
    assert (events[-1].kind, events[-1].failure) == ("turn_failed", failure)
    assert says in events[-1].text


@pytest.mark.parametrize("name", CLI_NAMES)
async def test_a_line_of_ten_megabytes_is_log_and_the_turn_goes_on(tmp_path: Path, name: str) -> None:
    endings = {
        "codex": ('{"type":"thread.started","thread_id":"t"}', '{"type":"turn.completed","usage":{}}'),
        "claude": (INIT.replace("failed", "connected"), '{"type":"result","is_error":false,"result":"fine"}'),
    }
    body = "\n".join(f"write({line.encode()!r} + b'\\n')" for line in endings[name])
    flood = 'write(b\'{"type":"\' + b"x" * 10_000_000 + b\'"}\\n\')\n'
    job = a_program(tmp_path, name, flood + body)
    engine = make_engine(name)
    await engine.prepare(job)
    events = await run_turn(engine)
    assert events[-1].kind == "turn_ended"
    assert len(log_of(events)) > 10_000_000
    assert max(len(event.raw) for event in events) <= 64 * 1024


async def test_claude_is_stopped_when_its_tools_are_lost_although_the_door_answers(tmp_path: Path) -> None:
    body = f"print('pid', os.getpid(), flush=True)\nprint({INIT!r}, flush=True)\ntime.sleep(60)\n"
    with ToolsStub() as tools:
        job = a_program(tmp_path, "claude", body, tools_url=tools.url)
        engine = make_engine("claude")
        await engine.prepare(job)
        events = await run_turn(engine)
    assert kinds(events) == ["thread", "turn_started", "turn_failed"]
    assert events[-1].failure == "mcp_unavailable"
    assert len(pids_in(events)) == 1
    assert survivors(pids_in(events)) == []


@pytest.mark.parametrize("name", CLI_NAMES)
async def test_the_engines_arguments_and_variables_hold_no_credential(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "canary-openai")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "canary-anthropic")
    monkeypatch.setenv("STAGEWRIGHT_TOKEN_DIR", "canary-folder")
    job = a_program(tmp_path, name, "print('ENV', sorted(os.environ.items())); print('ARGV', sys.argv)")
    engine = make_engine(name)
    await engine.prepare(job)
    seen = log_of(await run_turn(engine)).decode()
    assert "canary" not in seen
    assert f"('HOME', '{job.home}')" in seen
    names = variables(seen.splitlines())
    assert not {word for word in names if "KEY" in word or "SECRET" in word or word.startswith("STAGEWRIGHT")}


def variables(lines: Sequence[str]) -> set[str]:
    """Return the names of the variables in the line that begins with ENV."""
    pairs = next(line for line in lines if line.startswith("ENV "))
    return {pair.split("'")[1] for pair in pairs.split("(")[1:]}
