"""What must not be imported by what a person waits for: completion and lists (cli.md 11)."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.integration.cli.fake_server import FakeServer, Reply

from stagewright.processes.cli import cache

LINE = re.compile(r"^import time:\s+\d+ \|\s+\d+ \|\s+([\w.]+)$", flags=re.MULTILINE)
START = "import sys; from stagewright.processes.cli.main import main; sys.exit(main())"
NEVER = ("pydantic", "yaml", "websockets", "grpc", "psycopg", "stagewright.contexts", "stagewright.adapters")
RUN = {"id": "01920000-0000-7000-8000-000000000001", "number": "run-0001", "status": "failed", "version": 1}


def imported(*arguments: str, **environ: str) -> tuple[set[str], str]:
    """Run the program and return what it imported and printed."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", START, *arguments],
        env=dict(os.environ) | environ, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return set(LINE.findall(done.stderr)), done.stdout


def heavy(modules: set[str], *forbidden: str) -> set[str]:
    """Return what of ``forbidden`` was imported."""
    return {
        name for name in (*forbidden, *NEVER) if any(item == name or item.startswith(f"{name}.") for item in modules)
    }


def tab(words: str) -> dict[str, str]:
    """Return what bash sets at a Tab after ``words``."""
    return {"_STAGEWRIGHT_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}


@pytest.mark.usefixtures("config")
def test_a_completion_from_the_cache_is_light(server: FakeServer) -> None:
    cache.remember(os.environ, "runs", server.url, [(RUN["id"], "dev · failed · #7")])  # type: ignore[list-item]
    modules, out = imported(**tab("stagewright run view 0"))

    assert out.split() == [f"plain,{RUN['id']}"]
    assert heavy(modules, "rich", "httpx", "ssl", "http.client", "pathlib", "urllib.parse") == set()
    assert server.asked == []


@pytest.mark.usefixtures("config")
def test_a_completion_from_the_server_is_light(server: FakeServer) -> None:
    server.answers = [Reply(body={"items": [{"key": "shop", "name": "Shop"}, {"key": "other", "name": "O"}]})]
    modules, out = imported(**tab("stagewright project use s"))

    assert out.split() == ["plain,shop"]
    assert heavy(modules, "rich", "httpx") == set()
    assert [asked.headers["authorization"] for asked in server.asked] == ["Bearer sw_secret-token"]


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize("reply", [Reply(500, {}), Reply(break_off=True), Reply(200, b"<html>")], ids=str)
def test_a_completion_that_fails_is_silent(server: FakeServer, reply: Reply) -> None:
    server.answers = [reply]
    done = subprocess.run(
        [sys.executable, "-c", START], env=dict(os.environ) | tab("stagewright project use s"),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


@pytest.mark.usefixtures("config")
def test_a_list_imports_nothing_for_other_purposes(server: FakeServer) -> None:
    server.answers = [Reply(body={"items": [RUN], "next_cursor": None})]
    modules, out = imported("run", "list")

    assert "run-0001" in out
    assert heavy(modules, "rich", "httpx") == set()


def test_the_light_modules_are_what_help_needs(tmp_path: Path) -> None:
    modules, _ = imported("--help", STAGEWRIGHT_CLI_CONFIG_DIR=str(tmp_path))

    assert heavy(modules, "rich", "httpx", "http.client", "tomllib", "dataclasses", "importlib.metadata") == set()
