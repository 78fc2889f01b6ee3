"""A YAML document as a tree that remembers where every value stands. Trees are never changed once read."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from stagewright.contexts.deploys.model.places import At

Plain = str | int | float | bool | None


@dataclass(slots=True, eq=False)
class Scalar:
    """A leaf. ``raw``: tagged ``!raw``, so never a template; ``plain``: written without quotes."""

    value: Plain
    at: At
    raw: bool = False
    plain: bool = False


_KEYS = ("name", "path", "alias")


@dataclass(slots=True, eq=False)
class Sequence:
    """A list."""

    items: "list[Node]"
    at: At
    _named: "dict[str | int, Node] | None" = field(default=None, init=False, repr=False)

    @property
    def named(self) -> "dict[str | int, Node]":
        """The items of a keyed list by their key; looked for once, however often one is asked for."""
        if self._named is None:
            self._named = {}
            for item in self.items:
                for name in _names(item):
                    self._named.setdefault(name, item)
        return self._named


@dataclass(slots=True, eq=False)
class Mapping:
    """A map; ``keys`` says where each key stands."""

    items: "dict[str, Node]"
    keys: dict[str, At]
    at: At


def _names(item: "Node") -> "Iterator[str]":
    if not isinstance(item, Mapping):
        return
    for key in _KEYS:
        node = item.items.get(key)
        if isinstance(node, Scalar) and isinstance(node.value, str):
            yield node.value


Node = Scalar | Sequence | Mapping


def plain(node: Node) -> object:
    """Return the tree as plain data, without places."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(item) for key, item in node.items.items()}
