"""Cutting patches into lines with a class each, for colours."""

from dataclasses import dataclass

from stagewright.processes.devforge.acts.lines import Row, numbered
from stagewright.processes.devforge.git.changes import Change

KINDS = {"+": "add", "-": "del", "@": "hunk"}
WIDTH = 5  # digits of a line's number


@dataclass(frozen=True)
class ShownFile:
    """A changed file as the page shows it; ``lines`` are triples of class, numbers and text."""

    path: str
    title: str
    status: str
    additions: int
    deletions: int
    lines: list[tuple[str, str, str]]


def shown_files(changes: list[Change]) -> list[ShownFile]:
    """Return changed files with their lines."""
    return [_shown(change) for change in changes]


def _shown(change: Change) -> ShownFile:
    title = f"{change.previous} → {change.path}" if change.previous else change.path
    rows = [] if change.patch is None else numbered(change.patch)
    lines = [(KINDS.get(row.text[:1], "ctx"), _numbers(row), row.text) for row in rows]
    return ShownFile(change.path, title, change.status, change.additions, change.deletions, lines)


def _numbers(row: Row) -> str:
    """Return the numbers of a line in the old and the new file; a place stays empty where the file lacks it."""
    if row.old is None and row.new is None:
        return ""
    return f"{row.old or '':>{WIDTH}} {row.new or '':>{WIDTH}} "
