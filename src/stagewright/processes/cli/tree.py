"""The command tree: names, summaries and places, so that help and completion import no command."""

from stagewright.processes.cli.lazy import Leaf, Table

COMMANDS = "stagewright.processes.cli.commands"


def _at(place: str, summary: str, *, hidden: bool = False) -> Leaf:
    return Leaf(f"{COMMANDS}.{place}", summary, hidden)


TREE: Table = {
    "up": _at("up:up", "Start everything on this machine; Ctrl-C stops it."),
}
