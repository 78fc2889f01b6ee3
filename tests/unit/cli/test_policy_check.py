"""`policy check` works without a server and names every mistake with its line."""

import json
import re
from pathlib import Path

import pytest

from stagewright.processes.cli.main import main

GOOD = "version: 1\ndefaults: {model: rehearsal}\nstages:\n  dev: {model: rehearsal}\n"
BAD = "version: 1\nstages:\n  dev: {model: nope}\n  bogus: 1\n"


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STAGEWRIGHT_CLI_CONFIG_DIR", str(tmp_path / "config"))


def a_policy(folder: Path, text: str | bytes) -> str:
    path = folder / "policy.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def test_a_valid_policy_is_said_to_be_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = a_policy(tmp_path, GOOD)

    assert main(["policy", "check", path]) == 0
    assert capsys.readouterr().out == f"{path}: the policy is valid\n"


def test_every_mistake_is_a_line_with_path_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = a_policy(tmp_path, BAD)

    assert main(["policy", "check", path]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"{path}:3", f"{path}:4"]
    assert "/stages/dev/model: there is no model 'nope'" in lines[0]


def test_programs_get_the_mistakes_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "check", a_policy(tmp_path, BAD), "-o", "json"]) == 1

    found = json.loads(capsys.readouterr().out)
    assert [(item["line"], item["pointer"]) for item in found] == [(3, "/stages/dev/model"), (4, "/stages/bogus")]


@pytest.mark.parametrize("text", ["a: [", "- 1\n", "version: 9\n"])
def test_what_is_no_policy_at_all_is_named_too(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    path = a_policy(tmp_path, text)

    assert main(["policy", "check", path]) == 1
    assert re.match(rf"{re.escape(path)}:[12]: \S", capsys.readouterr().out)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * 300_000], ids=["not UTF-8", "too large"])
def test_a_file_that_cannot_be_one_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    assert main(["policy", "check", a_policy(tmp_path, content)]) == 2
    assert "policy.yaml" in capsys.readouterr().err


def test_a_missing_file_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "check", "there/is/none.yaml"]) == 2
    assert "No such file" in capsys.readouterr().err


def test_the_builtin_policy_is_shown_with_its_comments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "show", "--builtin"]) == 0
    assert "#" in capsys.readouterr().out
