"""The program against the real processes: watching, logs, waiting, Ctrl-C, a killed gateway, closed pipes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import jsonschema
import pytest
from tests.e2e.cli.playground import COMMAND_WITHIN, PROGRAM, Playground, Repository

pytestmark = pytest.mark.e2e
BASH = shutil.which("bash")


def read_until(process: subprocess.Popen[str], word: str) -> str:
    """Read stderr until a line with ``word`` comes."""
    assert process.stderr is not None
    watchdog = threading.Timer(COMMAND_WITHIN, process.kill)
    watchdog.start()
    seen = ""
    try:
        while word not in seen:
            line = process.stderr.readline()
            assert line, seen
            seen += line
    finally:
        watchdog.cancel()
    return seen


def test_watch_follows_a_run_with_its_log_and_ends_with_it(playground: Playground, slow: Repository) -> None:
    run = playground.begin(slow)
    done = playground.call("run", "watch", run, "--logs")

    assert done.code == 0, done.err
    assert done.out.startswith("http://")
    assert "rehearsal: first words" in done.out
    assert "rehearsal: last words" in done.out
    assert " succeeded" in done.err
    assert "pull request: http://" in done.err


def test_watch_lives_through_a_killed_gateway(playground: Playground, slow: Repository) -> None:
    run = playground.begin(slow)
    watching = playground.start("run", "watch", run)
    seen = read_until(watching, "running")
    os.kill(playground.child("gateway"), signal.SIGKILL)
    _, err = watching.communicate(timeout=COMMAND_WITHIN)

    assert watching.returncode == 0, seen + err
    assert "succeeded" in err


def test_logs_follow_to_the_end_of_the_stream(playground: Playground, slow: Repository) -> None:
    run = playground.begin(slow)
    playground.until(lambda: "preparing" not in playground.call("run", "view", run, "--json", "status").out)
    followed = playground.call("run", "logs", run, "-f")
    raw = playground.call("run", "logs", run, "--raw")
    last = playground.call("run", "logs", run, "--tail", "1")
    found = playground.call("run", "logs", run, "--grep", "first words")

    assert followed.code == raw.code == last.code == found.code == 0
    assert followed.out == raw.out
    assert followed.out.endswith(last.out)
    assert len(last.out.splitlines()) == 1
    assert found.out == "rehearsal: first words\n"


def test_waiting_is_patient_for_as_long_as_told(playground: Playground, hanging: Repository) -> None:
    run = playground.begin(hanging)
    pending = playground.call("run", "wait", run, "--timeout", "1s")
    assert pending.code == 8
    assert "it goes on: stagewright run watch" in pending.err

    watching = playground.start("run", "watch", run)
    seen = read_until(watching, "running")
    watching.send_signal(signal.SIGINT)
    _, err = watching.communicate(timeout=COMMAND_WITHIN)
    assert watching.returncode == 130, seen + err
    assert "detached" in err
    assert playground.call("run", "view", run, "--json", "status").json() == {"status": "running"}

    refused = playground.call("run", "cancel", run)
    assert refused.code == 2
    cancelled = playground.call("run", "cancel", run, "--reason", "enough")
    assert cancelled.code == 0, cancelled.err
    ended = playground.call("run", "wait", run, "--for", "finished", "--timeout", "30s")
    assert ended.code == 5, ended.err
    assert playground.call("run", "watch", run).code == 5
    again = playground.call("run", "cancel", run, "--yes")
    assert again.code in (0, 7), again.err


def test_lists_are_what_the_api_says(playground: Playground) -> None:
    document = playground.call("api", "GET", "/api/v1/openapi.json").json()
    runs = playground.call("run", "list", "--all-projects", "-o", "json").json()
    schema = {"$ref": "#/components/schemas/RunView", "components": document["components"]}

    assert runs
    for run in runs:
        jsonschema.validate(run, schema)
    lines = playground.call("run", "list", "--status", "succeeded", "-o", "jsonl").out.splitlines()
    assert {json.loads(line)["status"] for line in lines} == {"succeeded"}


def test_events_prompt_and_result_of_a_run_are_shown(playground: Playground) -> None:
    kinds = [
        event["kind"] for event in playground.call("run", "events", "run-1", "-o", "json", "--limit", "200").json()
    ]
    assert kinds[0] == "run.queued"
    assert kinds.count("run.succeeded") == 1

    assert "Ten per cent off" in playground.call("run", "prompt", "run-1").out
    result = playground.call("run", "result", "run-1")
    assert "shop/prices.py" in result.out
    assert playground.call("run", "result", "run-1", "--json", "verdict").json() == {"verdict": "accepted"}
    diff = playground.call("run", "result", "run-1", "--diff")
    assert "\ndiff --git a/shop/prices.py b/shop/prices.py\n" in f"\n{diff.out}"
    assert diff.err == ""


def test_a_repository_is_paused_and_its_webhook_gets_a_new_secret(playground: Playground) -> None:
    name = playground.bind("paused", "- say: never\n").full_name
    rotated = playground.call("repo", "rotate-webhook-secret", name, "--yes", "-o", "json")
    assert (rotated.json()["full_name"], rotated.json()["version"]) == (name, 2)
    assert playground.call("repo", "rotate-webhook-secret", name, "--yes").out.count("(shown this once)") == 1
    off = playground.call("repo", "disable", name, "--reason", "a pause", "-o", "json")
    assert (off.json()["state"], "stops: labels" in off.err) == ("disabled", True)
    assert playground.call("repo", "enable", name, "--yes", "-o", "json").json()["state"] == "enabled"


def test_a_repository_is_unbound_by_its_name_and_nothing_of_it_is_left_undone(playground: Playground) -> None:
    name = playground.bind("leaving", "- say: never\n").full_name
    playground.until(
        lambda: {row["state"] for row in playground.call("label", "list", name, "-o", "json").json()} == {"ok"}
    )
    asked = playground.call("repo", "remove", name, "--confirm", "leaving")
    assert (asked.code, asked.out) == (2, "")
    done = playground.call("repo", "remove", name, "--confirm", name, "--reason", "it moved", "-o", "json")
    assert done.code == 0, done.err
    assert "  is lost: the stored credential for bot" in done.err
    assert done.json()["full_name"] == name
    assert playground.call("repo", "view", name).code == 6
    assert playground.call("repo", "remove", name, "--confirm", name).code == 6
    assert playground.call("incident", "list", "-o", "json").json() == []


def test_a_closed_pipe_ends_the_program_silently(playground: Playground) -> None:
    command = [*PROGRAM, "--context", "demo", "run", "events", "run-1", "-o", "jsonl", "--limit", "200"]
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.Popen(command, env=playground.environ, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    _, err = process.communicate(timeout=COMMAND_WITHIN)

    assert (process.returncode, err) == (0, "")


def test_projects_repositories_labels_policy_and_incidents_are_at_hand(playground: Playground) -> None:
    made = playground.call("project", "create", "other", "--locale", "ru", "-o", "json")
    assert made.code == 0, made.err
    edited = playground.call("project", "edit", "other", "--name", "Другой", "--json", "name,version")
    assert edited.json() == {"name": "Другой", "version": 2}
    assert playground.call("project", "create", "other").code == 7
    assert playground.call("project", "create", "Not A Key").code == 2
    assert playground.call("project", "view", "none").code == 6

    assert "practice-owner/shop" in playground.call("repo", "list").out
    assert playground.call("label", "sync", "practice-owner/shop", "--dry-run").err.endswith("nothing was applied\n")
    policy = playground.call("policy", "show", "--repo", "practice-owner/shop", "-o", "json").json()
    assert policy["policy"]["stages"]["dev"]["model"] == "rehearsal"
    assert playground.call("incident", "list", "-o", "json").json() == []


def test_a_repository_is_not_bound_with_a_token_the_forge_refuses(playground: Playground) -> None:
    done = playground.call(
        "repo", "add", "practice-owner/shop", "--api-url", f"{playground.forge_url}/api", "--token-stdin", given="bogus"
    )

    assert done.code == 2
    assert "/token: the forge does not take this credential" in done.err


def test_a_credential_is_stored_and_never_shown(playground: Playground) -> None:
    stored = playground.call("credential", "set", "model:codex", "--stdin", given="sk-canary-value\n")
    listed = playground.call("credential", "list", "-o", "yaml")

    assert stored.code == listed.code == 0, stored.err
    assert "model:codex" in listed.out
    assert "sk-canary-value" not in stored.out + stored.err + listed.out
    asked = playground.call("credential", "check", "model:codex")
    assert (asked.code, "its first use shows" in asked.err) == (7, True)
    gone = playground.call("credential", "delete", "model:codex", "--confirm", "model:codex", "-o", "json")
    assert gone.json()["purpose"] == "model:codex"
    assert playground.call("credential", "delete", "model:codex", "--confirm", "model:codex").code == 6


def test_a_token_on_stdin_signs_in_elsewhere(playground: Playground, tmp_path: Path) -> None:
    contexts = json.loads((Path(playground.environ["HOME"]) / ".config/stagewright/contexts.json").read_text())
    demo = contexts["contexts"]["demo"]
    environ = playground.environ | {"STAGEWRIGHT_CLI_CONFIG_DIR": str(tmp_path)}

    def run(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [*PROGRAM, *arguments]
        return subprocess.run(command, env=environ, input=given, capture_output=True, text=True, timeout=COMMAND_WITHIN)

    assert run("login", "--host", demo["host"], "--with-token", given="sw_bogus").returncode == 4
    assert run("login", "--host", demo["host"], "--with-token", given=demo["token"]).returncode == 0
    status = json.loads(run("auth", "status", "-o", "json").stdout)
    assert (status["role"], status["token"], status["fresh"]) == ("owner", "local", True)


def test_the_doctor_finds_nothing_wrong(playground: Playground) -> None:
    done = playground.call("doctor", "-o", "json")

    assert done.code == 0, done.out
    found = {item["check"]: item["result"] for item in done.json()}
    assert {"server", "token", "processes", "schema", "feed", "git"} <= found.keys()
    assert "fail" not in found.values()


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
def test_bash_completes_commands_and_runs(playground: Playground, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "stagewright"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m stagewright.processes.cli.main "$@"\n')
    program.chmod(0o755)
    environ = playground.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}
    script = playground.call("completion", "bash").out + (
        "\ntry() { COMP_WORDS=($1); COMP_CWORD=$2; COMPREPLY=(); _stagewright_completion stagewright; "
        'printf "%s\\n" "${COMPREPLY[@]}"; }\n'
        "try 'stagewright ru' 1\ntry 'stagewright run wa' 2\ntry 'stagewright run view @' 3\n"
    )
    done = subprocess.run(
        [str(BASH)], env=environ, input=script, capture_output=True, text=True, timeout=COMMAND_WITHIN
    )

    assert done.stdout.split() == ["run", "watch", "wait", "@latest"], done.stderr


def test_a_stage_is_started_from_the_shell_followed_and_revised(playground: Playground, slow: Repository) -> None:
    issue = f"{slow.full_name}#{slow.open_issue()}"

    def is_startable() -> bool:  # the worker reads the policy of a repository that was just bound
        shown = playground.call("run", "start", issue, "--stage", "dev", "--dry-run", "-o", "json")
        return shown.code == 0 and shown.json()["verdict"] == "start"

    playground.until(is_startable)
    started = playground.call("run", "start", issue, "--stage", "dev", "--yes", "-o", "json")
    assert started.code == 0, started.err
    assert "+ run:dev" in started.err
    followed = playground.call("run", "watch", "@latest")
    assert followed.code == 0, followed.err

    offered = {item["target_label"]["key"] for item in playground.call("next", issue, "-o", "json").json()}
    assert {"run:dev:revise", "run:qa", "need:reviewer"} <= offered
    revised = playground.call("run", "revise", issue, "--yes", "-o", "json")
    assert revised.code == 0, revised.err
    again = playground.call("next", issue, "--execute", "run:dev:revise", "--yes")
    assert (again.code, "run_already_active" in again.err) == (7, True)
    assert playground.call("run", "cancel", revised.json()["run_id"], "--yes").code == 0
