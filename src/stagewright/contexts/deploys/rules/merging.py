"""Stage 3: the trees of all files as one. An importing file overrides what it imports, directly or not; files that do
not import each other must agree (``stack.md`` sections 2.2 and 2.3).

All files are merged at once, so neither the order of imports nor the way through a diamond can matter. Keyed lists
come out sorted by key.
"""

from collections.abc import Sequence as Many
from typing import NamedTuple, TypeVar

from stagewright.contexts.deploys.model.diagnostics import Findings, Related, quoted
from stagewright.contexts.deploys.model.places import At, Path, pointer
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar, Sequence
from stagewright.contexts.deploys.rules.keyed import STACK, Form, inside, key_of, step_of
from stagewright.contexts.deploys.rules.markers import DELETE, REPLACE, Mark, mark_of, unmarked

ENVELOPE = ("apiVersion", "kind")


class Layer(NamedTuple):
    """A file's tree. ``below``: the layers it overrides, as a set of bits by their position."""

    tree: Mapping
    below: int = 0


class Merged(NamedTuple):
    """One tree, and what was overridden at which path."""

    tree: Mapping
    shadowed: dict[Path, tuple[At, ...]]


_N = TypeVar("_N", bound=Node)
_Part = tuple[int, Node]
_Parts = list[_Part]


def merge(layers: Many[Layer], found: Findings) -> Merged:
    """Merge ``layers``, the first of which is the root. They are not changed, parts of them may be shared."""
    merger = _Merger([layer.below for layer in layers], found)
    for layer in layers:
        if DELETE in layer.tree.items:
            at = layer.tree.keys[DELETE]
            found.add("merge_marker", f"a whole file cannot be removed by {DELETE}; do not import it", at, (DELETE,))
    parts: _Parts = [(index, _body(layer.tree, root=index == 0)) for index, layer in enumerate(layers)]
    tree = merger.value(parts, (), STACK)
    assert isinstance(tree, Mapping)
    return Merged(tree, merger.shadowed)


def _body(tree: Mapping, *, root: bool) -> Mapping:
    """Return what of a file is merged: not its imports, and not the envelope of a fragment."""
    items = {key: node for key, node in tree.items.items() if (root or key not in ENVELOPE) and key != DELETE}
    spec = items.get("spec")
    if not root and spec is not None and not isinstance(spec, Mapping):
        del items["spec"]
    if isinstance(spec, Mapping) and "imports" in spec.items:
        without = {key: node for key, node in spec.items.items() if key != "imports"}
        items["spec"] = Mapping(without, spec.keys, spec.at)
    return Mapping(items, tree.keys, tree.at)


