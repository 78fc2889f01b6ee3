"""Layers of a policy made one: maps merge, lists replace, null deletes; every value keeps its place."""

from collections.abc import Sequence
from typing import Any

from stagewright.contexts.workflow.model.policy import Source
from stagewright.contexts.workflow.rules.places import Merged, Path, Place
from stagewright.contexts.workflow.rules.yaml_text import Parsed


def merge(layers: Sequence[tuple[Source, Parsed]]) -> Merged:
    """Merge ``layers``, the weakest first."""
    merged = Merged({}, {})
    for source, parsed in layers:
        _merge_map(merged, merged.data, parsed.data, (), _Layer(source, parsed))
    return merged


class _Layer:
    def __init__(self, source: Source, parsed: Parsed) -> None:
        self.source = source
        self.lines = parsed.lines

    def place(self, path: Path) -> Place:
        return Place(self.source, self.lines.get(path, 1))


def _merge_map(merged: Merged, target: dict[str, Any], extra: dict[str, Any], path: Path, layer: _Layer) -> None:
    for key, value in extra.items():
        here = (*path, key)
        current = target.get(key)
        if isinstance(value, dict) and isinstance(current, dict):
            _merge_map(merged, current, value, here, layer)
            continue
        if here in merged.places:
            _forget(merged, here)
        merged.places[here] = layer.place(here)
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            fresh: dict[str, Any] = {}
            target[key] = fresh
            _merge_map(merged, fresh, value, here, layer)
        else:
            target[key] = value
            _note_items(merged, value, here, layer)


def _note_items(merged: Merged, value: Any, path: Path, layer: _Layer) -> None:
    children = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    for key, child in children:
        here = (*path, key)
        merged.places[here] = layer.place(here)
        _note_items(merged, child, here, layer)


def _forget(merged: Merged, path: Path) -> None:
    for known in [known for known in merged.places if known[: len(path)] == path]:
        del merged.places[known]
