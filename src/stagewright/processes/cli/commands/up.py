"""`up`: everything on this machine in one process tree."""

import os
from pathlib import Path

import click

from stagewright.processes.cli.exits import LATER, USAGE
from stagewright.processes.cli.lazy import load, verb

LOCAL = "stagewright.processes.cli.local"


@verb(
    examples=[
        "stagewright up",
        "stagewright up --github-login octocat --port 9000",
        "stagewright up --data ~/sw --port 0",
    ],
    exits=[0, USAGE, 7, LATER],
)
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the gateway; 0 takes a free one.  [default: 8080]")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Where the data lies.")
@click.option("--github-login", metavar="NAME", help="Your GitHub account: labels set by it count as yours.")
@click.option("--no-browser", is_flag=True, help="Open nothing in a browser.")
@click.option("--verbose", is_flag=True, help="Show the logs of the processes.")
def up(port: int | None, data: Path | None, github_login: str | None, no_browser: bool, verbose: bool) -> None:
    """Start everything on this machine; Ctrl-C stops it.

    Database, gateway, control plane and worker on loopback; nothing has to be installed. Runs are processes of your
    user: not a security boundary.
    """
    wish = load(f"{LOCAL}.installation:Wish")(
        environ=os.environ, data=data, port=port, context="local", github_login=github_login
    )
    load(f"{LOCAL}.up:run_up")(wish, verbose=verbose)
