"""YAML events to marked trees, in one pass, with the limits counted on the way.

Aliases share the node they name. Their size is added up without expanding anything, so a bomb costs nothing.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from stagewright.contexts.deploys.model.diagnostics import quoted
from stagewright.contexts.deploys.model.places import At, Path, Source, Step
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar, Sequence
from stagewright.contexts.deploys.rules.reading.limits import (
    MOST_ALIASES,
    MOST_LETTERS,
    MOST_LEVELS,
    MOST_NODES,
    MOST_NOTES,
    Refused,
)
from stagewright.contexts.deploys.rules.reading.scalars import SUSPECT, resolve

RAW = "!raw"
QUOTE_IT = 'put the whole text in quotes: "{{ … }}"'

_OPENING = (MappingStartEvent, SequenceStartEvent)
_CLOSING = (MappingEndEvent, SequenceEndEvent)


class Note(NamedTuple):
    """A problem that does not end the reading. ``other``: a second place, and what stands there."""

    code: str
    message: str
    at: At
    path: Path
    hint: str | None = None
    other: tuple[At, str] | None = None


class _Anchored(NamedTuple):
    node: Node
    nodes: int
    letters: int
    levels: int


class Builder:
    """Reads the documents of one text. ``nulls``: whether a value may be null. ``notes`` fills on the way, up to a
    bound; ``trail`` is where the reading is, with indices for the items of lists."""

    def __init__(self, text: str, source: Source, *, nulls: bool) -> None:
        self.notes: list[Note] = []
        self.trail: list[Step] = []
        self._text = text
        self._source = source
        self._nulls = nulls
        self._next: Callable[[], Any] = yaml.CSafeLoader(text).get_event
        self._aliases = self._nodes = self._letters = self._deepest = 0
        self._noted = [0, 0]
        self._anchors: dict[str, _Anchored | None] = {}

    def documents(self) -> Iterator[Node]:
        """Yield the documents. Raises ``Refused``, and the parser's own errors."""
        while (event := self._next()) is not None:
            if type(event) is DocumentStartEvent:
                self._anchors.clear()
                yield self._node(self._next(), 1)

    def _node(self, event: Any, level: int) -> Node:
        if type(event) is AliasEvent:
            return self._alias(event, level)
        if event.anchor is None:
            return self._bare(event, level)
        nodes, letters, deepest = self._nodes, self._letters, self._deepest
        self._anchors[event.anchor] = None
        self._deepest = level - 1
        node = self._bare(event, level)
        self._anchors[event.anchor] = _Anchored(
            node, self._nodes - nodes, self._letters - letters, self._deepest - level + 1
        )
        self._deepest = max(self._deepest, deepest)
        return node

    def _bare(self, event: Any, level: int) -> Node:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise self._too_many(event)
        kind = type(event)
        if kind is ScalarEvent:
            return self._scalar(event)
        if event.tag is not None:
            self._tag(event)
        if level > MOST_LEVELS:
            raise self._too_deep(event)
        if level > self._deepest:
            self._deepest = level
        return self._mapping(event, level + 1) if kind is MappingStartEvent else self._sequence(event, level + 1)

    def _scalar(self, event: Any) -> Scalar:
        text = event.value
        mark = event.start_mark
        at = At(self._source, mark.line + 1, mark.column + 1)
        self._letters += len(text)
        raw = event.tag is not None and self._is_raw(event)
        if event.style:
            return Scalar(text, at, raw)
        if text and text[0] not in SUSPECT:
            return Scalar(text, at, raw, True)
        value, doubt, fault = resolve(text)
        if doubt:
            self._note("ambiguous_scalar", doubt, at)
        if fault:
            self._note("bad_value", fault, at)
        if value is None and not self._nulls:
            message = "null is not a value here; give a value, or leave the key out"
            self._note("null_value", message, at, "to remove an imported value write {$delete: true}")
        return Scalar(value, at, raw, True)

    def _sequence(self, event: Any, level: int) -> Sequence:
        items: list[Node] = []
        at = self._at(event)
        following = self._next
        trail = self.trail
        trail.append(0)
        while type(event := following()) is not SequenceEndEvent:
            trail[-1] = len(items)
            items.append(self._node(event, level))
        trail.pop()
        return Sequence(items, at)

    def _mapping(self, event: Any, level: int) -> Node:
        items: dict[str, Node] = {}
        keys: dict[str, At] = {}
        at = self._at(event)
        start = event
        following = self._next
        trail = self.trail
        trail.append("")
        while type(event := following()) is not MappingEndEvent:
            if type(event) is not ScalarEvent or event.tag is not None or event.value == "<<":
                if self._is_template(start, event):
                    trail.pop()
                    return self._unquoted(start)
                if self._odd_key(event, level):
                    continue
            trail[-1] = key = event.value
            mark = event.start_mark
            place = At(self._source, mark.line + 1, mark.column + 1)
            if event.anchor is not None:
                self._anchors[event.anchor] = _Anchored(Scalar(key, place), 1, len(key), 0)
            self._nodes += 1
            node = self._node(following(), level)
            if key in items:
                self._twice(key, place, keys[key])
                continue
            items[key] = node
            keys[key] = place
        trail.pop()
        return Mapping(items, keys, at)

    def _alias(self, event: Any, level: int) -> Node:
        at = self._at(event)
        name = event.anchor
        if name not in self._anchors:
            raise Refused("yaml_syntax", f"the alias *{name} names no anchor; write &{name} before the value", at)
        if (anchored := self._anchors[name]) is None:
            raise Refused("yaml_alias_limit", f"the alias *{name} stands inside the value that it names", at)
        self._aliases += 1
        if self._aliases > MOST_ALIASES:
            raise Refused("yaml_alias_limit", f"more than {MOST_ALIASES} aliases in one file; write values out", at)
        self._nodes += anchored.nodes
        self._letters += anchored.letters
        if self._nodes > MOST_NODES or self._letters > MOST_LETTERS:
            raise self._too_many(event)
        deepest = level - 1 + anchored.levels
        if deepest > MOST_LEVELS:
            raise Refused("yaml_depth", f"the alias *{name} nests more than {MOST_LEVELS} levels; flatten the file", at)
        self._deepest = max(self._deepest, deepest)
        return anchored.node

    def _odd_key(self, event: Any, level: int) -> bool:
        """Note what is wrong with a key, and skip it with its value. False: the key does after all."""
        at = self._at(event)
        if type(event) is ScalarEvent:
            if event.tag is not None:
                self.trail[-1] = event.value
                self._note("yaml_tag", f"the key {quoted(event.value)} has a tag; remove it", at)
                return False
            if event.style:
                return False
            self.trail[-1] = event.value
            self._note("yaml_merge_key", "the merge key << is not supported; write the values out", at)
        else:
            what = "an alias" if type(event) is AliasEvent else "a list or a map"
            self.trail.pop()
            self._note("yaml_syntax", f"a key must be a text, not {what}", at)
            self.trail.append("")
            self._node(event, level)
        self._node(self._next(), level)
        return True

    def _is_template(self, start: Any, event: Any) -> bool:
        """Say whether this map is a template without quotes: its first key is a map that starts right beside it."""
        if type(event) is not MappingStartEvent or not start.flow_style or not event.flow_style:
            return False
        inner: Any = event.start_mark
        return bool(inner.index == start.start_mark.index + 1)

    def _unquoted(self, start: Any) -> Scalar:
        """Read past a template without quotes, and take its text as the scalar that was meant."""
        at = self._at(start)
        deep = 2
        event: Any = start
        while deep:
            event = self._next()
            deep += (type(event) in _OPENING) - (type(event) in _CLOSING)
            if deep > MOST_LEVELS:
                raise self._too_deep(event)
        text = self._text[start.start_mark.index : event.end_mark.index]
        self._note("template_unquoted", f"the template {quoted(text)} has no quotes", at, QUOTE_IT)
        return Scalar(text, at)

    def _twice(self, key: str, at: At, first: At) -> None:
        message = f"the key {quoted(key)} stands here and in line {first.line}; remove one"
        self._note("yaml_duplicate_key", message, at, None, (first, "the first one"))

    def _is_raw(self, event: Any) -> bool:
        if event.tag != RAW:
            self._tag(event)
        return bool(event.tag == RAW)

    def _tag(self, event: Any) -> None:
        if event.tag == RAW:
            message = f"the tag {RAW} belongs to a scalar, not to a list or a map"
        else:
            message = f"the tag {quoted(event.tag)} is not supported; only {RAW} is"
        self._note("yaml_tag", message, self._at(event))

    def _note(
        self, code: str, message: str, at: At, hint: str | None = None, other: tuple[At, str] | None = None
    ) -> None:
        """Note a problem. Warnings and errors are counted apart, so that many doubts do not hide a mistake."""
        warning = code == "ambiguous_scalar"
        self._noted[warning] += 1
        if self._noted[warning] <= MOST_NOTES:
            self.notes.append(Note(code, message, at, tuple(self.trail), hint, other))

    def _too_deep(self, event: Any) -> Refused:
        return Refused("yaml_depth", f"more than {MOST_LEVELS} levels of nesting; flatten the file", self._at(event))

    def _too_many(self, event: Any) -> Refused:
        most = f"{MOST_NODES:,} values or {MOST_LETTERS:,} letters"
        message = f"the file has more than {most} once its aliases are expanded; make it smaller"
        return Refused("yaml_alias_limit", message, self._at(event))

    def _at(self, event: Any) -> At:
        mark = event.start_mark
        return At(self._source, mark.line + 1, mark.column + 1)
