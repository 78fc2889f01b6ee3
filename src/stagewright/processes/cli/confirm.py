"""Dangerous commands: what is lost is shown before, and a person or a flag says yes (cli.md 7)."""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from stagewright.processes.cli.call import tell
from stagewright.processes.cli.consequences import words_of
from stagewright.processes.cli.exits import USAGE, Failure, Problem

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

Answered = Mapping[str, Any]
Done = TypeVar("Done")
OUTDATED = frozenset({"confirm.outdated", "version.mismatch"})
TURNS = 5  # previews of one act: what moves on and on is left to the person
REASON = "Reason, kept in the journal (empty: none)"


def confirmed(call: "Call", question: str, *, yes: bool) -> None:
    """Ask a yes/no question (T1). Without a terminal ``--yes`` is needed; a no is ``Abort``."""
    if yes:
        return
    if not call.interactive:
        raise Failure(USAGE, "this needs a yes and there is no terminal to ask on", hint="--yes")
    if not click.confirm(question, err=True):
        raise click.Abort


def acted(
    call: "Call", what: str, preview: Callable[[], Answered], agree: Callable[[], object], act: Callable[[str], Done]
) -> Done:
    """Show the server's preview of an act, have it agreed, and do it with the preview's token.

    When the object moved in between, what it would be now is shown and asked again, a bounded number of times.
    """
    for turn in range(1, TURNS + 1):
        shown = preview()
        show_preview(call, what, shown)
        agree()
        try:
            return act(str(shown["confirm_token"]))
        except Problem as problem:
            if problem.problem_code not in OUTDATED or turn == TURNS:
                raise
        tell(call.said("this changed since the preview; now it is:"))
    raise AssertionError("the last turn returns or raises")


def agreed(call: "Call", *, yes: bool, reason: str | None) -> None:
    """Ask whether to go on (T2). The person's reason, or ``--yes``, stands for the yes where no terminal is."""
    if not (yes or reason) and not call.interactive:
        raise Failure(USAGE, "this needs a yes and there is no terminal to ask on", hint="--yes, or --reason TEXT")
    if not yes and call.interactive and not click.confirm(call.said("Go on?"), err=True):
        raise click.Abort


def named(call: "Call", name: str, given: str | None) -> str:
    """Return the name of what is to be lost as the person wrote it (T3): typed, or with ``--confirm``."""
    if given is None and not call.interactive:
        raise Failure(
            USAGE, "this needs the exact name and there is no terminal to type it on", hint=f"--confirm {name}"
        )
    if given is None:
        given = str(click.prompt(call.said("Type {name} to confirm", name=name), err=True)).strip()
    if given != name:
        raise Failure(USAGE, f"{given!r} is not the exact name: nothing was changed", hint=f"--confirm {name}")
    return given


def reason_of(call: "Call", reason: str | None, *, yes: bool) -> str | None:
    """Return why: the option, else what the person answers, in the editor of ``config.toml`` when it names one."""
    if reason is not None or yes or not call.interactive:
        return reason
    editor = call.config("editor")
    if editor is None:
        return str(click.prompt(call.said(REASON), default="", show_default=False, err=True)).strip() or None
    written = click.edit(f"\n# {call.said(REASON)}\n", editor=str(editor)) or ""
    return " ".join(line.strip() for line in written.splitlines() if line.strip()[:1] not in ("", "#")) or None


def show_preview(call: "Call", what: str, shown: Answered) -> None:
    """Say on stderr what an act stops, loses and leaves."""
    for line in (what, *preview_lines(call, shown)):
        tell(line)


def preview_lines(call: "Call", shown: Answered) -> Iterable[str]:
    """Yield what an act stops, loses and leaves."""
    for word, title in (("stops", "stops"), ("lost", "is lost"), ("survives", "stays")):
        yield from (f"  {call.said(title)}: {words_of(item, call.locale)}" for item in shown.get(word) or ())


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
