"""Finding a line of a file in its patch: where a review comment stands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


@dataclass(frozen=True)
class Place:
    """Where a comment stands: the hunk up to its line, and how many lines below the first hunk's head that is."""

    hunk: str
    position: int


@dataclass(frozen=True)
class Row:
    """A line of a patch with its numbers in the old and the new file; None where it is in neither."""

    text: str
    old: int | None = None
    new: int | None = None


def numbered(patch: str) -> Iterator[Row]:
    """Yield the lines of a patch, counted from the heads of its hunks."""
    old = new = 0
    for text in patch.split("\n"):
        if head := HUNK.match(text):
            old, new = int(head[1]), int(head[2])
            yield Row(text)
        elif text.startswith("\\"):
            yield Row(text)
        else:
            yield Row(text, None if text.startswith("+") else old, None if text.startswith("-") else new)
            old += not text.startswith("+")
            new += not text.startswith("-")


def place_of(patch: str, line: int, side: str) -> Place | None:
    """Return the place of a line of the new file (RIGHT) or the old one (LEFT); None when the diff does not show it."""
    hunk: list[str] = []
    for position, row in enumerate(numbered(patch)):
        if HUNK.match(row.text):
            hunk = []
        hunk.append(row.text)
        if line == (row.new if side == "RIGHT" else row.old):
            return Place("\n".join(hunk), position)
    return None


def first_hunk(patch: str) -> Place:
    """Return the place of a comment on a whole file."""
    lines = patch.split("\n")
    end = next((n for n, text in enumerate(lines) if n and HUNK.match(text)), len(lines))
    return Place("\n".join(lines[:end]), 1)
