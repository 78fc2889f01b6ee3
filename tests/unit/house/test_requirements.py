"""Every requirement has a test that exists, or a reason why not yet; nobody claims a test that is not there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from tests.requirements import PENDING, SAYS, TESTS
from tests.unit.house.trees import ROOT

FOLDER = ROOT / "tests"


@cache
def names_in(file: str) -> frozenset[str]:
    """Return ``test`` and ``Class::test`` of a file, by its syntax tree alone."""
    path = FOLDER / file
    if not path.is_file():
        return frozenset()
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            inner = (item for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef))
            found |= {f"{node.name}::{item.name}" for item in inner}
    return frozenset(name for name in found if name.split("::")[-1].startswith("test_"))


def test_every_requirement_has_a_test_or_a_reason() -> None:
    assert SAYS.keys() - TESTS.keys() - PENDING.keys() == set()


def test_no_requirement_has_both_a_test_and_a_reason_to_have_none() -> None:
    assert TESTS.keys() & PENDING.keys() == set()


def test_only_known_requirements_are_mapped() -> None:
    assert (TESTS.keys() | PENDING.keys()) - SAYS.keys() == set()


def test_every_acceptance_scenario_has_a_test() -> None:
    assert {name for name in SAYS if name.startswith("RN")} - TESTS.keys() == set()


@pytest.mark.parametrize("requirement", sorted(TESTS))
def test_the_tests_of_a_requirement_exist(requirement: str) -> None:
    assert TESTS[requirement]
    for node in TESTS[requirement]:
        file, _, test = node.partition("::")
        assert test in names_in(file), f"tests/{node} does not exist"


def test_every_reason_says_something() -> None:
    assert all(len(reason.split()) >= 3 for reason in PENDING.values())


def test_an_id_in_a_test_file_is_a_known_requirement() -> None:
    pattern = re.compile(r"\b(?:[AB]\d{1,2}\.\d{1,2}|[AB]D\d(?:\.\d)?|RN\d{1,2}|WF\d|AX\d{1,2})\b")
    for path in _test_files():
        unknown = set(pattern.findall(path.read_text())) - SAYS.keys() - LATER
        assert unknown == set(), f"{path.relative_to(ROOT)} names requirements nobody knows"


# Ids of the specification that belong to later steps; a comment may name them.
LATER = (
    {f"RN{number}" for number in range(1, 46)} | {f"WF{n}" for n in range(1, 9)} | {f"AX{n}" for n in range(1, 27)}
) | {"AD3"}


def _test_files() -> list[Path]:
    return [path for path in FOLDER.rglob("test_*.py") if path.name != Path(__file__).name]
