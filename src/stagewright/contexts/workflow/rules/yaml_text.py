"""YAML text to plain data with the line of every value: no aliases, no tags, no surprises of YAML 1.1.

Only `true` and `false` are booleans here, so that `off` stays a word, and keys are always texts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from stagewright.contexts.workflow.errors import PolicyProblem
from stagewright.contexts.workflow.model.policy import Source
from stagewright.contexts.workflow.rules.places import Path, pointer

LIMIT_BYTES = 256 * 1024
LIMIT_DEPTH = 24
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"^[-+]?(0|[1-9][0-9]{0,17})$")
_FLOAT = re.compile(r"^[-+]?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}$")


@dataclass(slots=True)
class Parsed:
    """A file as data. ``lines`` maps the path of every key and list item to its line."""

    data: dict[str, Any] = field(default_factory=dict)
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[PolicyProblem] = field(default_factory=list)


class _Broken(Exception):
    """The text cannot be read on; what was found is in the problems."""


def parse(text: str, source: Source) -> Parsed:
    """Read one policy file. A text that is no YAML map gives problems and an empty map."""
    composer = _Composer(source)
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        composer.complain((), 1, "syntax", "not valid UTF-8; save the file as UTF-8")
        return composer.parsed
    if len(text.encode()) > LIMIT_BYTES:
        composer.complain((), 1, "too_large", f"the file is larger than {LIMIT_BYTES // 1024} KiB; make it smaller")
        return composer.parsed
    try:
        composer.read(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        composer.complain((), _line_of(error), "syntax", f"not valid YAML: {error.problem or error}")
    except yaml.YAMLError as error:
        composer.complain((), 1, "syntax", f"not valid YAML: {' '.join(str(error).split())}")
    except _Broken:
        pass
    return composer.parsed


def _line_of(error: yaml.MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return int(mark.line) + 1 if mark is not None else 1


class _Composer:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.parsed = Parsed()

    def complain(self, path: Path, line: int, code: str, message: str) -> None:
        self.parsed.problems.append(
            PolicyProblem(pointer(path), f"policy.{code}", message, source=self.source, line=line)
        )

    def read(self, events: Iterator[Any]) -> None:
        started = False
        for event in events:
            if not isinstance(event, yaml.DocumentStartEvent):
                continue
            mark: Any = event.start_mark
            if started:
                self.complain((), mark.line + 1, "documents", "the file holds a second document; keep only one")
                raise _Broken
            started = True
            self._document(events, mark.line + 1)

    def _document(self, events: Iterator[Any], line: int) -> None:
        value = self._value(next(events), events, ())
        if value is None:
            return
        if not isinstance(value, dict):
            self.complain((), line, "type", "the file must be a map of settings, such as `limits: {…}`")
            return
        self.parsed.data = value

    def _value(self, event: Any, events: Iterator[Any], path: Path) -> Any:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            name = f"{'*' if isinstance(event, yaml.AliasEvent) else '&'}{event.anchor}"
            self.complain(path, line, "alias", f"anchors and aliases are not allowed; write the value out ({name})")
            if isinstance(event, yaml.AliasEvent):
                return None
        if event.tag is not None and event.tag != "!":
            self.complain(path, line, "tag", f"tags are not allowed; remove {event.tag}")
        if len(path) > LIMIT_DEPTH:
            self.complain(path, line, "depth", f"nested deeper than {LIMIT_DEPTH} levels")
            raise _Broken
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path)
        return scalar(event.value) if event.implicit[0] else event.value

    def _mapping(self, events: Iterator[Any], path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            line = event.start_mark.line + 1
            if not isinstance(event, yaml.ScalarEvent):
                self.complain(path, line, "key", "a key must be a plain text")
                raise _Broken
            self._value(event, events, path)
            here = (*path, event.value)
            if event.value in result:
                first = self.parsed.lines[here]
                self.complain(here, line, "duplicate", f"the key stands in line {first} already; keep one of them")
            self.parsed.lines[here] = line
            result[event.value] = self._value(next(events), events, here)
        return result

    def _sequence(self, events: Iterator[Any], path: Path) -> list[Any]:
        result: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            here = (*path, len(result))
            self.parsed.lines[here] = event.start_mark.line + 1
            result.append(self._value(event, events, here))
        return result


def scalar(text: str) -> Any:
    """Return what a plain scalar means: null, a boolean, a number or its own text."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.match(text):
        return int(text)
    if not _FLOAT.match(text):
        return text
    number = float(text)
    return int(number) if number.is_integer() else number
