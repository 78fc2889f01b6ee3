"""The documents: there, linked without dead ends, and saying what a person needs on the first day."""

import re
from pathlib import Path

import pytest
from tests.unit.house.trees import ROOT

from stagewright.adapters.engines.pins import PINS
from stagewright.contexts.workflow import api as workflow
from stagewright.contexts.workflow.errors import PolicyInvalid

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


def test_the_architecture_names_every_loop_of_the_worker() -> None:
    duties = (ROOT / "ARCHITECTURE.md").read_text().split("## The worker's duties")[1].split("\n## ")[0]
    wiring = (ROOT / "src/stagewright/processes/worker/wiring.py").read_text()
    loops = set(re.findall(r'loop\(\s*"([\w.]+)"', wiring))

    assert loops == set(re.findall(r"`([a-z]+\.[a-z]+)`", duties))
    eager = wiring.split("EAGER = ")[1].split(")")[0]
    assert set(re.findall(r'"([\w.]+)"', eager)) == set(re.findall(r"`([\w.]+)`\\\*", duties))


def test_the_recipes_name_files_that_exist() -> None:
    named = re.findall(r"`((?:src|tests|tools|db|proto|docs)/[\w./]+)`", (ROOT / "CONTRIBUTING.md").read_text())

    assert named
    assert [path for path in named if "NNNN" not in path and not (ROOT / path).exists()] == []


def test_the_way_to_a_real_repository_is_described() -> None:
    text = (ROOT / "docs/getting-started.md").read_text()

    for permission in ("Metadata", "Contents", "Issues", "Pull requests"):
        assert f"| {permission} | read" in text
    for word in (
        "--github-login",
        "repo add",
        "--token-stdin",
        "Payload URL",
        "Without one",
        "run:dev",
        "credential set model:codex --stdin",
    ):
        assert word in text


def test_the_first_pages_install_the_pinned_engines() -> None:
    told = re.findall(r"`(npm install -g [^`]+)`", (ROOT / "docs/getting-started.md").read_text())
    assert told == [pin.install() for pin in PINS.values()]


PLATFORM_FILE = "# policy.yaml in the data directory\n"


def all_policy_examples() -> list[str]:
    pages = (ROOT / "docs/policy.md", ROOT / "docs/getting-started.md")
    return [
        example for page in pages for example in re.findall(r"```yaml\n(.*?)```", page.read_text(), flags=re.DOTALL)
    ]


def policy_examples() -> list[str]:
    return [example for example in all_policy_examples() if not example.startswith(PLATFORM_FILE)]


@pytest.mark.parametrize("example", policy_examples())
def test_every_policy_example_is_a_valid_project_policy(example: str) -> None:
    assert workflow.effective_policy(example) != workflow.builtin_policy()


def test_the_example_of_the_platforms_own_file_is_valid_there_and_nowhere_else() -> None:
    (example,) = [text for text in all_policy_examples() if text.startswith(PLATFORM_FILE)]
    with workflow.platform_policy(example) as policy:
        assert policy.engines["command"].argv[0] == "/opt/agent/run"
    with pytest.raises(PolicyInvalid):
        workflow.effective_policy(example)


def test_what_the_policy_page_says_of_protected_paths_is_so() -> None:
    (example,) = [text for text in policy_examples() if "protected_paths" in text]
    looser = "\n".join(line for line in example.splitlines() if "services.yaml" not in line)

    with pytest.raises(PolicyInvalid):
        workflow.effective_policy(looser)


def test_the_policy_page_names_every_key_of_the_policy() -> None:
    table = (ROOT / "docs/policy.md").read_text().split("## Keys")[1].split("## Examples")[0]
    keys = set(re.findall(r"^([a-z_]+):", workflow.builtin_text(), flags=re.MULTILINE))

    assert keys - set(re.findall(r"`(\w+)`", table)) == set()
