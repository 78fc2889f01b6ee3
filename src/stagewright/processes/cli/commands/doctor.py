"""`doctor`: what is needed, whether it is there, and the remedy."""

import click

from stagewright.processes.cli import options
from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.lazy import load, verb


@verb(examples=["stagewright doctor", "stagewright doctor -o json"], exits=[0, 1])
@options.output
@click.pass_obj
def doctor(call: Call) -> None:
    """Check server, token, versions, database, git and engines; name the remedy for what is wrong."""
    load(f"{CLI}.examination:examine")(call)
