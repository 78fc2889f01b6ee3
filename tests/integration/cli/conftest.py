"""A fake server, and the program as tests call it: with a configuration of its own, and no terminal."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.cli.fake_server import FakeServer, fake_server

from stagewright.processes.cli import cache, contexts


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """Return a running fake server."""
    with fake_server() as running:
        yield running


@pytest.fixture
def config(server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the client's folder with a context of the fake server, whose version was looked at today."""
    folder = tmp_path / "config"
    contexts.keep(folder, "fake", {"host": server.url, "token": "sw_secret-token"})
    cache.note_look({"STAGEWRIGHT_CLI_CONFIG_DIR": str(folder)}, server.url)
    monkeypatch.setenv("STAGEWRIGHT_CLI_CONFIG_DIR", str(folder))
    return folder
