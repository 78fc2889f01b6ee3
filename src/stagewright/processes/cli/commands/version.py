"""`version`: what this client is, and what the server is."""

import click

from stagewright.processes.cli import build, options
from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.lazy import load, verb


@verb(
    examples=["stagewright version", "stagewright version --offline", "stagewright version -o json"], exits=[0, 1, 10]
)
@click.option("--offline", is_flag=True, help="Do not ask the server.")
@options.output
@click.pass_obj
def version(call: Call, offline: bool) -> None:
    """Print the client's version and, with a known server, the server's."""
    if offline and not call.wanted.get("output") and call.wanted.get("json_fields") is None:
        click.echo(f"stagewright {build.VERSION}")
        return
    load(f"{CLI}.versions:show")(call, offline=offline)
