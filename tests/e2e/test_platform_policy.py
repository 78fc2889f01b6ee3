"""The platform's own policy file: the command line of the engine `command`, and mistakes that stop the start.

The real processes; the agent is a program of this test, which reads its prompt and writes a file and its report.
"""

import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.platform import Platform, running_platform
from tests.e2e.servers import Server
from tests.e2e.waiting import wait_until
from tests.fakes.devforge import git

pytestmark = pytest.mark.e2e
SERVERS = ("controlplane", "gateway", "worker")
PROJECT = "defaults: {model: command}\nstages: {dev: {model: command}}\n"
BROKEN = """version: 1
engines:
  command: {enabled: true, argv: my-agent}
"""
REPORT: dict[str, Any] = {
    "status": "completed",
    "summary": "It greets.",
    "question": None,
    "tool_gaps": [],
    "escalation": None,
    "title": "Say hello by a command line",
    "sections": {"context": "An issue.", "done": "A greeting.", "artifacts": [], "checks": [], "risks": "None."},
    "follow_ups": [],
    "merged_base_sha": None,
    "addressed_comments": [],
}
AGENT = f"""
import json, pathlib, sys
prompt, result = map(pathlib.Path, sys.argv[1:])
assert "Say hello" in prompt.read_text()
pathlib.Path("greeting.txt").write_text("hello from a command line\\n")
result.write_text(json.dumps({REPORT!r}))
"""


@pytest.fixture(scope="module")
def installation() -> Iterator[Platform]:
    """Return a platform of its own: its policy file is nobody else's."""
    with running_platform() as platform:
        yield platform


def put_policy(platform: Platform, text: str) -> None:
    """Put the platform's policy file in place; processes read it when they start."""
    platform.settings.policy_file.write_text(text)


def end_all(platform: Platform) -> None:
    for name in SERVERS:
        platform.kill(name)


def test_the_platforms_command_line_takes_a_label_to_a_pull_request(installation: Platform, tmp_path: Path) -> None:
    agent = installation.data / "agent.py"
    agent.write_text(AGENT)
    argv = [sys.executable, str(agent), "{prompt_file}", "{result_file}"]
    end_all(installation)
    put_policy(installation, f"engines: {{command: {{enabled: true, argv: {json.dumps(argv)}}}}}\n")
    for name in SERVERS:
        installation.restart(name)
    repository = installation.repository(policy=PROJECT)
    issue = repository.start(title="Say hello")
    run = repository.wait_for_run(issue)
    assert (run["status"], run["code"], run["engine"]) == ("succeeded", None, "command"), installation.describe()
    repository.wait_for_quiet()
    [pull] = repository.pulls()
    assert pull["title"] == f"#{issue} dev: Say hello by a command line"
    shown = git(repository.clone(), "show", f"{pull['head']['ref']}:greeting.txt").stdout
    assert shown == "hello from a command line\n"
    shown_policy = installation.ask("GET", "/policy").json()
    assert json.dumps(argv[0]) in json.dumps(shown_policy)
    assert "platform" in set(shown_policy["sources"].values()), shown_policy["sources"]


def test_a_broken_platform_policy_stops_the_start_of_every_process_and_names_the_line(installation: Platform) -> None:
    end_all(installation)
    put_policy(installation, BROKEN)
    for name in SERVERS:
        server = installation.servers[name]
        server.start()
        wait_until(partial(_has_ended, server), f"{name} ends", 30, tell=server.last_words)
        words = server.last_words()
        assert f"stagewright {name}: {installation.settings.policy_file} cannot be used" in words, words
        assert "platform policy, line 3: " in words, words
        assert "(/engines/command/argv)" in words, words


def _has_ended(server: Server) -> bool:
    return not server.alive
