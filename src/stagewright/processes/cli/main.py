"""The entry point: one group, one place where an exception becomes an exit code and a line of text."""

from stagewright.processes.cli import start  # first: nothing looks for garbage while the rest is loaded

# isort: split

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from stagewright.processes.cli import exits
from stagewright.processes.cli.call import make_call
from stagewright.processes.cli.enums import LOCALES
from stagewright.processes.cli.lazy import LazyGroup, load
from stagewright.processes.cli.tree import TREE

PROGRAM = "stagewright"
COMPLETE = "_STAGEWRIGHT_COMPLETE"


class RootGroup(LazyGroup):
    """The group of all commands; a name it does not have may be the person's own alias."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. A closed pipe becomes ours here: click would end the program with 1."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise exits.PipeClosed from error

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, expanding an alias of ``config.toml`` once."""
        if args and args[0] not in self.table:
            aliases = load("stagewright.processes.cli.config:read_config")(os.environ).get("alias") or {}
            if args[0] in aliases:
                args = [*load("shlex:split")(str(aliases[args[0]])), *args[1:]]
        return super().resolve_command(ctx, args)


@click.group(cls=RootGroup, table=TREE, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--context", metavar="NAME", help="Which context to use; see `context list`.")
@click.option("--host", metavar="URL", help="Which server to use instead of the context's.")
@click.option("--locale", type=click.Choice(LOCALES), help="Language of what a person reads.")
@click.option("--plain", is_flag=True, help="No colour, no spinner, no prompt.")
@click.option("--debug", is_flag=True, help="Show the HTTP exchange, secrets masked, and traces of bugs.")
@click.pass_context
def stagewright(ctx: click.Context, /, **given: Any) -> None:
    """From a label on an issue to a pull request."""
    ctx.obj = make_call(**given)
    ctx.call_on_close(ctx.obj.close)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code (cli.md 5). Without ``arguments`` this is the program: it ends."""
    if arguments is not None:
        return _run(list(arguments))
    try:
        code = _run(sys.argv[1:])
    except SystemExit as ended:  # how click ends a completion
        code = ended.code if isinstance(ended.code, int) else exits.DONE
    return start.leave(code)


def _run(given: list[str]) -> int:
    try:
        code = stagewright.main(given, prog_name=PROGRAM, complete_var=COMPLETE, standalone_mode=False)
        sys.stdout.flush()
    except Exception as error:
        return _failed(error, debug="--debug" in given)
    return code if isinstance(code, int) else exits.DONE


def _failed(error: Exception, *, debug: bool) -> int:
    code = exits.code_of(error)
    if isinstance(error, exits.PipeClosed | BrokenPipeError):
        _close_quietly()
        return code
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return code
    lines = exits.lines_of(error)
    if code == exits.FAILED and not isinstance(error, exits.Failure | exits.Ended | click.ClickException):
        lines.append(f"trace: {load('stagewright.processes.cli.bugs:keep_trace')(error, debug=debug)}")
    _say(lines)
    return code


def _say(lines: Sequence[str]) -> None:
    try:
        for line in lines:
            click.echo(line, err=True)
    except BrokenPipeError:
        _close_quietly()


def _close_quietly() -> None:
    """Leave nothing for the interpreter's end to flush into a pipe that nobody reads."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        replace_stream(stream, quiet)


def replace_stream(stream: Any, descriptor: int) -> None:
    """Point a standard stream's descriptor elsewhere; a captured one in tests has none."""
    try:
        os.dup2(descriptor, stream.fileno())
    except (OSError, ValueError):
        return


start.loaded()

if __name__ == "__main__":
    sys.exit(main())
