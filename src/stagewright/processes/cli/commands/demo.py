"""`demo`: the whole way once, with a practice forge and no model."""

import click

from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.exits import INTERRUPTED, LATER
from stagewright.processes.cli.lazy import load, verb


@verb(
    examples=["stagewright demo", "stagewright demo --keep", "stagewright demo --exit"],
    exits=[0, 1, LATER, INTERRUPTED],
)
@click.option("--keep", is_flag=True, help="Keep the data in `demo` below the data directory.")
@click.option("--stay/--exit", default=None, help="Stay until Ctrl-C, or end when done.  [default: stay in a terminal]")
@click.option("--verbose", is_flag=True, help="Show the logs of the processes.")
@click.pass_obj
def demo(call: Call, keep: bool, stay: bool | None, verbose: bool) -> None:
    """From a label to a pull request, on this machine.

    Starts everything with a practice forge, a sample repository and a scripted agent; no account and no model.
    """
    chosen = call.interactive if stay is None else stay
    load(f"{CLI}.local.demo:run_demo")(call, keep=keep, stay=chosen, verbose=verbose)
