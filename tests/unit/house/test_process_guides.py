"""The guides for a team that adopts the process: they lead to generated tables, and say of commands and warnings what
is so."""

import re
from pathlib import Path

import pytest
from tests.unit.house.trees import ROOT

from stagewright.processes.cli.lazy import Branch, Leaf, Table
from stagewright.processes.cli.policies import FORESEEN
from stagewright.processes.cli.tree import TREE

GUIDES = [ROOT / f"docs/{name}.md" for name in ("process", "policy-changes", "policy", "concepts")]
ANCHOR = re.compile(r"\]\(([\w-]+\.md)#([\w-]+)\)")
COMMAND = re.compile(r"stagewright ((?:[a-z-]+)(?: [a-z-]+)?)")


def slug(heading: str) -> str:
    """Return the anchor that forges make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_every_place_that_a_guide_leads_to_is_there(guide: Path) -> None:
    for name, anchor in ANCHOR.findall(guide.read_text()):
        assert anchor in anchors(ROOT / "docs" / name), f"{name}#{anchor}"


def test_the_process_is_told_by_tables_that_are_generated() -> None:
    led_to = {anchor for name, anchor in ANCHOR.findall(GUIDES[0].read_text()) if name == "policy-tables.md"}
    told = {"stages", "labels", "gates-what-holds-a-start-back", "labels-that-the-platform-moves"}
    assert led_to >= told | {"launch-profiles-smallest-first"}
    assert any(anchor.startswith("next-steps") for anchor in led_to)


def exists(words: list[str], table: Table = TREE) -> bool:
    entry = table.get(words[0])
    if isinstance(entry, Branch):
        return len(words) > 1 and exists(words[1:], entry.table)
    return isinstance(entry, Leaf)


@pytest.mark.parametrize("guide", GUIDES[:3], ids=lambda path: path.stem)
def test_every_command_that_a_guide_names_exists(guide: Path) -> None:
    named = COMMAND.findall(guide.read_text())
    assert named
    assert [words for words in named if not exists(words.split())] == []


def test_every_warning_of_a_diff_is_explained() -> None:
    table = (ROOT / "docs/policy-changes.md").read_text().split("| warning |")[1].split("\n\n")[0]
    assert len(table.splitlines()) - 2 == len(FORESEEN), "one row for each warning"
