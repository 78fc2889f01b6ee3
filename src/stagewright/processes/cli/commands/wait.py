"""`wait`: what is stuck, and going on."""

import click

from stagewright.processes.cli import options
from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.enums import BUDGET_CHOICES, WAIT_REASONS
from stagewright.processes.cli.exits import CONFLICT, FORBIDDEN, NOT_FOUND, SIGN_IN, USAGE
from stagewright.processes.cli.lazy import load, verb

WAITS = f"{CLI}.waits"
EXITS = [0, USAGE, 3, SIGN_IN, NOT_FOUND, CONFLICT, FORBIDDEN]


@verb(examples=["stagewright wait list", "stagewright wait list --reason budget -o wide"], exits=[0, SIGN_IN])
@click.option("--reason", "reasons", type=click.Choice(WAIT_REASONS), multiple=True, help="Only these; repeatable.")
@click.option("--all-projects", is_flag=True, help="Of all projects.")
@options.listing()
@options.project
@click.pass_obj
def list_waits(call: Call, reasons: tuple[str, ...], all_projects: bool) -> None:
    """List what is stuck, the longest first: on what, who can act, until when."""
    load(f"{WAITS}:list_waits")(call, reasons=reasons, all_projects=all_projects)


@verb(examples=["stagewright wait retry 7c21e0 --yes"], exits=EXITS)
@click.argument("wait")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.output
@click.pass_obj
def retry(call: Call, wait: str, yes: bool) -> None:
    """Try again now what waits for a rate limit."""
    load(f"{WAITS}:retry")(call, wait, yes=yes)


@verb(
    examples=["stagewright wait resolve 7c21e0 --choice extend_25", "stagewright wait resolve 7c21e0 --choice stop"],
    exits=EXITS,
)
@click.argument("wait")
@click.option(
    "--choice",
    type=click.Choice(BUDGET_CHOICES),
    required=True,
    help="A quarter more, as much again, an end with what exists, or a stop as failed.",
)
@options.output
@click.pass_obj
def resolve(call: Call, wait: str, choice: str) -> None:
    """Choose what becomes of a run that waits for budget."""
    load(f"{WAITS}:resolve")(call, wait, choice=choice)
