"""The result on stdout, the way the person or program wants it: table, wide, json, jsonl, yaml, name."""

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from stagewright.processes.cli.enums import OUTPUTS
from stagewright.processes.cli.exits import USAGE, Failure
from stagewright.processes.cli.lazy import load
from stagewright.processes.cli.present.table import Column, Style, render, render_one
from stagewright.processes.cli.target import variable

if TYPE_CHECKING:
    from stagewright.processes.cli.call import Call

NARROWEST = 40
Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Output:
    """Writes results. ``fields`` None means all; an empty tuple means: list which there are."""

    form: str
    fields: tuple[str, ...] | None
    columns: tuple[str, ...] | None
    style: Style
    page: Callable[[str], None] | None = None

    def items(self, items: Sequence[Item], columns: Sequence[Column], *, empty: str = "nothing found") -> None:
        """Write a list; an empty one is a hint on stderr."""
        if self._listed(items):
            return
        if self.form == "json":
            self._show([json.dumps([self._picked(item) for item in items], indent=2, ensure_ascii=False)])
        elif self.form == "jsonl":
            for item in items:
                self.line(item)
        elif self.form == "yaml":
            self._show([_yaml([self._picked(item) for item in items])])
        elif self.form == "name":
            self._show([_name(item) for item in items])
        elif items:
            self._show(render(items, self._chosen(columns), self.style))
        if not items:
            print(empty, file=sys.stderr)

    def line(self, item: Item) -> None:
        """Write one object as one line of JSON, at once."""
        _write(json.dumps(self._picked(item), ensure_ascii=False))

    def one(self, item: Item, columns: Sequence[Column], extra: Iterable[str] = ()) -> None:
        """Write one resource; ``extra`` lines follow where a person reads."""
        if self._listed([item]):
            return
        if self.form == "json":
            self._show([json.dumps(self._picked(item), indent=2, ensure_ascii=False)])
        elif self.form == "jsonl":
            self.line(item)
        elif self.form == "yaml":
            self._show([_yaml(self._picked(item))])
        elif self.form == "name":
            _write(_name(item))
        else:
            self._show([*render_one(item, columns, self.style), *extra])

    def _show(self, lines: Sequence[str]) -> None:
        """Write the lines, through the pager when there is one and they are too many for the screen."""
        if self.page is None:
            _lines(lines)
        elif lines:
            self.page("\n".join(lines) + "\n")

    @property
    def for_people(self) -> bool:
        """Say whether a person reads this, not a program."""
        return self.form in ("table", "wide")

    def _listed(self, items: Sequence[Item]) -> bool:
        """With ``--json`` and no value: list the fields there are."""
        if self.fields != ():
            return False
        known = sorted({name for item in items for name in item})
        _lines(known)
        if not known:
            print("nothing found, so no fields are known", file=sys.stderr)
        return True

    def _picked(self, item: Item) -> Item:
        if self.fields is None:
            return item
        unknown = [name for name in self.fields if name not in item]
        if unknown:
            raise Failure(USAGE, f"--json: no field {', '.join(unknown)}; there are {', '.join(sorted(item))}")
        return {name: item[name] for name in self.fields}

    def _chosen(self, columns: Sequence[Column]) -> list[Column]:
        if self.columns is None:
            return [column for column in columns if self.form == "wide" or not column.wide]
        known = {column.name: column for column in columns}
        unknown = [name for name in self.columns if name not in known]
        if unknown:
            raise Failure(USAGE, f"--columns: no column {', '.join(unknown)}; there are {', '.join(known)}")
        return [known[name] for name in self.columns]


def make_output(call: "Call") -> Output:
    """Return what the options and the terminal ask for."""
    wanted = call.wanted
    fields = wanted.get("json_fields")
    form = wanted.get("output") or variable(call.environ, "OUTPUT") or call.config("output") or "table"
    if form not in OUTPUTS:
        raise Failure(USAGE, f"output: {form!r} is no form of output; use one of {', '.join(OUTPUTS)}")
    columns = wanted.get("columns")
    decorated = call.decorated
    limit = max(NARROWEST, shutil.get_terminal_size().columns) if decorated and form == "table" else None
    return Output(
        form=("json" if form not in ("json", "jsonl") else form) if fields is not None else form,
        fields=None if fields is None else tuple(_names(fields)),
        columns=None if columns is None else tuple(_names(columns)),
        style=_style(call, limit),
        page=_page(call) if decorated and call.interactive else None,
    )


def _style(call: "Call", columns: int | None) -> Style:
    now = datetime.now(UTC)
    if not call.decorated:
        return Style(decorated=False, columns=columns, now=now)
    return Style(decorated=True, columns=columns, now=now, locale=call.locale, zone=call.zone)


def _page(call: "Call") -> Callable[[str], None] | None:
    pager = load("stagewright.processes.cli.present.pager:find_pager")(call)
    if pager is None:
        return None
    write = load("stagewright.processes.cli.present.pager:write")
    return lambda text: write(text, pager, dict(call.environ))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _name(item: Item) -> str:
    return str(next((item[key] for key in ("id", "key", "name") if item.get(key)), ""))


def _yaml(value: Any) -> str:
    written: str = load("yaml:safe_dump")(value, sort_keys=False, allow_unicode=True)
    return written.rstrip("\n")


def _lines(lines: Iterable[str]) -> None:
    for line in lines:
        _write(line)


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
