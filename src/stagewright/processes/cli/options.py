"""Options that many commands share. They write to the call; the command sees only what is its own."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from stagewright.processes.cli.call import Call
from stagewright.processes.cli.enums import OUTPUTS
from stagewright.processes.cli.lazy import load

F = TypeVar("F", bound=Callable[..., Any])
DEFAULT_LIMIT = 30


def output(function: F) -> F:
    """Add ``-o`` and ``--json``: how one resource is shown."""
    for add in (
        click.option("--json", metavar="[FIELDS]", is_flag=False, flag_value="", **_kept("json_fields"),
                     help="JSON with these fields only, comma-separated; without a value: list the fields."),
        click.option("-o", "--output", type=click.Choice(OUTPUTS), **_kept("output"), help="How to show the result."),
    ):  # fmt: skip
        function = add(function)
    return function


def listing(*, sorts: Sequence[str] = ()) -> Callable[[F], F]:
    """Add what lists have: output, columns, how many, from where, in which order."""

    def decorate(function: F) -> F:
        options = [
            click.option("--limit", type=click.IntRange(1, 10_000), default=DEFAULT_LIMIT, show_default=True,
                         **_kept("limit"), help="How many at most."),
            click.option("--cursor", **_kept("cursor"), help="Go on where the last page ended."),
            click.option("--columns", **_kept("columns"), metavar="NAMES", help="Which columns, comma-separated."),
        ]  # fmt: skip
        if sorts:
            choices = [name for sort in sorts for name in (sort, f"-{sort}")]
            options.append(
                click.option("--sort", type=click.Choice(choices), **_kept("sort"), help="Order; - is descending.")
            )
        for add in reversed(options):
            function = add(function)
        return output(function)

    return decorate


def project(function: F) -> F:
    """Add ``--project``: a key or an id, instead of the context's."""
    return click.option(
        "-p", "--project", metavar="KEY", help="Which project instead of the context's.", expose_value=False,
        callback=_keep_project, shell_complete=complete("projects"),
    )(function)  # fmt: skip


def run_id(function: F) -> F:
    """Add the argument RUN: an id, a prefix, an address, an issue, @latest, or - for ids on stdin."""
    return click.argument("run", shell_complete=complete("runs"))(function)


def issue(function: F) -> F:
    """Add the argument ISSUE: ``owner/repo#12``, ``#12`` in a clone, or an address."""
    return click.argument("issue", metavar="ISSUE", shell_complete=complete("issues"))(function)


def dry_run(function: F) -> F:
    """Add ``--dry-run``: the server's own dry run."""
    return click.option("--dry-run", is_flag=True, help="Show what would happen; nothing is applied.")(function)


def _kept(name: str) -> dict[str, Any]:
    """Return what lets an option write to ``call.wanted`` instead of becoming a parameter."""

    def keep(ctx: click.Context, _: click.Parameter, value: Any) -> None:
        call = ctx.find_object(Call)
        if call is not None:
            call.wanted[name] = value

    return {"expose_value": False, "callback": keep}


def _keep_project(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    call = ctx.find_object(Call)
    if call is not None and value is not None:
        call.project = value


def complete(what: str) -> Callable[[click.Context, click.Parameter, str], list[Any]]:
    """Return what completes the values of an argument: ``runs``, ``projects`` or ``repositories``."""

    def suggest(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[Any]:
        found: list[Any] = load("stagewright.processes.cli.complete:suggest")(what, incomplete)
        return found

    return suggest
