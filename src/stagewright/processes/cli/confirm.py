"""Dangerous commands: what is lost is shown before, and a person or a flag says yes (cli.md 7)."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from stagewright.processes.cli.call import tell
from stagewright.processes.cli.exits import USAGE, Failure

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

Answered = Mapping[str, Any]


def confirmed(call: "Call", question: str, *, yes: bool) -> None:
    """Ask a yes/no question (T1). Without a terminal ``--yes`` is needed; a no is ``Abort``."""
    if yes:
        return
    if not call.interactive:
        raise Failure(USAGE, "this needs a yes and there is no terminal to ask on", hint="--yes")
    if not click.confirm(question, err=True):
        raise click.Abort


def previewed(call: "Call", path: str, what: str, *, yes: bool, reason: str | None) -> str:
    """Show the server's preview of an act (T2), ask, and return its confirm token.

    The person's reason, or ``--yes``, stands for the yes where no terminal is.
    """
    shown: Answered = call.client().post(path, preview=1)
    for line in preview_lines(what, shown):
        tell(line)
    if not (yes or reason) and not call.interactive:
        raise Failure(USAGE, "this needs a yes and there is no terminal to ask on", hint="--yes, or --reason TEXT")
    if not yes and call.interactive and not click.confirm("Go on?", err=True):
        raise click.Abort
    return str(shown["confirm_token"])


def preview_lines(what: str, shown: Answered) -> list[str]:
    """Return what an act stops, loses and leaves."""
    lines = [what]
    for word, title in (("stops", "stops"), ("lost", "is lost"), ("survives", "stays")):
        lines += [f"  {title}: {item}" for item in shown.get(word) or ()]
    return lines


def secret_from(stdin: bool, file: str | None, *, what: str) -> str:
    """Read a secret from stdin or a file; never from the command line."""
    if stdin == (file is not None):
        raise Failure(USAGE, f"{what}: give either --stdin or --from-file", hint="a secret is never an argument")
    if not stdin and file is not None:
        try:
            with open(file, encoding="utf-8") as source:
                value = source.read()
        except (OSError, UnicodeDecodeError) as error:
            raise Failure(USAGE, f"--from-file: {file} cannot be read: {error}") from error
    else:
        value = sys.stdin.read()
    if not value.strip():
        raise Failure(USAGE, f"{what}: nothing was given")
    return value.strip()


def each(call: "Call", names: Sequence[str], act: Callable[[str], None]) -> None:
    """Do ``act`` for each of several objects, listing them first."""
    if len(names) > 1:
        tell(f"{len(names)} objects: {', '.join(names)}")
    for name in names:
        act(name)
