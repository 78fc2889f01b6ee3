"""`policy`: whether a policy file is right, and which policy is in force."""

from typing import IO

import click

from stagewright.processes.cli import options
from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.exits import NOT_FOUND, SIGN_IN, USAGE
from stagewright.processes.cli.lazy import load, verb

POLICIES = f"{CLI}.policies"


@verb(
    examples=[
        "stagewright policy check .stagewright/policy.yaml",
        "git show :.stagewright/policy.yaml | stagewright policy check -",
    ],
    exits=[0, 1, USAGE],
)
@click.argument("file", type=click.File("r", encoding="utf-8"))
@options.output
@click.pass_obj
def check(call: Call, file: IO[str]) -> None:
    """Check a policy file, without a server: every mistake with its line, exit 1 when there is one."""
    load(f"{POLICIES}:check")(call, file)


@verb(
    examples=[
        "stagewright policy show",
        "stagewright policy show --builtin > policy.yaml",
        "stagewright policy show -o json",
    ],
    exits=[0, SIGN_IN, NOT_FOUND],
)
@click.option("--repo", metavar="OWNER/NAME", help="Of which repository, when the project has several.")
@click.option("--builtin", is_flag=True, help="The built-in policy's text, with its comments; needs no server.")
@options.output
@options.project
@click.pass_obj
def show(call: Call, repo: str | None, builtin: bool) -> None:
    """Show the policy in force: what labels and stages mean here, and which file says so."""
    load(f"{POLICIES}:show")(call, repo=repo, builtin=builtin)
