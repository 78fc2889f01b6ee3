"""Loading code when it is needed, so that a Tab press does not wait for what it does not use."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import click


class Leaf(NamedTuple):
    """A command that is not imported yet: where it is, and its one-line summary."""

    place: str
    summary: str
    hidden: bool = False


class Branch(NamedTuple):
    """A noun: its summary and its verbs."""

    summary: str
    table: "Mapping[str, Leaf | Branch]"
    hidden: bool = False


Table = Mapping[str, Leaf | Branch]


def load(place: str) -> Any:
    """Import ``module:attribute`` (or a module) now. The only import at run time."""
    module, _, name = place.partition(":")
    found = importlib.import_module(module)
    return getattr(found, name) if name else found


class LazyGroup(click.Group):
    """A group that lists, describes and completes its commands from a table, importing none of them."""

    def __init__(self, *args: Any, table: Table, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names that are shown."""
        return [name for name, entry in self.table.items() if not entry.hidden]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command, or make the group of a noun."""
        entry = self.table.get(cmd_name)
        if entry is None:
            return None
        if isinstance(entry, Branch):
            return LazyGroup(cmd_name, table=entry.table, help=entry.summary, no_args_is_help=True)
        found: click.Command = load(entry.place)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one line per command."""
        rows = [(name, self.table[name].summary) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Complete the names of commands, then options."""
        item = load("click.shell_completion:CompletionItem")
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        return [
            *(item(name, help=self.table[name].summary) for name in names),
            *click.Command.shell_complete(self, ctx, incomplete),
        ]


class Verb(click.Command):
    """A command whose help shows examples first and the exit codes it uses last."""

    def __init__(self, *args: Any, examples: Sequence[str], exits: Sequence[int] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        self.exits = tuple(exits)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write examples, options, exit codes."""
        with formatter.section("Examples"):
            for line in self.examples:
                formatter.write_text(line)
        super().format_options(ctx, formatter)
        if self.exits:
            meanings = load("stagewright.processes.cli.exits:MEANINGS")
            with formatter.section("Exit codes"):
                formatter.write_dl([(str(code), meanings[code]) for code in self.exits])


def verb(*, examples: Sequence[str], exits: Sequence[int] = (), **attrs: Any) -> Callable[[Callable[..., Any]], Verb]:
    """Make a command of a function: ``examples`` are whole command lines, ``exits`` the codes worth documenting."""
    return click.command(cls=Verb, examples=examples, exits=exits, **attrs)
