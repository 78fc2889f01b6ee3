"""The documents: there, linked without dead ends, and saying what a person needs on the first day."""

import re
from pathlib import Path

import pytest
from tests.unit.house.trees import ROOT

DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"] + [
    f"docs/{name}.md" for name in ("getting-started", "concepts", "policy", "security")
]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
DECISIONS = sorted((ROOT / "docs/adr").glob("*.md"))


def test_the_documents_exist() -> None:
    for name in DOCUMENTS:
        assert (ROOT / name).read_text().strip(), name
    assert "Apache License" in (ROOT / "LICENSE").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_between_documents_resolves(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" not in target and not target.startswith("#"):
            assert (page.parent / target.split("#")[0]).exists(), target


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_one_page_with_the_line_people_quote(decision: Path) -> None:
    text = decision.read_text()

    assert text.startswith(f"# {decision.stem[:4]}. ")
    assert re.search(r"^> \S", text, flags=re.MULTILINE)
    assert re.findall(r"^## (\w+)$", text, flags=re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert text.count("\n") < 60


def test_decisions_are_numbered_without_gaps() -> None:
    assert [path.name[:4] for path in DECISIONS] == [f"{number:04d}" for number in range(1, len(DECISIONS) + 1)]


def test_the_architecture_names_every_context() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    order = (ROOT / ".importlinter").read_text().split("[importlinter:contract:order]")[1].split("exhaustive")[0]

    for context in re.findall(r"^    \(?(\w+)\)?$", order.split("layers =")[1], flags=re.MULTILINE):
        assert f"`{context}`" in text


def test_the_way_to_a_real_repository_is_described() -> None:
    text = (ROOT / "docs/getting-started.md").read_text()

    for permission in ("Metadata", "Contents", "Issues", "Pull requests", "Webhooks"):
        assert f"| {permission} | read" in text
    for word in ("--github-login", "repo add", "--token-stdin", "Payload URL", "Without one", "run:dev"):
        assert word in text
