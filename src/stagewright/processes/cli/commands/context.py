"""`context`: which servers this client knows, and which one it uses."""

from typing import Any

import click

from stagewright.processes.cli import options
from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.exits import NOT_FOUND, USAGE
from stagewright.processes.cli.lazy import load, verb

FILE = f"{CLI}.contexts"


@verb(examples=["stagewright context list", "stagewright context list -o json"])
@options.listing()
@click.pass_obj
def list_contexts(call: Call) -> None:
    """List the contexts; tokens are not shown."""
    load(f"{CLI}.places:list_contexts")(call)


@verb(examples=["stagewright context current"])
@click.pass_obj
def current(call: Call) -> None:
    """Print the name of the context in use."""
    load(f"{CLI}.places:print_current")(call)


@verb(examples=["stagewright context use local"], exits=[0, NOT_FOUND])
@click.argument("name")
@click.pass_obj
def use(call: Call, name: str) -> None:
    """Use a context from now on."""
    load(f"{FILE}:use")(load(f"{FILE}:config_dir")(call.environ), name)


@verb(
    examples=[
        "stagewright context set team --host https://sw.example.com",
        "stagewright context set team --project shop",
    ],
    exits=[0, USAGE],
)
@click.argument("name")
@click.option("--host", help="The server's address.")
@click.option("--project", help="The project meant when none is named.")
@click.option("--ca-file", type=click.Path(exists=True, dir_okay=False), help="Whose certificates to trust.")
@click.option("--insecure/--no-insecure", default=None, help="Allow plain HTTP to this host.")
@click.pass_obj
def set_context(call: Call, /, name: str, **fields: Any) -> None:
    """Make a context, or change one."""
    load(f"{CLI}.places:set_context")(call, name, **fields)


@verb(examples=["stagewright context delete team"], exits=[0, NOT_FOUND])
@click.argument("name")
@click.pass_obj
def delete(call: Call, name: str) -> None:
    """Forget a context and its token. The token itself stays valid: `logout` revokes it."""
    load(f"{FILE}:drop")(load(f"{FILE}:config_dir")(call.environ), name)
