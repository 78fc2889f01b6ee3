"""The two markers of a merge, ``$replace`` and ``$delete`` (``stack.md`` section 2.3)."""

from enum import Enum

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.places import Path
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar, Sequence
from stagewright.contexts.deploys.rules.keyed import Form

REPLACE = "$replace"
DELETE = "$delete"


class Mark(Enum):
    """What a value asks of those it overrides."""

    REPLACE = REPLACE
    DELETE = DELETE


def mark_of(node: Node, path: Path, form: Form | None, key: tuple[str, ...], found: Findings) -> Mark | None:
    """Return the marker of a map or of a keyed list; a wrong use of it is noted. ``key``: an item's key fields."""
    if isinstance(node, Scalar):
        return None
    if isinstance(node, Sequence):
        return _mark_of_list(node, path, form, found)
    marks = [mark for mark in Mark if mark.value in node.items]
    for mark in marks:
        value = node.items[mark.value]
        if not (isinstance(value, Scalar) and value.value is True):
            found.add("merge_marker", f"{mark.value} is true or not there at all", value.at, (*path, mark.value))
    if Mark.DELETE in marks:
        beside = [name for name in node.items if name != DELETE and name not in key]
        if beside:
            allowed = f"only {' and '.join(key)} may" if key else "nothing may"
            found.add(
                "merge_marker",
                f"{beside[0]!r} stands beside {DELETE}; {allowed}",
                node.keys[beside[0]],
                (*path, beside[0]),
            )
        return Mark.DELETE
    return marks[0] if marks else None


def unmarked(node: Node) -> Node:
    """Return a map or a keyed list without its marker."""
    if isinstance(node, Mapping) and REPLACE in node.items:
        return Mapping({name: child for name, child in node.items.items() if name != REPLACE}, node.keys, node.at)
    if isinstance(node, Sequence) and node.items and _is_replace(node.items[0]):
        return Sequence(node.items[1:], node.at)
    return node


def _mark_of_list(node: Sequence, path: Path, form: Form | None, found: Findings) -> Mark | None:
    if form is None or not form.key or not node.items or not _is_replace(node.items[0]):
        return None
    first = node.items[0]
    assert isinstance(first, Mapping)
    value = first.items[REPLACE]
    if not (isinstance(value, Scalar) and value.value is True):
        found.add("merge_marker", f"{REPLACE} is true or not there at all", value.at, (*path, 0, REPLACE))
    return Mark.REPLACE


def _is_replace(node: Node) -> bool:
    return isinstance(node, Mapping) and list(node.items) == [REPLACE]
