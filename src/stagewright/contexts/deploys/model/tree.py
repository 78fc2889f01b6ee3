"""A YAML document as a tree that remembers where every value stands. Trees are never changed once read."""

from dataclasses import dataclass

from stagewright.contexts.deploys.model.places import At

Plain = str | int | float | bool | None


@dataclass(slots=True, eq=False)
class Scalar:
    """A leaf. ``raw``: tagged ``!raw``, so never a template; ``plain``: written without quotes."""

    value: Plain
    at: At
    raw: bool = False
    plain: bool = False


@dataclass(slots=True, eq=False)
class Sequence:
    """A list."""

    items: "list[Node]"
    at: At


@dataclass(slots=True, eq=False)
class Mapping:
    """A map; ``keys`` says where each key stands."""

    items: "dict[str, Node]"
    keys: dict[str, At]
    at: At


Node = Scalar | Sequence | Mapping


def plain(node: Node) -> object:
    """Return the tree as plain data, without places."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(item) for key, item in node.items.items()}