class _Merger:
    def __init__(self, below: list[int], found: Findings) -> None:
        self.shadowed: dict[Path, tuple[At, ...]] = {}
        self._below = below
        self._found = found

    def value(self, parts: _Parts, path: Path, form: Form | None, key: tuple[str, ...] = ()) -> Node | None:
        """Return what ``parts`` come to at ``path``, None for nothing. ``key``: the key fields, for an item."""
        if len(parts) == 1:
            return self._alone(parts[0][1], path, form, key)
        marks = {index: mark_of(node, path, form, key, self._found) for index, node in parts}
        hidden: _Parts = []
        kept: _Parts = []
        for index, node in parts:
            over = any(marks[other] and self._over(other, index) for other, _ in parts)
            (hidden if over else kept).append((index, node))
        self._shadow(path, hidden)
        self._check_deletes(parts, marks, path)
        rest = self._undeleted(kept, marks, path)
        if not rest:
            return None
        if len(rest) == 1:
            return self._alone(unmarked(rest[0][1]), path, form, key)
        rest = self._of_one_type([(index, unmarked(node)) for index, node in rest], path, form)
        first = rest[0][1]
        if isinstance(first, Mapping):
            return self._maps(rest, path, form, key)
        if isinstance(first, Sequence) and form is not None and form.key:
            return self._keyed([(index, node) for index, node in rest if isinstance(node, Sequence)], path, form)
        return self._leaf(rest, path)

    # one file alone

    def _alone(self, node: Node, path: Path, form: Form | None, key: tuple[str, ...]) -> Node | None:
        if isinstance(node, Scalar):
            return node
        mark = mark_of(node, path, form, key, self._found)
        if mark is Mark.DELETE:
            self._nothing_to_delete(node, path)
            return None
        if mark is not None:
            node = unmarked(node)
        if isinstance(node, Mapping):
            return self._map_alone(node, path, form)
        assert isinstance(node, Sequence)
        if form is not None and form.key:
            return self._keyed([(0, node)], path, form)
        for index, item in enumerate(node.items):
            if not isinstance(item, Scalar):
                self._refuse_markers(item, (*path, index))
        return node

    def _map_alone(self, node: Mapping, path: Path, form: Form | None) -> Mapping:
        changed: dict[str, Node | None] = {}
        for name, child in node.items.items():
            if name[:1] == "$":
                self._unknown_marker(node.keys[name], name, path)
                changed[name] = None
            elif type(child) is not Scalar:
                value = self._alone(child, (*path, name), inside(form, name), ())
                if value is not child:
                    changed[name] = value
        if not changed:
            return node
        both = {**node.items, **changed}
        return Mapping({name: child for name, child in both.items() if child is not None}, node.keys, node.at)

    def _refuse_markers(self, node: Node, path: Path) -> None:
        if isinstance(node, Mapping):
            for name, child in node.items.items():
                if name[:1] == "$":
                    self._unknown_marker(node.keys[name], name, path)
                elif type(child) is not Scalar:
                    self._refuse_markers(child, (*path, name))
        else:
            assert isinstance(node, Sequence)
            for index, child in enumerate(node.items):
                if type(child) is not Scalar:
                    self._refuse_markers(child, (*path, index))

    # several files

    def _maps(self, parts: _Parts, path: Path, form: Form | None, key: tuple[str, ...]) -> Mapping:
        maps = [(index, node) for index, node in parts if isinstance(node, Mapping)]
        names = dict.fromkeys(name for _, node in maps for name in node.items)
        items: dict[str, Node] = {}
        keys: dict[str, At] = {}
        for name in names:
            of = [(index, node) for index, node in maps if name in node.items]
            children: _Parts = [(index, node.items[name]) for index, node in of]
            if name in key:
                _, node = self._lowest(of)
                items[name], keys[name] = node.items[name], node.keys[name]
                continue
            if name[:1] == "$":
                for _, node in of:
                    self._unknown_marker(node.keys[name], name, path)
                continue
            value = self.value(children, (*path, name), inside(form, name))
            if value is not None:
                items[name], keys[name] = value, self._highest(of)[1].keys[name]
        chosen = self._lowest(maps) if key else self._highest(maps)
        return Mapping(items, keys, chosen[1].at)

    def _keyed(self, parts: "list[tuple[int, Sequence]]", path: Path, form: Form) -> Sequence:
        groups: dict[tuple[str, ...], _Parts] = {}
        others: list[Node] = []
        for index, node in parts:
            own: dict[tuple[str, ...], Node] = {}
            for item in node.items:
                if (key := key_of(item, form.key)) is None:
                    self._stray(item, path, others)
                elif key in own:
                    self._twice(item, own[key], path, form)
                else:
                    own[key] = item
                    groups.setdefault(key, []).append((index, item))
        items: list[Node] = []
        for key in sorted(groups):
            group = groups[key]
            value = self.value(group, (*path, step_of(group[0][1], 0, form.key)), form.items, form.key)
            if value is not None:
                items.append(value)
        for position, other in enumerate(others, start=len(items)):
            value = self._alone(other, (*path, position), form.items, form.key)
            if value is not None:
                items.append(value)
        return Sequence(items, self._highest(parts)[1].at)

    def _stray(self, item: Node, path: Path, others: list[Node]) -> None:
        """Keep an item without key, for the check of its shape; a marker of the list must come first, though."""
        if isinstance(item, Mapping) and list(item.items) == [REPLACE]:
            self._unknown_marker(item.at, REPLACE, path)
        else:
            others.append(item)

    def _leaf(self, parts: _Parts, path: Path) -> Node | None:
        tops = [part for part in parts if not any(self._over(other, part[0]) for other, _ in parts)]
        self._shadow(path, [part for part in parts if part not in tops])
        winner = tops[0][1]
        for _, other in tops[1:]:
            if not same(winner, other):
                self._conflict(winner, other, path)
                break
        return self._alone(winner, path, None, ())

    def _of_one_type(self, parts: _Parts, path: Path, form: Form | None) -> _Parts:
        """Keep the parts that have the type of the highest one; say so when there are others."""
        winner = self._highest(parts)[1]
        kept = [part for part in parts if _type(part[1]) == _type(winner)]
        for _, other in parts:
            if _type(other) != _type(winner):
                message = (
                    f"{_type(winner)} cannot override {_type(other)} in {other.at}; "
                    "use the same type, or a map with $replace: true"
                )
                self._found.add("merge_type", message, winner.at, path, related=[Related(other.at, _type(other))])
                break
        return kept

    # markers

    def _undeleted(self, kept: _Parts, marks: "dict[int, Mark | None]", path: Path) -> _Parts:
        """Return the parts that are values, and refuse a removal that a file beside it does not know of."""
        values = [part for part in kept if marks[part[0]] is not Mark.DELETE]
        for index, node in kept:
            if marks[index] is Mark.DELETE and values and not any(self._over(other, index) for other, _ in values):
                other = values[0][1]
                message = f"{node.at} removes what {other.at} sets; let one of the two files import the other"
                self._found.add("merge_conflict", message, node.at, path, related=[Related(other.at, "set here")])
        return values

    def _check_deletes(self, parts: _Parts, marks: "dict[int, Mark | None]", path: Path) -> None:
        deletes = [part for part in parts if marks[part[0]] is Mark.DELETE]
        for index, node in deletes:
            below = [low for low, _ in parts if self._over(index, low) and marks[low] is not Mark.DELETE]
            between = [other for other, _ in deletes if self._over(index, other)]
            if all(any(self._over(other, low) for other in between) for low in below):
                self._nothing_to_delete(node, path)

    def _nothing_to_delete(self, node: Node, path: Path) -> None:
        message = f"{DELETE} finds nothing to remove at {pointer(path)}: no imported file sets it; remove the marker"
        self._found.add("merge_delete_missing", message, node.at, path)

    def _unknown_marker(self, at: At, name: str, path: Path) -> None:
        message = f"{quoted(name)} has no meaning here; only {REPLACE}: true and {DELETE}: true in what is merged do"
        self._found.add("merge_marker", message, at, (*path, name))

    # findings

    def _conflict(self, one: Node, other: Node, path: Path) -> None:
        message = (
            f"{pointer(path)} is {shown(one)} in {one.at} and {shown(other)} in {other.at}; "
            "keep one of them, or set it in a file that imports both"
        )
        self._found.add("merge_conflict", message, one.at, path, related=[Related(other.at, "the other value")])

    def _twice(self, item: Node, first: Node, path: Path, form: Form) -> None:
        step = step_of(item, 0, form.key)
        message = f"{quoted(step)} stands here and in line {first.at.line} of the same list; make them one item"
        self._found.add(
            "merge_duplicate", message, item.at, (*path, step), related=[Related(first.at, "the first one")]
        )

    def _shadow(self, path: Path, parts: _Parts) -> None:
        if parts:
            self.shadowed[path] = self.shadowed.get(path, ()) + tuple(node.at for _, node in parts)

    # who overrides whom

    def _over(self, upper: int, lower: int) -> bool:
        return bool(self._below[upper] >> lower & 1)

    def _highest(self, parts: "list[tuple[int, _N]]") -> "tuple[int, _N]":
        return next(part for part in parts if not any(self._over(other, part[0]) for other, _ in parts))

    def _lowest(self, parts: "list[tuple[int, _N]]") -> "tuple[int, _N]":
        return next(part for part in parts if not any(self._over(part[0], other) for other, _ in parts))


def same(one: Node, other: Node) -> bool:
    """Say whether two leaves hold the same value, type included."""
    if isinstance(one, Scalar) and isinstance(other, Scalar):
        return type(one.value) is type(other.value) and one.value == other.value and one.raw == other.raw
    if isinstance(one, Sequence) and isinstance(other, Sequence):
        return len(one.items) == len(other.items) and all(map(same, one.items, other.items))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.items.keys() == other.items.keys() and all(
            same(one.items[key], other.items[key]) for key in one.items
        )
    return False


def shown(node: Node) -> str:
    """Return a leaf as a message shows it."""
    return quoted(node.value) if isinstance(node, Scalar) else _type(node)


def _type(node: Node) -> str:
    return {Scalar: "a single value", Sequence: "a list", Mapping: "a map"}[type(node)]
