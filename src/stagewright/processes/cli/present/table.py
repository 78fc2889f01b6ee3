"""Tables as plain text: columns dropped by priority, ids never cut, no decoration that a program would stumble over."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from stagewright.processes.cli.present.text import MISSING, ago, safe, shorten, stamp, status, width
from stagewright.processes.cli.texts import said

GAP = "  "
LEAST = 12  # columns; a text column is not cut below this


@dataclass(frozen=True, slots=True)
class Style:
    """What the reader's terminal can do. ``columns`` None means no limit, ``zone`` None: only relative times there."""

    decorated: bool
    columns: int | None
    now: datetime
    locale: str = "en"
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column: a field of the API, how it is written, and how soon it is dropped (0 = never)."""

    name: str
    kind: str = "text"  # text (may be cut), whole, status, time, id
    title: str = ""
    drop: int = 0
    wide: bool = False  # only with -o wide
    of: Callable[[Mapping[str, Any]], Any] | None = None

    @property
    def heading(self) -> str:
        """Return what stands above it."""
        return (self.title or self.name.replace("_", " ")).upper()

    def value(self, item: Mapping[str, Any]) -> Any:
        """Return the value of an item."""
        return self.of(item) if self.of is not None else item.get(self.name)


def cell(column: Column, value: Any, style: Style) -> str:
    """Write one value."""
    if value is None or value == "":
        return MISSING
    if column.kind == "status":
        return status(str(value), colours=style.decorated, locale=style.locale)
    if column.kind == "time":
        return ago(str(value), style.now, style.locale) if style.decorated else stamp(str(value))
    if isinstance(value, bool):
        return said("yes" if value else "no", style.locale)
    if isinstance(value, list | tuple):
        return ", ".join(safe(item) for item in value) or MISSING
    return safe(value).replace("\n", " ")


def render(items: Sequence[Mapping[str, Any]], columns: Sequence[Column], style: Style) -> list[str]:
    """Return the lines of a table: a heading and one line per item."""
    prefixes = shortest_prefixes([str(item.get("id", "")) for item in items])
    rows = [[cell(column, _shown(column, item, prefixes), style) for column in columns] for item in items]
    table = [[column.heading for column in columns], *rows]
    kept = _fitting(table, columns, style.columns)
    widths = {index: max(width(row[index]) for row in table) for index in kept}
    _shrink(widths, columns, style.columns)
    return [_line(row, kept, widths) for row in table]


def render_one(item: Mapping[str, Any], columns: Sequence[Column], style: Style) -> list[str]:
    """Return one resource as lines of name and value."""
    rows = [(column.heading.capitalize(), _alone(column, column.value(item), style)) for column in columns]
    shown = [(name, value) for name, value in rows if value != MISSING]
    longest = max((width(name) for name, _ in shown), default=0)
    return [f"{name}:{' ' * (longest - width(name) + 1)}{value}" for name, value in shown]


def _alone(column: Column, value: Any, style: Style) -> str:
    """Write one value where there is room: a time with its hour in the person's zone."""
    written = cell(column, value, style)
    dated = style.decorated and style.zone is not None and column.kind == "time" and written != MISSING
    return f"{written} ({stamp(str(value), style.zone)})" if dated else written


def shortest_prefixes(ids: Sequence[str], least: int = 6) -> dict[str, str]:
    """Return each id's shortest prefix that no other of them has."""
    found = {}
    for one in ids:
        length = least
        while length < len(one) and any(other != one and other.startswith(one[:length]) for other in ids):
            length += 1
        found[one] = one[:length].rstrip("-")
    return found


def _shown(column: Column, item: Mapping[str, Any], prefixes: Mapping[str, str]) -> Any:
    value = column.value(item)
    return prefixes.get(str(value), value) if column.kind == "id" else value


def _fitting(table: Sequence[Sequence[str]], columns: Sequence[Column], limit: int | None) -> list[int]:
    """Return the columns that fit, dropping those with the highest ``drop`` first."""
    kept = list(range(len(columns)))
    if limit is None:
        return kept
    for index in sorted(kept, key=lambda number: -columns[number].drop):
        if not columns[index].drop or _least(table, columns, kept) <= limit:
            break
        kept.remove(index)
    return kept


def _least(table: Sequence[Sequence[str]], columns: Sequence[Column], kept: Sequence[int]) -> int:
    sizes = [max(width(row[index]) for row in table) for index in kept]
    least = [
        min(size, LEAST) if columns[index].kind == "text" else size for index, size in zip(kept, sizes, strict=True)
    ]
    return sum(least) + len(GAP) * (len(kept) - 1)


def _shrink(widths: dict[int, int], columns: Sequence[Column], limit: int | None) -> None:
    """Take room from the widest text column until the line fits."""
    if limit is None:
        return
    while sum(widths.values()) + len(GAP) * (len(widths) - 1) > limit:
        texts = [index for index in widths if columns[index].kind == "text" and widths[index] > LEAST]
        if not texts:
            return
        widths[max(texts, key=lambda index: widths[index])] -= 1


def _line(row: Sequence[str], kept: Sequence[int], widths: Mapping[int, int]) -> str:
    cells = [shorten(row[index], widths[index]) for index in kept]
    padded = [text + " " * (widths[index] - width(text)) for text, index in zip(cells, kept, strict=True)]
    return GAP.join(padded).rstrip()
