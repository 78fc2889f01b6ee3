"""`incident`: what should not have happened."""

import click

from stagewright.processes.cli import options
from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.exits import SIGN_IN
from stagewright.processes.cli.lazy import load, verb


@verb(examples=["stagewright incident list", "stagewright incident list --state resolved -o json"], exits=[0, SIGN_IN])
@click.option("--state", type=click.Choice(["open", "resolved"]), default="open", show_default=True, help="Which.")
@click.option("--all-projects", is_flag=True, help="Of all projects, and of the platform itself.")
@options.listing()
@options.project
@click.pass_obj
def list_incidents(call: Call, state: str, all_projects: bool) -> None:
    """List incidents, the last seen first."""
    load(f"{CLI}.incidents:list_incidents")(call, state=state, all_projects=all_projects)
