"""How a person likes it: language, zone, pager, editor. None of it changes what a program reads."""

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import pytest

from stagewright.processes.cli.call import Call
from stagewright.processes.cli.confirm import agreed, confirmed, named, reason_of
from stagewright.processes.cli.exits import Failure
from stagewright.processes.cli.present import pager
from stagewright.processes.cli.present.output import make_output
from stagewright.processes.cli.present.progress import Lines
from stagewright.processes.cli.present.table import Column, Style, render, render_one
from stagewright.processes.cli.present.text import STATUS, ago, brief
from stagewright.processes.cli.texts import RU, said

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
STYLE = Style(decorated=True, columns=None, now=NOW)
COLUMNS = (Column("status", kind="status"), Column("created_at", kind="time", title="created"), Column("held"))
ITEM = {"status": "failed", "created_at": "2026-05-04T09:55:00Z", "held": True}


class Terminal:
    """A standard stream that says it is a terminal, with answers to give."""

    def __init__(self, stream: Any, *answers: str) -> None:
        self._stream = stream
        self._answers = [f"{answer}\n" for answer in answers]

    def isatty(self) -> bool:
        return True

    def readline(self, *_: Any) -> str:
        return self._answers.pop(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Return what makes a call of a person who sits at a terminal and answers."""
    for name in ("CI", "NO_COLOR", "PAGER"):
        monkeypatch.delenv(name, raising=False)

    def make(*answers: str, config: str = "", **environ: str) -> Call:
        (tmp_path / "config.toml").write_text(config)
        monkeypatch.setattr(sys, "stdin", Terminal(sys.stdin, *answers))
        monkeypatch.setattr(sys, "stdout", Terminal(sys.stdout))
        return Call(environ={"STAGEWRIGHT_CLI_CONFIG_DIR": str(tmp_path), "PATH": "/usr/bin:/bin", **environ})

    return make


def test_a_table_speaks_the_persons_language_on_a_terminal_only() -> None:
    russian = render([ITEM], COLUMNS, replace(STYLE, locale="ru"))[1]
    assert "✗ не удалось" in russian
    assert "2 ч 5 мин назад" in russian
    assert russian.endswith("да")
    assert render([ITEM], COLUMNS, STYLE)[1].split() == ["\x1b[31m✗", "failed\x1b[0m", "2h", "5m", "ago", "yes"]


def test_every_status_and_unit_has_its_russian_word() -> None:
    assert set(STATUS) <= set(RU)
    assert brief(timedelta(days=1, hours=2), "ru") == "1 д 2 ч"
    assert brief(timedelta(0), "ru") == "0 с"
    assert ago("2026-05-04T12:00:30Z", NOW, "ru") == "через 30 с"
    assert said("anything else", "ru") == "anything else"


def test_one_resource_tells_its_times_in_the_persons_zone_too() -> None:
    zone = replace(STYLE, zone=ZoneInfo("Europe/Moscow"))
    assert render_one(ITEM, COLUMNS, zone)[1] == "Created: 2h 5m ago (2026-05-04T12:55:00+03:00)"
    assert render_one(ITEM, COLUMNS, STYLE)[1] == "Created: 2h 5m ago"
    assert render_one(ITEM, COLUMNS, replace(zone, decorated=False))[1] == "Created: 2026-05-04T09:55:00Z"


def test_progress_lines_are_stamped_in_the_persons_zone(capsys: pytest.CaptureFixture[str]) -> None:
    Lines(ZoneInfo("Asia/Tokyo")).say("one")
    Lines().say("two")
    tokyo, utc = capsys.readouterr().err.splitlines()
    assert tokyo.split()[0].endswith("+09:00")
    assert utc.split()[0].endswith("Z")


def test_the_zone_is_of_the_file_and_an_unknown_one_is_named(terminal: Any) -> None:
    assert terminal(config='zone = "Europe/Moscow"').zone == ZoneInfo("Europe/Moscow")
    assert terminal().zone is None
    for bad in ("Moskau", "../../etc/passwd", ""):
        with pytest.raises(Failure, match=r"config\.toml: zone .* is not known here"):
            terminal(config=f'zone = "{bad}"').zone  # noqa: B018 - reading it is what fails


def test_the_pager_is_the_files_then_the_shells_then_less(terminal: Any) -> None:
    assert pager.find_pager(terminal(config='pager = "most -x"', PAGER="more")) == "most -x"
    assert pager.find_pager(terminal(PAGER="more")) == "more"
    assert pager.find_pager(terminal(config='pager = "cat"', PAGER="more")) is None
    assert pager.find_pager(terminal(PAGER="more", NO_COLOR="1")) is None
    assert pager.find_pager(terminal(PAGER="more", CI="1")) is None


def test_nothing_is_paged_without_a_terminal(tmp_path: Path) -> None:
    call = Call(environ={"STAGEWRIGHT_CLI_CONFIG_DIR": str(tmp_path), "PAGER": "more"})
    assert pager.find_pager(call) is None
    assert make_output(call).page is None


def test_long_output_goes_through_the_pager_and_short_does_not(
    terminal: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LINES", "5")
    call = terminal(config=f"pager = \"sh -c 'cat > {tmp_path}/paged'\"")
    output = make_output(call)
    output.items([{"held": "one"}], COLUMNS[2:])
    assert not (tmp_path / "paged").exists()
    output.items([{"held": str(number)} for number in range(20)], COLUMNS[2:])
    assert (tmp_path / "paged").read_text().split() == ["HELD", *map(str, range(20))]
    assert "19" not in capfd.readouterr().out


@pytest.mark.parametrize(("command", "said"), [("/nowhere/less", True), ("'", True), ("true", False)])
def test_a_pager_that_fails_loses_nothing_and_one_that_is_left_is_no_failure(
    command: str, said: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LINES", "5")
    text = "line\n" * 50_000
    pager.write(text, command, {"PATH": "/usr/bin:/bin"})
    captured = capsys.readouterr()
    assert (captured.out == text) is said
    assert ("cannot be started" in captured.err) is said


def test_a_person_agrees_types_the_name_and_says_why(terminal: Any) -> None:
    agreed(terminal("y"), yes=False, reason=None)
    with pytest.raises(click.Abort):
        agreed(terminal("n"), yes=False, reason=None)
    with pytest.raises(click.Abort):
        confirmed(terminal("n"), "Sure?", yes=False)
    assert named(terminal("acme/shop"), "acme/shop", None) == "acme/shop"
    with pytest.raises(Failure, match="not the exact name"):
        named(terminal("shop"), "acme/shop", None)
    assert reason_of(terminal("moved"), None, yes=False) == "moved"
    assert reason_of(terminal(""), None, yes=False) is None
    assert reason_of(terminal(), None, yes=True) is None
    assert reason_of(terminal(), "given", yes=False) == "given"


def test_the_editor_of_the_file_is_opened_for_a_reason(terminal: Any, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf \'moved to\\nacme/store\\n\' | cat - "$1" > "$1.new" && mv "$1.new" "$1"\n')
    editor.chmod(0o700)
    assert reason_of(terminal(config=f'editor = "{editor}"'), None, yes=False) == "moved to acme/store"
    assert reason_of(terminal(config='editor = "true"'), None, yes=False) is None
