"""The contracts speak of the tree as it is: what exists stands without parentheses, what does not stands in them."""

import re
from collections.abc import Iterator

from tests.unit.house.trees import ROOT

SOURCE = ROOT / "src"
CONTRACTS = (ROOT / ".importlinter").read_text()


def test_every_context_stands_in_the_order_without_parentheses() -> None:
    order = CONTRACTS.split("[importlinter:contract:order]")[1].split("[importlinter:")[0]
    folder = SOURCE / "stagewright/contexts"
    exist = {path.name for path in folder.iterdir() if any(path.glob("*.py"))}
    optional = set(re.findall(r"^    \((\w+)\)$", order, flags=re.MULTILINE))
    required = set(re.findall(r"^    (\w+)$", order, flags=re.MULTILINE))

    assert exist - optional - required == set(), "these contexts are not in the order of .importlinter"
    assert exist & optional == set(), "these contexts exist now: take their parentheses away in .importlinter"
    assert required - exist == set(), "these contexts do not exist: put them in parentheses in .importlinter"


def test_every_module_of_the_edge_contract_stands_in_parentheses_only_while_it_is_absent() -> None:
    for optional, name in _edge_modules():
        path = SOURCE / name.replace(".", "/")
        exists = path.with_suffix(".py").exists() or (path / "__init__.py").exists()
        if optional:
            assert not exists, f"{name} exists now: take its parentheses away in .importlinter"
        else:
            assert exists, f"{name} does not exist: put it in parentheses in .importlinter"


def _edge_modules() -> Iterator[tuple[bool, str]]:
    edge = CONTRACTS.split("[importlinter:contract:edge]")[1].split("[importlinter:")[0]
    for opening, name in re.findall(r"^    (\(?)(stagewright[\w.]+)\)?$", edge, flags=re.MULTILINE):
        yield bool(opening), name


def test_the_contexts_are_those_of_the_architecture() -> None:
    order = CONTRACTS.split("[importlinter:contract:order]")[1].split("[importlinter:")[0]
    named = re.findall(r"^    \(?(\w+)\)?$", order.split("exhaustive")[0].split("layers =")[1], flags=re.MULTILINE)

    assert named == [
        "overview", "improve", "intake", "runs", "onboarding", "config", "databases", "deploys",
        "vault", "approvals", "agents", "workflow", "projects", "incidents", "identity",
    ]  # fmt: skip
