"""The command tree: help without imports, a summary and examples everywhere, aliases."""

import subprocess
import sys
from collections.abc import Iterator, Mapping

import click
import pytest
from click.testing import CliRunner

from stagewright.processes.cli.lazy import Branch, LazyGroup, Leaf, Table, Verb, load
from stagewright.processes.cli.main import stagewright
from stagewright.processes.cli.tree import TREE

STEP_A = (
    *("up", "demo", "doctor", "login", "logout", "auth status", "auth token list", "auth token revoke"),
    *("context list", "context use", "context set", "context current", "context delete"),
    *("project list", "project view", "project create", "project edit", "project use"),
    *("repo list", "repo view", "repo add", "repo remove", "label list", "label sync", "policy check", "policy show"),
    *(f"run {verb}" for verb in ["list", "view", "watch", "logs", "events", "prompt", "wait", "cancel", "result"]),
    *("credential list", "credential set", "incident list", "api", "serve", "completion", "version"),
    *("db migrate", "db status", "db check"),
)


def leaves(table: Table, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Leaf]]:
    for name, entry in table.items():
        if isinstance(entry, Branch):
            yield from leaves(entry.table, (*path, name))
        else:
            yield " ".join((*path, name)), entry


ALL: Mapping[str, Leaf] = dict(leaves(TREE))


def test_the_tree_has_what_step_a_needs() -> None:
    assert set(STEP_A) <= set(ALL)


@pytest.mark.parametrize("path", ALL)
def test_every_command_has_a_summary_examples_and_documented_options(path: str) -> None:
    command = load(ALL[path].place)

    assert isinstance(command, Verb)
    assert ALL[path].summary.endswith(".")
    assert command.help
    assert all(line.startswith(("stagewright ", "git ", 'eval "$(stagewright ')) for line in command.examples)
    assert command.examples
    undocumented = [item.name for item in command.params if isinstance(item, click.Option) and not item.help]
    assert undocumented == []


@pytest.mark.parametrize("path", [path for path in ALL if not ALL[path].hidden])
def test_every_example_of_a_command_is_of_that_command(path: str) -> None:
    assert any(f"stagewright {path}" in line for line in load(ALL[path].place).examples) or path.startswith(
        ("get ", "describe ")
    )


@pytest.mark.parametrize("path", ALL)
def test_help_shows_examples_and_exit_codes_before_and_after_the_options(path: str) -> None:
    done = CliRunner().invoke(stagewright, [*path.split(), "--help"])

    assert done.exit_code == 0
    assert done.output.index("Examples:") < done.output.index("Options:")


def test_the_help_of_a_group_imports_no_command() -> None:
    text = (
        "import sys; from stagewright.processes.cli.main import main; main(['run', '--help']); "
        "sys.exit(any(name.startswith('stagewright.processes.cli.commands') for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", text], capture_output=True, timeout=30, check=False).returncode == 0


def test_habits_from_elsewhere_work_and_are_not_listed() -> None:
    listed = CliRunner().invoke(stagewright, ["--help"]).output

    assert "describe" not in listed
    for line in (["get", "runs"], ["describe", "run"], ["logs"]):
        assert CliRunner().invoke(stagewright, [*line, "--help"]).exit_code == 0


def test_an_unknown_command_is_a_usage_error() -> None:
    with pytest.raises(click.UsageError):
        stagewright.main(["rum"], standalone_mode=False)


def test_names_complete_with_their_summaries() -> None:
    group = LazyGroup("x", table=TREE)
    found = group.shell_complete(click.Context(group), "ru")

    assert [(item.value, item.help) for item in found] == [("run", "Runs: what is going on, and what came of it.")]
