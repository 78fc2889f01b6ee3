"""`policy`: whether a policy file is right, which policy is in force, and what another one would change."""

from datetime import timedelta
from typing import IO

import click

from stagewright.processes.cli import options
from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.exits import NOT_FOUND, SIGN_IN, USAGE
from stagewright.processes.cli.lazy import load, verb
from stagewright.processes.cli.times import Duration

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


@verb(
    examples=["stagewright policy matrix", "stagewright policy matrix --approvals"],
    exits=[0, SIGN_IN, NOT_FOUND],
)
@click.option("--repo", metavar="OWNER/NAME", help="Of which repository, when the project has several.")
@click.option("--approvals", is_flag=True, help="The approval matrix instead of the next steps.")
@options.output
@options.project
@click.pass_obj
def matrix(call: Call, repo: str | None, approvals: bool) -> None:
    """Show what may follow each stage, or with --approvals whose approval which action needs."""
    load(f"{POLICIES}:matrix")(call, repo=repo, approvals=approvals)


@verb(
    examples=["stagewright policy diff .stagewright/policy.yaml", "stagewright policy diff - -o json < policy.yaml"],
    exits=[0, 1, USAGE, SIGN_IN, NOT_FOUND],
)
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--repo", metavar="OWNER/NAME", help="Of which repository, when the project has several.")
@options.output
@options.project
@click.pass_obj
def diff(call: Call, file: IO[str], repo: str | None) -> None:
    """Show what a policy file means differently from the policy in force, and what it meets that is going on."""
    load(f"{POLICIES}:diff")(call, file, repo=repo)


@verb(
    examples=[
        "stagewright policy test .stagewright/policy.yaml",
        "stagewright policy test .stagewright/policy.yaml --since 7d -o json",
    ],
    exits=[0, 1, USAGE, SIGN_IN, NOT_FOUND],
)
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--since", type=Duration(), default="30d", show_default=True, help="How far back, in whole days.")
@click.option("--repo", metavar="OWNER/NAME", help="Of which repository, when the project has several.")
@options.output
@options.project
@click.pass_obj
def test(call: Call, file: IO[str], since: timedelta, repo: str | None) -> None:
    """Decide recorded deliveries again, by the policy in force and by the file, and print which decisions change."""
    load(f"{POLICIES}:try_out")(call, file, since=since, repo=repo)
