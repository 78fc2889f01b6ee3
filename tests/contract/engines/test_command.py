"""The engine ``command``: any program with a prompt file and a result file, in a clean environment."""

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.contract.engines.jobs import DEADLINE, a_job, kinds, log_of, pids_in, run_turn, survivors
from tests.fakes.tools_stub import ToolsStub

from stagewright.adapters.engines.command.engine import CommandEngine
from stagewright.adapters.engines.contract import EngineEvent, EngineJob, EngineUnusable
from stagewright.adapters.engines.registry import make_engine

ARGV = ("{prompt_file}", "{result_file}", "{session_dir}", "{mcp_config}")


def a_command(root: Path, body: str, **changes: Any) -> EngineJob:
    """Return a job that runs ``body`` as a Python program with the placeholders as arguments."""
    program = root / "agent.py"
    program.write_text("import json, os, pathlib, sys, time\nprompt, result, session, mcp = sys.argv[1:]\n" + body)
    return a_job(root, argv=(sys.executable, str(program), *ARGV), **changes)


async def an_engine(job: EngineJob) -> CommandEngine:
    engine = make_engine("command")
    assert isinstance(engine, CommandEngine)
    await engine.check(job)
    await engine.prepare(job)
    return engine


async def test_exit_zero_and_a_json_result_complete_the_turn(tmp_path: Path) -> None:
    body = """
print("working on", pathlib.Path(prompt).read_text(), "in", os.getcwd())
print("aside", file=sys.stderr)
pathlib.Path("made.txt").write_text("x")
pathlib.Path(result).write_text(json.dumps({"status": "completed"}))
"""
    job = a_command(tmp_path, body)
    events = await run_turn(await an_engine(job), "exactly this")
    assert kinds(events) == ["thread", "turn_started", "turn_ended"]
    assert json.loads(events[-1].result or "") == {"status": "completed"}
    assert f"working on exactly this in {job.repo}".encode() in log_of(events)
    assert b"aside" in log_of(events)
    assert (job.repo / "made.txt").exists()


async def test_counts_beside_the_report_become_usage(tmp_path: Path) -> None:
    body = 'pathlib.Path(result).write_text(json.dumps({"status": "completed", "usage": {"tokens_in": 7, "x": 1}}))\n'
    events = await run_turn(await an_engine(a_command(tmp_path, body)))
    assert kinds(events) == ["thread", "turn_started", "usage", "turn_ended"]
    assert (events[-2].tokens_in, events[-2].tokens_out) == (7, 0)
    assert json.loads(events[-1].result or "") == {"status": "completed"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("pass", "no result file: the command ended with 0 but wrote no"),
        ("pathlib.Path(result).write_text('nope')", "is not JSON"),
        ("pathlib.Path(result).write_bytes(b'\\xff\\xfe')", "is not JSON"),
        ("pathlib.Path(result).write_text('1' * 1100000)", "larger than 1 MiB"),
        ("os.symlink('/etc/hostname', result)", "no result file"),
        ("sys.exit(3)", "exit code 3"),
    ],
)
async def test_anything_else_fails_the_turn_and_says_why(tmp_path: Path, body: str, says: str) -> None:
    job = a_command(tmp_path, body)
    job.result_file.write_text('{"status": "completed"}')
    events = await run_turn(await an_engine(job))
    assert (events[-1].kind, events[-1].failure) == ("turn_failed", "engine_error")
    assert says in events[-1].text


async def test_a_killed_command_is_lost(tmp_path: Path) -> None:
    events = await run_turn(await an_engine(a_command(tmp_path, "os.kill(os.getpid(), 9)")))
    assert (events[-1].kind, events[-1].failure) == ("turn_failed", "lost")


async def test_the_command_sees_core_variables_only_and_no_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGEWRIGHT_TOKEN_DIR", "canary-variable")
    body = """
seen = {"env": dict(os.environ), "input": sys.stdin.read(), "sid": os.getsid(0) == os.getpid()}
pathlib.Path(result).write_text(json.dumps(seen))
"""
    job = a_command(tmp_path, body, environment={"CI": "1"})
    seen = json.loads((await run_turn(await an_engine(job)))[-1].result or "")
    assert seen["input"] == ""
    assert seen["sid"] is True
    assert seen["env"]["HOME"] == str(job.home)
    assert set(seen["env"]) - {"LC_CTYPE"} == {
        "HOME", "TMPDIR", "PATH", "LANG", "LC_ALL", "TZ", "TERM", "SHELL",
        "GIT_TERMINAL_PROMPT", "GIT_CONFIG_NOSYSTEM", "CI",
    }  # fmt: skip


