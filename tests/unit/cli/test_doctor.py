"""What `doctor` says of the agent CLIs on this machine: compared with the versions that runs insist on."""

from pathlib import Path

import pytest

from stagewright.adapters.engines.pins import PINS
from stagewright.processes.cli.examination import Finding, examine_engines


def findings(folder: Path, monkeypatch: pytest.MonkeyPatch, **says: str) -> dict[str, Finding]:
    """Return the findings where only these programs are installed."""
    for name, line in says.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{line}'\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return {finding.check: finding for finding in examine_engines()}


def test_the_pinned_version_passes_and_another_one_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = PINS["codex"].version
    found = findings(tmp_path, monkeypatch, codex=f"codex-cli {pinned}", claude="2.0.9 (Claude Code)")
    assert found["engine codex"] == Finding("engine codex", "pass", pinned)
    other = found["engine claude"]
    assert (other.result, other.found) == ("warn", f"2.0.9; runs here insist on {PINS['claude'].version}")
    assert other.remedy == f"`npm install -g @anthropic-ai/claude-code@{PINS['claude'].version}`"


def test_a_missing_cli_names_the_command_that_installs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = findings(tmp_path, monkeypatch)["engine codex"]
    assert (found.result, found.found) == ("warn", "not on PATH")
    assert f"`npm install -g @openai/codex@{PINS['codex'].version}`" in found.remedy
