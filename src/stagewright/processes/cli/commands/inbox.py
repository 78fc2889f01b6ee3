"""`inbox`: what needs me, and answering it."""

from datetime import timedelta

import click

from stagewright.processes.cli import options
from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.exits import CONFLICT, FORBIDDEN, NOT_FOUND, SIGN_IN, USAGE
from stagewright.processes.cli.lazy import load, verb
from stagewright.processes.cli.times import Duration

WAITS = f"{CLI}.waits"
EXITS = [0, USAGE, SIGN_IN, NOT_FOUND, CONFLICT, FORBIDDEN]


@verb(examples=["stagewright inbox list", "stagewright inbox list -o wide"], exits=[0, SIGN_IN])
@click.option("--snoozed", is_flag=True, help="What you put aside, instead.")
@options.listing()
@click.pass_obj
def list_inbox(call: Call, snoozed: bool) -> None:
    """List what needs you, the newest first."""
    load(f"{WAITS}:list_inbox")(call, snoozed=snoozed)


@verb(
    examples=[
        "stagewright inbox list -o wide && stagewright inbox answer 7c21e0 --option 2",
        "stagewright inbox answer 7c21e0 --text - < answer.md",
    ],
    exits=EXITS,
)
@click.argument("item")
@click.option("--option", type=click.IntRange(1), metavar="N", help="The answer of this number, as the list shows it.")
@click.option("--text", help="The answer in words; - reads them from stdin.")
@options.output
@click.pass_obj
def answer(call: Call, item: str, option: int | None, text: str | None) -> None:
    """Answer a question, or choose for a run that waits for budget; the run goes on."""
    load(f"{WAITS}:answer")(call, item, option=option, text=text)


@verb(examples=["stagewright inbox snooze 7c21e0 --for 2h"], exits=EXITS)
@click.argument("item")
@click.option("--for", "time", type=Duration(), required=True, help="How long, such as 2h or 1d.")
@options.output
@click.pass_obj
def snooze(call: Call, item: str, time: timedelta) -> None:
    """Put something aside for a time; it comes back sooner when it comes up anew."""
    load(f"{WAITS}:snooze")(call, item, time=time)