async def test_the_session_folder_is_the_session(tmp_path: Path) -> None:
    body = """
memory = pathlib.Path(session) / "deep" / "memory"
memory.parent.mkdir(exist_ok=True)
said = memory.read_text() if memory.exists() else ""
memory.write_text(said + pathlib.Path(prompt).read_text() + ";")
pathlib.Path(result).write_text(json.dumps(memory.read_text()))
"""
    engine = await an_engine(a_command(tmp_path, body))
    assert engine.archive() is None
    await run_turn(engine, "one")
    archive = engine.archive()
    assert archive is not None
    (tmp_path / "next").mkdir()
    fresh = await an_engine(a_command(tmp_path / "next", body))
    fresh.restore(archive)
    events = await run_turn(fresh, "two", thread_id=archive.thread_id)
    assert json.loads(events[-1].result or "") == "one;two;"


async def test_the_mcp_configuration_names_the_relay_and_no_credential(tmp_path: Path) -> None:
    body = "pathlib.Path(result).write_text(pathlib.Path(mcp).read_text())\n"
    with ToolsStub() as stub:
        job = a_command(tmp_path, body, tools_url=stub.url)
        seen = json.loads((await run_turn(await an_engine(job)))[-1].result or "")
    assert seen == {"mcpServers": {"governed": {"type": "http", "url": stub.url}}}


async def test_an_interrupted_command_is_killed_after_the_grace_with_its_children(tmp_path: Path) -> None:
    body = """
import signal, subprocess
signal.signal(signal.SIGTERM, signal.SIG_IGN)
away = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
print("pid", os.getpid(), flush=True)
print("pid", away.pid, flush=True)
time.sleep(60)
"""
    engine = await an_engine(a_command(tmp_path, body))
    events: list[EngineEvent] = []
    up = asyncio.Event()

    async def drive() -> None:
        async for event in engine.turn("Go.", thread_id=None):
            events.append(event)
            if len(pids_in(events)) == 2:
                up.set()

    async with asyncio.timeout(DEADLINE):
        task = asyncio.create_task(drive())
        await up.wait()
        await engine.interrupt(timedelta(milliseconds=50))
        await task
    assert (events[-1].kind, events[-1].failure) == ("turn_failed", "interrupted")
    assert len(pids_in(events)) == 2
    assert survivors(pids_in(events)) == []


async def test_a_background_process_that_keeps_the_output_open_does_not_hold_the_turn(tmp_path: Path) -> None:
    body = """
import subprocess
subprocess.Popen(["sleep", "40"], start_new_session=True)
pathlib.Path(result).write_text("{}")
"""
    async with asyncio.timeout(30):
        events = await run_turn(await an_engine(a_command(tmp_path, body)))
    assert events[-1].kind == "turn_ended"


async def test_a_flood_of_output_arrives_whole(tmp_path: Path) -> None:
    body = """
for _ in range(40):
    sys.stdout.write("x" * 500_000)
pathlib.Path(result).write_text("{}")
"""
    events = await run_turn(await an_engine(a_command(tmp_path, body)))
    assert len(log_of(events)) == 20_000_000
    assert events[-1].kind == "turn_ended"


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ((), "engines.command.argv is empty"),
        (("sh", "{prompt}"), r"engines.command.argv\[1\]: unknown placeholder {prompt}; known are {prompt_file}"),
        (("no-such-program-here",), "'no-such-program-here' is not on PATH; install it"),
        (("/no/such/program",), "is not on PATH"),
    ],
)
async def test_an_unusable_template_names_the_field_and_the_remedy(
    tmp_path: Path, argv: tuple[str, ...], says: str
) -> None:
    with pytest.raises(EngineUnusable, match=says) as caught:
        await make_engine("command").check(a_job(tmp_path, argv=argv))
    assert caught.value.code == "agent_not_configured"


def test_an_unknown_engine_is_refused_with_the_known_names() -> None:
    with pytest.raises(EngineUnusable, match="unknown engine 'gpt'; this program ships codex, claude"):
        make_engine("gpt")


async def test_governed_tools_that_are_down_fail_the_turn_before_the_command_runs(tmp_path: Path) -> None:
    job = a_command(tmp_path, "pathlib.Path('ran').write_text('x')", tools_url="http://127.0.0.1:9/mcp")
    events = await run_turn(await an_engine(job))
    assert (events[-1].kind, events[-1].failure) == ("turn_failed", "mcp_unavailable")
    assert not (job.repo / "ran").exists()


async def test_a_killed_commands_session_is_resumed(tmp_path: Path) -> None:
    body = """
memory = pathlib.Path(session) / "memory"
if not memory.exists():
    memory.write_text("half")
    print("pid", os.getpid(), flush=True)
    time.sleep(60)
pathlib.Path(result).write_text(json.dumps(memory.read_text()))
"""
    engine = await an_engine(a_command(tmp_path, body))
    events = await run_turn(engine, until=lambda event: event.raw.startswith(b"pid "))
    assert len(pids_in(events)) == 1
    assert survivors(pids_in(events)) == []
    archive = engine.archive()
    assert archive is not None
    again = await an_engine(a_command(tmp_path, body))
    again.restore(archive)
    resumed = await run_turn(again, thread_id=archive.thread_id)
    assert json.loads(resumed[-1].result or "") == "half"
