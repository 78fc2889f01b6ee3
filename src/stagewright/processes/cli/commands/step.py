"""`next`, `run start` and `run revise`: what may follow on an issue or pull request, and one step of it."""

from typing import Any

import click

from stagewright.processes.cli import options
from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.exits import CONFLICT, DECLINED, FORBIDDEN, LATER, NOT_FOUND, SIGN_IN, USAGE
from stagewright.processes.cli.lazy import load, verb

STEPS = f"{CLI}.runs.stepping"
EXITS = (0, USAGE, DECLINED, SIGN_IN, NOT_FOUND, CONFLICT, FORBIDDEN, LATER)


@verb(
    examples=[
        "stagewright next acme/shop#118",
        "stagewright next acme/shop#118 --execute run:prd --variant shortened_flow",
        'stagewright next "#118" --execute run:dev:revise --yes',
    ],
    exits=EXITS,
)
@options.issue
@click.option("--execute", metavar="LABEL", help="Take the step of this label, after showing what it does.")
@click.option("--variant", metavar="NAME", help="Which path, as the list names it; the recommended by default.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.dry_run
@options.output
@click.pass_obj
def next_steps(call: Call, issue: str, execute: str | None, variant: str | None, yes: bool, dry_run: bool) -> None:
    """List what may follow on an issue or pull request, or take one step."""
    load(f"{STEPS}:next_steps")(call, issue, label=execute, variant=variant, yes=yes, dry_run=dry_run)


@verb(
    examples=[
        "stagewright run start acme/shop#118 --stage dev && stagewright run watch @latest --logs",
        'stagewright run start "#118" --stage prd --dry-run',
    ],
    exits=EXITS,
)
@options.issue
@click.option("--stage", required=True, help="Which stage; `stagewright policy show` lists them.")
@click.option("--variant", metavar="NAME", help="The path to put the issue on, such as full_flow.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.dry_run
@options.output
@click.pass_obj
def start(call: Call, /, issue: str, **wanted: Any) -> None:
    """Start a stage on an issue, after showing what that does to its labels."""
    load(f"{STEPS}:start")(call, issue, **wanted)


@verb(
    examples=["stagewright run revise acme/shop#118", 'stagewright run revise "#118" --stage design --yes'],
    exits=EXITS,
)
@options.issue
@click.option("--stage", help="Whose result; the newest by default.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.dry_run
@options.output
@click.pass_obj
def revise(call: Call, /, issue: str, **wanted: Any) -> None:
    """Have a stage's result revised, after showing what that does to the labels."""
    load(f"{STEPS}:revise")(call, issue, **wanted)
