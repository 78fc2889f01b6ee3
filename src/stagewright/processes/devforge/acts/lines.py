"""Finding a line of a file in its patch: where a review comment stands."""

import re
from dataclasses import dataclass

HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


@dataclass(frozen=True)
class Place:
    """Where a comment stands: the hunk up to its line, and how many lines below the first hunk's head that is."""

    hunk: str
    position: int


def place_of(patch: str, line: int, side: str) -> Place | None:
    """Return the place of a line of the new file (RIGHT) or the old one (LEFT); None when the diff does not show it."""
    old = new = 0
    hunk: list[str] = []
    for position, text in enumerate(patch.split("\n")):
        if head := HUNK.match(text):
            old, new, hunk = int(head[1]), int(head[2]), [text]
            continue
        hunk.append(text)
        if text.startswith("\\"):
            continue
        shown = (side == "RIGHT" and not text.startswith("-") and new == line) or (
            side == "LEFT" and not text.startswith("+") and old == line
        )
        if shown:
            return Place("\n".join(hunk), position)
        old += not text.startswith("+")
        new += not text.startswith("-")
    return None


def first_hunk(patch: str) -> Place:
    """Return the place of a comment on a whole file."""
    lines = patch.split("\n")
    end = next((n for n, text in enumerate(lines) if n and HUNK.match(text)), len(lines))
    return Place("\n".join(lines[:end]), 1)
