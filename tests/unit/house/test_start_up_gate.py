"""The import gate of the command line names what a command imports too early."""

from pathlib import Path

from tools.checks.start_up import COMMANDS, GATES, MOST_MODULES, Gate, imported, judge, start_up
from tools.tree import Tree

RUN_HELP = Gate(("run", "--help"), frozenset({"rich", "http.client"}), "run")


def test_a_command_that_imports_little_passes() -> None:
    assert judge(RUN_HELP, {"click", "click.core", "http", f"{COMMANDS}run", "richer"}) == []


def test_a_forbidden_package_is_named_also_by_a_part_of_it() -> None:
    (problem,) = judge(RUN_HELP, {"click", "rich.console"})

    assert "stagewright run --help imports rich" in problem


def test_the_module_of_another_command_is_named() -> None:
    (problem,) = judge(RUN_HELP, {f"{COMMANDS}run", f"{COMMANDS}project"})

    assert "imports the command project" in problem


def test_too_many_modules_are_too_many() -> None:
    (problem,) = judge(RUN_HELP, {f"m{number}" for number in range(MOST_MODULES + 1)})

    assert f"at most {MOST_MODULES}" in problem


def a_program(root: Path, text: str) -> None:
    folder = root / "src/stagewright/processes/cli"
    folder.mkdir(parents=True)
    for package in (folder, *folder.parents[:2]):
        (package / "__init__.py").touch()
    (folder / "main.py").write_text(text)


def test_the_gate_watches_the_program_itself(tmp_path: Path) -> None:
    a_program(tmp_path, "import http.client\ndef main():\n    return 0\n")

    assert "http.client" in imported(tmp_path / "src", ("--help",))
    assert len([line for line in start_up(Tree(tmp_path)) if "imports http.client" in line]) == len(GATES)


def test_a_command_that_fails_is_named(tmp_path: Path) -> None:
    a_program(tmp_path, "def main():\n    return 1\n")

    assert judge(RUN_HELP, imported(tmp_path / "src", ("run", "--help")))[0].endswith("ended with exit 1")
