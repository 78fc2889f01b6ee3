"""`stagewright demo` on a fresh machine: an opened pull request that holds the agent's change, and one comment."""

import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.e2e.cli.playground import BOT, PROGRAM, Playground, clean_environ, commands_in

pytestmark = pytest.mark.e2e
WITHIN = 60.0


def test_the_demo_ends_with_a_pull_request_a_label_and_one_comment(playground: Playground) -> None:
    repository = playground.repository("shop")
    [pull] = repository.ask("GET", "/pulls").json()

    assert f"{playground.forge_url}/{repository.full_name}/pull/{pull['number']}" in playground.words
    assert (pull["state"], pull["user"]["login"]) == ("open", BOT)
    diff = repository.ask("GET", f"/pulls/{pull['number']}", accept="application/vnd.github.diff").text
    assert "+DISCOUNT_PERCENT = 10" in diff
    assert "+++ b/tests/test_discounts.py" in diff
    assert repository.labels(1) == {"state:in-review"}
    assert "state:in-review" in repository.labels(pull["number"])
    comments = [comment for comment in repository.comments(1) if comment["user"]["login"] == BOT]
    assert len(comments) == 1


def test_every_command_the_demo_names_works(playground: Playground) -> None:
    commands = commands_in(playground.words)

    assert len(commands) >= 5
    for command in commands:
        done = playground.call(*command)
        assert done.code == 0, (command, done.err)
        assert done.out, command


def test_without_a_terminal_the_demo_shows_the_change_and_ends_by_itself(
    data_dir: Path, playground: Playground
) -> None:
    environ = clean_environ(data_dir)
    (data_dir / "tmp").mkdir(mode=0o711)
    began = time.monotonic()
    done = subprocess.run(
        [*PROGRAM, "demo"], env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WITHIN
    )

    assert done.returncode == 0, done.stderr
    assert "From a label to a pull request in" in done.stdout
    assert "+DISCOUNT_PERCENT = 10" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    phases = [line.split(" run-0001 ")[1] for line in done.stderr.splitlines() if " run-0001 " in line]
    assert phases[0] == "queued"
    assert phases[-1] == "succeeded"
    assert list((data_dir / "tmp").iterdir()) == []
    assert time.monotonic() - began < WITHIN
    assert '"contexts": {}' in (data_dir / ".config/stagewright/contexts.json").read_text()


def test_a_demo_that_cannot_work_says_why_and_leaves_nothing(data_dir: Path) -> None:
    environ = clean_environ(data_dir) | {"PATH": str(data_dir / "empty")}
    (data_dir / "tmp").mkdir(mode=0o711)
    done = subprocess.run(
        [*PROGRAM, "demo"], env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WITHIN
    )

    assert done.returncode == 1
    assert "error: git is not on PATH" in done.stderr
    assert list((data_dir / "tmp").iterdir()) == []


def test_an_interrupted_demo_leaves_nothing(data_dir: Path) -> None:
    (data_dir / "tmp").mkdir(mode=0o711)
    process = subprocess.Popen(
        [*PROGRAM, "demo", "--stay"],
        env=clean_environ(data_dir),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "starting" in line:
            break
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=WITHIN)

    assert (process.returncode, out) == (130, "")
    assert list((data_dir / "tmp").iterdir()) == []
