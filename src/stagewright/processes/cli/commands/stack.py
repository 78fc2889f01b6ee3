"""`stack`: whether a `services.yaml` is right, what becomes of it, and where each value comes from."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from stagewright.processes.cli import options
from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.enums import STACK_FORMATS
from stagewright.processes.cli.exits import FORBIDDEN, USAGE
from stagewright.processes.cli.lazy import load, verb

STACKS = f"{CLI}.stacks"
F = TypeVar("F", bound=Callable[..., Any])


def _given(function: F) -> F:
    """Add what all commands take that read a stack."""
    for add in (
        click.option("--server", is_flag=True, help="Ask the server for digests and entries of the configuration."),
        click.option("--var", "variables", metavar="N=V", multiple=True, help="Set a variable of the stack here."),
        click.option("--repository", "repositories", metavar="ALIAS=DIR", multiple=True,
                     help="Where the work tree of another repository of the stack is."),
    ):  # fmt: skip
        function = add(function)
    return function


def _candidate(function: F) -> F:
    """Add ``--candidate``."""
    return click.option(
        "--candidate", metavar="KEY", help="For which candidate: i<issue>, or <repository alias>-i<issue>."
    )(function)


def _environment(function: F) -> F:
    """Add the one environment that the command needs."""
    return click.option("--env", "environment", metavar="E", required=True, help="For which environment.")(function)


@verb(
    examples=[
        "stagewright stack validate",
        "stagewright stack validate examples/shop --env live --strict",
        "stagewright stack validate --all-envs --format sarif > stack.sarif",
    ],
    exits=[0, 1, USAGE, FORBIDDEN],
)
@click.argument("path", default=".", type=click.Path(exists=True))
@click.option(
    "--env", "environments", metavar="E", multiple=True, help="For this environment; may stand several times."
)
@click.option("--all-envs", is_flag=True, help="For all declared environments; the same as naming none.")
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
@click.option("--format", "form", type=click.Choice(STACK_FORMATS), default="text", show_default=True,
              help="For a person, for programs, for code scanning, or for the log of a GitHub job.")  # fmt: skip
@_given
@click.pass_obj
def validate(call: Call, /, path: str, **given: Any) -> None:
    """Check a stack: every mistake with file, line and remedy, exit 1 when there is one.

    PATH is the folder of services.yaml, or the file; its folder counts as the root of the repository.
    """
    load(f"{STACKS}.validating:validate")(call, path, **given)


@verb(
    examples=[
        "stagewright stack render --env live",
        "stagewright stack render --env preview --candidate i12 --unit api",
        "stagewright stack render --env live --output rendered",
    ],
    exits=[0, 1, USAGE, FORBIDDEN],
)
@_environment
@_candidate
@click.option("--unit", metavar="U", help="The rendered objects of this unit instead of the stack.")
@click.option("--output", "folder", metavar="DIR", type=click.Path(file_okay=False),
              help="Write the stack and all objects as files into this folder.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Replace files in DIR that an earlier render did not write.")
@_given
@click.pass_obj
def render(call: Call, /, **given: Any) -> None:
    """Show the stack as it is for an environment, or the objects of a unit. Secrets are named, never shown."""
    load(f"{STACKS}.rendering:render")(call, **given)


@verb(
    examples=[
        "stagewright stack plan --env live",
        "stagewright stack plan --env live --ref main --out before.json",
        "stagewright stack plan --env live --against before.json",
        "stagewright stack plan --env preview --candidate i12 -o json",
    ],
    exits=[0, 1, USAGE, FORBIDDEN],
)
@_environment
@_candidate
@click.option("--ref", metavar="SHA", help="Read this commit instead of the work tree.")
@click.option(
    "--against", metavar="PLAN", help="Show what changes from a plan: a file that --out wrote, its hash, or live."
)
@click.option(
    "--out", "file", metavar="F", type=click.Path(dir_okay=False), help="Write the plan to this file, as JSON."
)
@_given
@options.output
@click.pass_obj
def plan(call: Call, /, **given: Any) -> None:
    """Show what a deploy would do, in its order. Without a server the plan is a preview and cannot be executed."""
    load(f"{STACKS}.planning:plan")(call, **given)


@verb(
    examples=[
        "stagewright stack explain /spec/services/api/deployGroup",
        "stagewright stack explain /spec/environments/live/podSecurity --env live",
    ],
    exits=[0, 1, USAGE, FORBIDDEN],
)
@click.argument("pointer")
@click.option("--env", "environment", metavar="E", help="The value in this environment.")
@_candidate
@_given
@options.output
@click.pass_obj
def explain(call: Call, /, pointer: str, **given: Any) -> None:
    """Show where a value comes from: its file and line, what it overrode, its default, and what it means.

    POINTER is a JSON Pointer; items of lists with names are written by name: /spec/services/api/deployGroup.
    """
    load(f"{STACKS}.explaining:explain")(call, pointer, **given)


@verb(
    examples=[
        "stagewright stack schema --output .stagewright/service-stack.schema.json",
        "stagewright stack schema --fragment",
    ],
    exits=[0, 1, USAGE],
)
@click.option("--fragment", is_flag=True, help="Of an imported file alone.")
@click.option("--output", "file", metavar="F", type=click.Path(dir_okay=False), help="Write it to this file.")
def schema(fragment: bool, file: str | None) -> None:
    """Print the JSON Schema of stack files, for editors."""
    load(f"{STACKS}.schema:schema")(fragment=fragment, file=file)
