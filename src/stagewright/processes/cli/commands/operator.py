"""`serve` and `db`: for whoever runs the server processes."""

import os
import sys

import click

from stagewright.processes.cli import enums
from stagewright.processes.cli.call import CLI
from stagewright.processes.cli.exits import CONFLICT, LATER, USAGE
from stagewright.processes.cli.lazy import load, verb

SCHEMA = f"{CLI}.local.schema"


@verb(examples=["stagewright serve gateway", "stagewright serve worker"], exits=[0, USAGE])
@click.argument("process", type=click.Choice(enums.SERVER_PROCESSES))
def serve(process: str) -> None:
    """Run one server process in the foreground, as its settings say."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("STAGEWRIGHT_CLI_")}
    os.execve(sys.executable, [sys.executable, "-m", f"stagewright.processes.{process}"], environ)  # noqa: S606


@verb(examples=["stagewright db migrate"], exits=[0, USAGE, CONFLICT, LATER])
def migrate() -> None:
    """Bring the database to this program's schema. Safe to run twice, and from several places at once."""
    load(f"{SCHEMA}:bring_up")()


@verb(examples=["stagewright db status"], exits=[0, USAGE, LATER])
def status() -> None:
    """Print the database's schema and this program's."""
    load(f"{SCHEMA}:print_status")()


@verb(examples=["stagewright db check"], exits=[0, 1, USAGE, LATER])
def check() -> None:
    """Say with the exit code whether the database is at this program's schema."""
    load(f"{SCHEMA}:check")()
