"""`issue`: where an issue is on its way."""

import click

from stagewright.processes.cli import options
from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.exits import NOT_FOUND, SIGN_IN, USAGE
from stagewright.processes.cli.lazy import load, verb


@verb(
    examples=[
        "stagewright issue view acme/shop#12",
        "stagewright issue view '#12'",
        "stagewright issue view run-0042 -o json",
    ],
    exits=[0, USAGE, SIGN_IN, NOT_FOUND],
)
@click.argument("issue", metavar="ISSUE")
@options.output
@options.project
@click.pass_obj
def view(call: Call, issue: str) -> None:
    """Show an issue's lineage: its stages, runs, pull requests and documents, what blocks it and what may follow.

    ISSUE is owner/repo#12, #12 in a work tree, the address of an issue or pull request, or a run of it.
    """
    load(f"{CLI}.issues:view_issue")(call, issue)
