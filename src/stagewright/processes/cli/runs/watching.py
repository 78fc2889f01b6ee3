"""`run list --watch`: the list again at each change on a terminal, one JSON line per change otherwise."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli.call import tell
from stagewright.processes.cli.exits import INTERRUPTED, Ended
from stagewright.processes.cli.feed import Feed, Patience
from stagewright.processes.cli.runs import words
from stagewright.processes.cli.runs.reading import fetch

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

CLEAR = "\x1b[H\x1b[2J"


def watch_list(call: "Call", filters: Mapping[str, Any]) -> None:
    """Show the list until Ctrl-C."""
    feed, patience = Feed(call.client(), ["runs"]), Patience(tell, None)
    seen: dict[str, int] = {}
    try:
        while True:
            frames, anew = patience.attempt(feed.news)
            if frames or anew:
                _show(call, patience.attempt(lambda: fetch(call, filters)), seen)
            patience.rest()
    except KeyboardInterrupt:
        raise Ended(INTERRUPTED) from None


def _show(call: "Call", found: list[dict[str, Any]], seen: dict[str, int]) -> None:
    output = replace(call.output(), page=None)
    if output.for_people and call.decorated:
        sys.stdout.write(CLEAR)
        output.items(found, words.LIST)
        return
    for run in reversed(found):
        if seen.get(run["id"]) != run["version"]:
            output.line(run)
        seen[run["id"]] = run["version"]
