"""The committed requirement files: pinned, hashed, without addresses, and holding what pyproject.toml asks for."""

import re
import tomllib

import pytest
from tests.unit.house.trees import ROOT
from tools.checks.locks import locks
from tools.tree import Tree

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_committed_locks_hold_hashes_and_no_addresses() -> None:
    assert (ROOT / "requirements/runtime.txt").exists()
    assert locks(Tree(ROOT)) == []


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [
        ("runtime", PYPROJECT["dependencies"]),
        ("dev", PYPROJECT["dependencies"] + PYPROJECT["optional-dependencies"]["dev"]),
    ],
)
def test_a_lock_holds_every_package_that_is_asked_for(lock: str, requirements: list[str]) -> None:
    text = (ROOT / f"requirements/{lock}.txt").read_text()
    locked = {_normal(name) for name in re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", text, flags=re.MULTILINE)}

    assert {_normal(re.split(r"[\[<>=]", item)[0]) for item in requirements} <= locked


def test_both_locks_pin_the_same_versions() -> None:
    pins = [
        dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / f"requirements/{lock}.txt").read_text(), flags=re.MULTILINE))
        for lock in ("runtime", "dev")
    ]

    assert {name: pins[1].get(name) for name in pins[0]} == pins[0]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
