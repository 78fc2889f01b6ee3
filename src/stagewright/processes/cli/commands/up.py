"""`up`: everything on this machine in one process tree; `open`: its console."""

import os
import sys
from pathlib import Path

import click

from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.exits import LATER, SIGN_IN, USAGE
from stagewright.processes.cli.lazy import load, verb

LOCAL = f"{CLI}.local"


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
    load(f"{LOCAL}.up:run_up")(wish, verbose=verbose, browser=not no_browser and sys.stdout.isatty())


@verb(
    examples=["stagewright open", "stagewright open runs", "stagewright open acme/shop#7"],
    exits=[0, USAGE, SIGN_IN, LATER],
)
@click.argument("what", required=False, metavar="[SCREEN|ID]")
@click.option("--no-browser", is_flag=True, help="Print the address only.")
@click.pass_obj
def open_console(call: Call, what: str | None, no_browser: bool) -> None:
    """Show the console: its start page, a screen, a run or an issue; locally with a one-time sign-in link."""
    load(f"{CLI}.browsing:open_console")(call, what, browser=not no_browser and call.interactive)
