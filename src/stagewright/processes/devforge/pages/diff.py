"""Cutting patches into lines with a class each, for colours."""

from dataclasses import dataclass

from stagewright.processes.devforge.git.changes import Change

KINDS = {"+": "add", "-": "del", "@": "hunk"}


@dataclass(frozen=True)
class ShownFile:
    """A changed file as the page shows it; ``lines`` are pairs of class and text."""

    title: str
    status: str
    additions: int
    deletions: int
    lines: list[tuple[str, str]]


def shown_files(changes: list[Change]) -> list[ShownFile]:
    """Return changed files with their lines."""
    return [_shown(change) for change in changes]


def _shown(change: Change) -> ShownFile:
    title = f"{change.previous} → {change.path}" if change.previous else change.path
    lines = [] if change.patch is None else [(KINDS.get(line[:1], "ctx"), line) for line in change.patch.split("\n")]
    return ShownFile(title, change.status, change.additions, change.deletions, lines)
