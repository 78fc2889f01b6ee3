"""`label`: the labels of a repository beside those the policy knows."""

import click

from stagewright.processes.cli import options
from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.exits import FORBIDDEN, NOT_FOUND, SIGN_IN
from stagewright.processes.cli.lazy import load, verb

LABELS = f"{CLI}.labels"


@verb(
    examples=["stagewright label list acme/shop", "stagewright label list acme/shop -o json"],
    exits=[0, SIGN_IN, NOT_FOUND],
)
@click.argument("repo", metavar="OWNER/NAME", shell_complete=options.complete("repositories"))
@options.output
@options.project
@click.pass_obj
def list_labels(call: Call, repo: str) -> None:
    """List the labels that mean something, and which are missing or changed."""
    load(f"{LABELS}:list_labels")(call, repo)


@verb(
    examples=["stagewright label sync acme/shop --dry-run", "stagewright label sync acme/shop"],
    exits=[0, SIGN_IN, NOT_FOUND, FORBIDDEN],
)
@click.argument("repo", metavar="OWNER/NAME", shell_complete=options.complete("repositories"))
@options.dry_run
@options.output
@options.project
@click.pass_obj
def sync(call: Call, repo: str, dry_run: bool) -> None:
    """Create missing labels and restore changed ones; nothing is deleted."""
    load(f"{LABELS}:sync_labels")(call, repo, dry_run=dry_run)
