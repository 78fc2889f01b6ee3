"""Diagnostics as a person reads them: place, code, message, the line with a caret below, and what to do."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TextIO

from stagewright.processes.cli.lazy import load
from stagewright.processes.cli.present.text import RESET, safe
from stagewright.processes.cli.stacks.reading import API, Stack

if TYPE_CHECKING:
    from stagewright.contexts.deploys.api import At, Diagnostic

LARGEST = 1024 * 1024
WIDEST, BEFORE = 120, 60
BOLD, RED, YELLOW, CYAN = "\x1b[1m", "\x1b[1;31m", "\x1b[1;33m", "\x1b[36m"
# What these find may be a secret itself: the line is never shown.
UNSHOWN = frozenset(
    {"stack.object_plain_secret", "stack.image_arg_secret", "stack.secret_source", "stack.template_secret"}
)


def strictly(found: "Sequence[Diagnostic]") -> "list[Diagnostic]":
    """Return the findings with warnings taken for errors."""
    error = load(f"{API}:Severity").ERROR
    return [replace(item, severity=error) for item in found]


def counted(found: "Sequence[Diagnostic]") -> str:
    """Return how many errors and warnings there are."""
    errors = sum(item.is_error for item in found)
    both = ((errors, "error"), (len(found) - errors, "warning"))
    return " and ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in both if count) or "no findings"


def write(stack: Stack, found: "Sequence[Diagnostic]", stream: TextIO, *, colours: bool) -> None:
    """Write all findings, the lines of files among them."""
    writer = _Writer(stack, colours)
    for item in found:
        for line in writer.lines(item):
            print(line, file=stream)
    stream.flush()


class _Writer:
    """Remembers the files whose lines it shows."""

    def __init__(self, stack: Stack, colours: bool) -> None:
        self._stack = stack
        self._colours = colours
        self._files: dict[tuple[str, str], list[str]] = {}

    def lines(self, item: "Diagnostic") -> Iterator[str]:
        """Return the lines of one finding."""
        word = self._painted(RED if item.is_error else YELLOW, item.severity.value)
        where = self._painted(BOLD, self._where(item))
        yield f"{where}: {word}: {safe(item.message)} {self._painted(CYAN, f'[{item.code}]')}"
        if item.at is not None and item.code not in UNSHOWN and not _may_hold_value(item):
            yield from self._excerpt(item.at)
        for other in item.related:
            yield f"  {self._place(other.at)}: {safe(other.message)}"
        if item.hint:
            yield f"  {self._painted(BOLD, 'hint')}: {safe(item.hint)}"

    def _where(self, item: "Diagnostic") -> str:
        return self._place(item.at) if item.at is not None else safe(item.path or "stack")

    def _place(self, at: "At") -> str:
        return f"{safe(self._stack.path(at.source.repository, at.source.file))}:{at.line}:{at.column}"

    def _excerpt(self, at: "At") -> Iterator[str]:
        lines = self._file(at)
        if not 0 < at.line <= len(lines):
            return
        text, column = lines[at.line - 1], at.column - 1
        cut = max(0, column - BEFORE) if len(text) > WIDEST else 0
        shown = safe(text[cut : cut + WIDEST].replace("\t", " "))
        before = len(safe(text[cut:column].replace("\t", " ")))
        bar = self._painted(CYAN, "|")
        yield f"{at.line:>5} {bar} {shown}"
        yield f"      {bar} {' ' * before}{self._painted(RED, '^')}"

    def _file(self, at: "At") -> list[str]:
        key = (at.source.repository, at.source.file)
        if key not in self._files:
            self._files[key] = self._read(*key)
        return self._files[key]

    def _read(self, repository: str, file: str) -> list[str]:
        source = self._stack.repositories.sources.get(repository)
        try:
            if source is None or source.stat(file) is None:
                return []
            return source.read(file, most=LARGEST).data.decode(errors="replace").split("\n")
        except (OSError, ValueError):
            return []  # the finding itself says what is wrong with the file

    def _painted(self, colour: str, text: str) -> str:
        return f"{colour}{text}{RESET}" if self._colours else text


def _may_hold_value(item: "Diagnostic") -> bool:
    """Say whether the line may hold the default value of a secret."""
    return item.path.startswith("/spec/secrets/") and item.path.endswith("/default")


def document(stack: Stack, item: "Diagnostic") -> dict[str, Any]:
    """Return a finding as programs read it (``stack.md`` section 16)."""
    return {
        "code": item.code,
        "severity": item.severity.value,
        "message": item.message,
        **_place(stack, item.at),
        "path": item.path,
        "hint": item.hint,
        "related": [{**_place(stack, other.at), "message": other.message} for other in item.related],
    }


def _place(stack: Stack, at: "At | None") -> dict[str, Any]:
    if at is None:
        return {"repository": None, "file": None, "line": None, "column": None}
    return {"repository": at.source.repository, "file": at.source.file, "line": at.line, "column": at.column}


def warn(stack: Stack, found: "Sequence[Diagnostic]", *, colours: bool) -> None:
    """Write findings where they do not mix with the result."""
    write(stack, found, sys.stderr, colours=colours)
