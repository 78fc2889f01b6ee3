"""`run`: what runs there are, how one goes, its events, prompt, result, and stopping it."""

from datetime import timedelta
from typing import Any

import click

from stagewright.processes.cli import enums, options
from stagewright.processes.cli.call import CLI, Call
from stagewright.processes.cli.exits import CONFLICT, INTERRUPTED, NOT_FOUND, PENDING, SIGN_IN, UNSUCCESSFUL, USAGE
from stagewright.processes.cli.lazy import load, verb
from stagewright.processes.cli.times import Duration, Moment

READS = (0, SIGN_IN, NOT_FOUND)
WORKS = f"{CLI}.runs"


def _several(choices: tuple[str, ...]) -> Any:
    """Return an option type for ``a,b`` and for repetition."""

    def split(_: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
        found = tuple(item.strip() for value in values for item in value.split(",") if item.strip())
        for item in found:
            if item not in choices:
                raise click.BadParameter(f"{item!r} is none of {', '.join(choices)}", param=param)
        return found

    return split


@verb(
    examples=[
        "stagewright run list --status failed --since 1d",
        "stagewright run list --json id,stage,failure_class | jq -r '.[].id'",
        "stagewright run list --project shop --status waiting,running -o wide",
    ],
    exits=[0, USAGE, SIGN_IN],
)
@click.option("--status", multiple=True, callback=_several(enums.RUN_STATUS), metavar="STATUS,...", help="Only these.")
@click.option("--stage", multiple=True, help="Only these stages.")
@click.option("--wait-reason", multiple=True, callback=_several(enums.WAIT_REASONS), metavar="REASON,...",
              help="Only runs that wait for this.")  # fmt: skip
@click.option("--issue", metavar="[OWNER/REPO]#N", help="Only runs of this issue.")
@click.option("--since", type=Moment(), help="Created since: a time, or a duration ago.")
@click.option("--all-projects", is_flag=True, help="Of all projects, not only the chosen one.")
@click.option("--watch", is_flag=True, help="Show changes as they happen, until Ctrl-C.")
@options.listing(sorts=["created_at"])
@options.project
@click.pass_obj
def list_runs(call: Call, /, **filters: Any) -> None:
    """List runs, the newest first."""
    load(f"{WORKS}.reading:list_runs")(call, **filters)


@verb(examples=["stagewright run view @latest", "stagewright run view 3f9a1c -o yaml"], exits=READS)
@options.run_id
@click.option("--web", is_flag=True, help="Open the issue or pull request in a browser.")
@options.output
@options.project
@click.pass_obj
def view(call: Call, run: str, web: bool) -> None:
    """Show a run: where it is, why, what it made."""
    load(f"{WORKS}.reading:view_run")(call, run, web=web)


@verb(examples=["stagewright run events @latest", "stagewright run events 3f9a1c -o jsonl"], exits=READS)
@options.run_id
@options.listing()
@options.project
@click.pass_obj
def events(call: Call, run: str) -> None:
    """Show everything that happened to a run, oldest first."""
    load(f"{WORKS}.reading:list_events")(call, run)


@verb(examples=["stagewright run prompt @latest > prompt.md"], exits=READS)
@options.run_id
@click.option("--attempt", type=click.IntRange(min=1), help="Which attempt; the newest by default.")
@options.project
@click.pass_obj
def prompt(call: Call, run: str, attempt: int | None) -> None:
    """Print the prompt the agent got."""
    load(f"{WORKS}.reading:print_prompt")(call, run, attempt=attempt)


@verb(
    examples=[
        "stagewright run result @latest",
        "stagewright run result @latest -o yaml",
        "stagewright run result @latest --diff",
    ],
    exits=[USAGE, *READS],
)
@options.run_id
@click.option("--diff", is_flag=True, help="The accepted result as a diff against its base, and nothing else.")
@options.output
@options.project
@click.pass_obj
def result(call: Call, run: str, diff: bool) -> None:
    """Show what the run handed over, and what the checks said."""
    load(f"{WORKS}.reading:{'print_diff' if diff else 'show_result'}")(call, run)


@verb(
    examples=["stagewright run watch @latest", "stagewright run watch @latest --logs"],
    exits=[0, SIGN_IN, UNSUCCESSFUL, NOT_FOUND, PENDING, INTERRUPTED],
)
@options.run_id
@click.option("--logs", is_flag=True, help="The engine's log, too.")
@click.option("--timeout", type=Duration(), help="Give up after this long (exit 8).")
@options.project
@click.pass_obj
def watch(call: Call, run: str, logs: bool, timeout: timedelta | None) -> None:
    """Follow a run to its end; Ctrl-C detaches and cancels nothing."""
    load(f"{WORKS}.following:watch")(call, run, logs=logs, timeout=timeout)


@verb(
    examples=["stagewright run wait @latest --for finished --timeout 30m", "stagewright run wait 3f9a1c --for waiting"],
    exits=[0, SIGN_IN, UNSUCCESSFUL, NOT_FOUND, PENDING, INTERRUPTED],
)
@options.run_id
@click.option("--for", "aim", type=click.Choice(["succeeded", "waiting", "finished"]), default="succeeded",
              show_default=True, help="What to wait for.")  # fmt: skip
@click.option("--timeout", type=Duration(), help="Give up after this long (exit 8).")
@options.project
@click.pass_obj
def wait(call: Call, run: str, aim: str, timeout: timedelta | None) -> None:
    """Wait, quietly, until a run is where you want it."""
    load(f"{WORKS}.following:wait")(call, run, aim=aim, timeout=timeout)


@verb(
    examples=[
        "stagewright run logs @latest -f",
        "stagewright run logs 3f9a1c --stream runner --attempt 1 --raw > runner.log",
        "stagewright run logs @latest --grep error --tail 50",
    ],
    exits=[*READS, INTERRUPTED],
)
@options.run_id
@click.option("-f", "--follow", is_flag=True, help="Go on until the stream ends.")
@click.option("--stream", type=click.Choice(enums.LOG_STREAMS), default="engine", show_default=True,
              help="Whose output.")  # fmt: skip
@click.option("--attempt", type=click.IntRange(min=1), help="Which attempt; the newest by default.")
@click.option("--since", type=Moment(), help="Only what was written since.")
@click.option("--tail", type=click.IntRange(min=1), help="Only the last lines.")
@click.option("--grep", metavar="TEXT", help="Only lines with this text; the server looks.")
@click.option("--raw", is_flag=True, help="Byte for byte as it was written.")
@options.project
@click.pass_obj
def logs(call: Call, /, run: str, **wanted: Any) -> None:
    """Print a run's log; `-f` follows it to its end."""
    load(f"{WORKS}.following:print_logs")(call, run, **wanted)


@verb(
    examples=["stagewright run cancel @latest", 'stagewright run cancel 3f9a1c --yes --reason "wrong branch"'],
    exits=[0, USAGE, 3, SIGN_IN, NOT_FOUND, CONFLICT, 9],
)
@options.run_id
@click.option("--reason", help="Why; it is shown with the run.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.dry_run
@options.output
@options.project
@click.pass_obj
def cancel(call: Call, run: str, reason: str | None, yes: bool, dry_run: bool) -> None:
    """Stop a run. What it pushed stays; what it has not handed over is lost."""
    load(f"{WORKS}.acting:cancel")(call, run, reason=reason, yes=yes, dry_run=dry_run)
