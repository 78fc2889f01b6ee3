"""The page about the command line says what the program does."""

import re

from tests.unit.cli.test_tree import ALL
from tests.unit.house.trees import ROOT

from stagewright.processes.cli import enums
from stagewright.processes.cli.exits import MEANINGS

PAGE = (ROOT / "docs/cli.md").read_text()
PAGES = {path.name: path.read_text() for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]}


def test_the_page_lists_every_command_and_no_other() -> None:
    table = PAGE.split("## Commands")[1].split("Options before")[0]
    listed = set(re.findall(r"`([a-z][a-z -]*)`", table))
    shown = {path for path, leaf in ALL.items() if not leaf.hidden and path.split()[0] not in ("get", "describe")}

    assert listed == shown


def test_the_page_lists_every_exit_code_with_its_meaning() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", PAGE, flags=re.MULTILINE)

    assert {int(code): meaning for code, meaning in rows} == MEANINGS


def test_the_page_names_every_form_of_output() -> None:
    assert f"`-o {'|'.join(enums.OUTPUTS)}`" in PAGE


def test_commands_in_the_documents_exist() -> None:
    for name, text in PAGES.items():
        for line in re.findall(r"^(?:\.venv/bin/)?stagewright ((?:[a-z-]+ ?)+)", text, flags=re.MULTILINE):
            words = line.split()
            known = [path for path in ALL if words[: len(path.split())] == path.split()]
            assert known, f"{name}: stagewright {line}"
