"""Read a rehearsal scenario: YAML in, steps with their lines out, or an error that names the line and the remedy."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

LARGEST_SCENARIO = 256 * 1024
DEEPEST = 64  # libyaml builds nodes recursively: a text of brackets only would end the process
LONGEST_SLEEP_SECONDS = 24 * 3600.0
BARE = ("crash", "hang", "obey")
COUNTS = ("tokens_in", "tokens_cached", "tokens_out")


class BadScenario(Exception):
    """The scenario cannot be read. The text names the line and says what to write."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(f"line {line}: {text}")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its kind, its checked value (seconds for ``sleep``) and the line it stands on."""

    kind: str
    value: Any = None
    line: int = 0


def parse_scenario(text: str, *, first_line: int = 1) -> tuple[Step, ...]:
    """Return the steps of a scenario: a list, or a mapping with the one key ``steps``. Raises ``BadScenario``."""
    if len(text.encode()) > LARGEST_SCENARIO:
        raise BadScenario(first_line, f"the scenario is larger than {LARGEST_SCENARIO // 1024} KiB; shorten it")
    reader = _Reader(first_line)
    root = reader.compose(text)
    if isinstance(root, yaml.MappingNode):
        root = reader.only_entry(root, "steps")
    if not isinstance(root, yaml.SequenceNode):
        raise BadScenario(first_line, "a scenario is a list of steps, each beginning with '- '")
    return tuple(reader.step(node) for node in root.value)


class _Reader:
    """Turns YAML nodes into values and knows on which line each of them stands."""

    def __init__(self, first_line: int) -> None:
        self._first_line = first_line

    def line(self, node: yaml.Node) -> int:
        return int(node.start_mark.line) + self._first_line

    def compose(self, text: str) -> yaml.Node | None:
        try:
            self._check_events(text)
            return yaml.compose(text, Loader=yaml.CSafeLoader)
        except yaml.YAMLError as error:
            line = error.problem_mark.line if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark else 0
            problem = getattr(error, "problem", None) or "not readable as YAML"
            raise BadScenario(line + self._first_line, f"not valid YAML: {problem}") from error

    def _check_events(self, text: str) -> None:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            line = self._first_line + (event.start_mark.line if event.start_mark is not None else 0)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent):
                raise BadScenario(line, "aliases (*name) are not allowed")
            if depth > DEEPEST:
                raise BadScenario(line, f"nested deeper than {DEEPEST} levels; write it flatter")

    def only_entry(self, node: yaml.MappingNode, name: str) -> yaml.Node:
        entries = self.entries(node)
        if set(entries) != {name}:
            raise BadScenario(self.line(node), f"the scenario has exactly one key, {name!r}, or is a list of steps")
        return entries[name]

    def entries(self, node: yaml.MappingNode) -> dict[str, yaml.Node]:
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            if not name or name in found:
                raise BadScenario(self.line(key), f"the key {name!r} is empty or stands here twice")
            found[name] = value
        return found

    def step(self, node: yaml.Node) -> Step:
        line = self.line(node)
        if isinstance(node, yaml.ScalarNode) and node.value in BARE:
            return Step(node.value, None, line)
        if not isinstance(node, yaml.MappingNode) or len(node.value) != 1:
            raise BadScenario(line, f"a step is one of {', '.join(KINDS)} with its value, e.g. '- say: hello'")
        kind, value_node = next(iter(self.entries(node).items()))
        if kind not in KINDS:
            raise BadScenario(line, f"unknown step {kind!r}; known are {', '.join(KINDS)}")
        value = self.value(value_node)
        problem = f"{kind!r} {_EXPECTED[kind]}"
        try:
            return Step(kind, _CHECKS[kind](value), line)
        except (TypeError, ValueError, KeyError) as error:
            raise BadScenario(line, problem) from error

    def value(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            return {key: self.value(value) for key, value in self.entries(node).items()}
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item) for item in node.value]
        try:
            return SafeConstructor().construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            raise BadScenario(self.line(node), "this value is not plain text, a number or a list") from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _path(value: Any) -> str:
    path = _text(value)
    if not path or path.startswith("/") or ".." in path.split("/"):
        raise ValueError
    return path


def _closed(value: Any, **fields: Callable[[Any], Any]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != set(fields):
        raise TypeError
    return {name: check(value[name]) for name, check in fields.items()}


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError
    return value


def _tool(value: Any) -> dict[str, Any]:
    if isinstance(value, dict) and set(value) == {"name"}:
        value = {**value, "arguments": {}}
    return _closed(value, name=_text, arguments=_mapping)


def _seconds(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    if isinstance(value, str):
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m)", value.strip())
        if found is None:
            raise ValueError
        value = float(found[1]) * {"ms": 0.001, "s": 1.0, "m": 60.0}[found[2]]
    seconds = float(value)
    if not 0 <= seconds <= LONGEST_SLEEP_SECONDS:
        raise ValueError
    return seconds


def _usage(value: Any) -> dict[str, int]:
    counts = _mapping(value)
    if set(counts) - set(COUNTS) or any(type(count) is not int or count < 0 for count in counts.values()):
        raise ValueError
    return {name: counts.get(name, 0) for name in COUNTS}


def _nothing(value: Any) -> None:
    if value not in (None, True):
        raise TypeError


def _result(value: Any) -> dict[str, Any] | str:
    if value is None:
        return {}
    return value if isinstance(value, str) else _mapping(value)


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "say": _text,
    "write": lambda value: _closed(value, path=_path, content=_text),
    "delete": _path,
    "rename": lambda value: _closed(value, **{"from": _path, "to": _path}),
    "run": _text,
    "tool": _tool,
    "ask": _mapping,
    "sleep": _seconds,
    "usage": _usage,
    "fail": _text,
    "crash": _nothing,
    "hang": _nothing,
    "obey": _nothing,
    "result": _result,
}
KINDS = tuple(_CHECKS)
_EXPECTED = {
    "say": "takes a text",
    "write": "takes {path, content}: a path inside the repository and a text",
    "delete": "takes a path inside the repository",
    "rename": "takes {from, to}: two paths inside the repository",
    "run": "takes one shell command as a text",
    "tool": "takes {name, arguments}: a tool's name and a mapping",
    "ask": "takes a mapping: the arguments of the question",
    "sleep": "takes a duration such as 2s, 500ms or 1m, at most a day",
    "usage": "takes {tokens_in, tokens_cached, tokens_out}, whole numbers",
    "fail": "takes a failure code as a text",
    "crash": "takes nothing",
    "hang": "takes nothing",
    "obey": "takes nothing",
    "result": "takes a mapping (fields of the report) or the exact text to hand over",
}
