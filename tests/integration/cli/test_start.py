"""The program's own start and end: quick, and nothing that was written is lost."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.cli.fake_server import FakeServer, Reply

from stagewright.processes.cli import build, start
from stagewright.processes.cli.main import main

PROGRAM = (sys.executable, "-m", "stagewright.processes.cli.main")


def run(*arguments: str, stdout: int = subprocess.PIPE, **environ: str) -> "subprocess.CompletedProcess[bytes]":
    """Run the program as a shell does."""
    return subprocess.run(
        [*PROGRAM, *arguments], env=dict(os.environ) | environ, stdout=stdout, stderr=subprocess.PIPE,
        timeout=60, check=False,
    )  # fmt: skip


def test_garbage_is_collected_once_the_program_is_loaded() -> None:
    assert main(["version", "--offline"]) == 0
    assert gc.isenabled() is start.COLLECTING is True


def test_a_quick_end_loses_nothing() -> None:
    done = run("version", "--offline")
    assert (done.returncode, done.stdout.decode()) == (0, f"stagewright {build.VERSION}\n")
    assert run("run", "bogus").returncode == 2
    help_text = run("run", "--help")
    assert (help_text.returncode, b"cancel" in help_text.stdout) == (0, True)


def test_a_completion_ends_well() -> None:
    done = run(_STAGEWRIGHT_COMPLETE="bash_complete", COMP_WORDS="stagewright ru", COMP_CWORD="1")
    assert (done.returncode, done.stdout.split()) == (0, [b"plain,run"])


@pytest.mark.usefixtures("config")
def test_a_command_that_spoke_with_a_server_ends_as_any_program(server: FakeServer) -> None:
    server.answers = [Reply(body={"items": [], "next_cursor": None})]
    done = run("project", "list")
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"no project yet" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_what_cannot_be_written_is_a_failure() -> None:
    with open("/dev/full", "wb") as full:
        assert run("version", "--offline", stdout=full.fileno()).returncode != 0
