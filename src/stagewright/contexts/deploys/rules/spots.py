"""Where the parts of a stack stand in its files: from a path to the place that a message shows."""

from stagewright.contexts.deploys.model.places import At, Path, Step
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar, Sequence


def node_at(tree: Node, path: Path) -> Node | None:
    """Return what stands at ``path``; items of keyed lists are named by their key."""
    node: Node | None = tree
    for step in path:
        node = _child(node, step)
    return node


def spot(tree: Node, path: Path) -> At:
    """Return the place of a single value, of the key of a map or list, or of the nearest thing around it."""
    node, at = tree, tree.at
    for step in path:
        child = _child(node, step)
        if child is None:
            return node.keys.get(str(step), at) if isinstance(node, Mapping) else at
        at = node.keys.get(str(step), child.at) if isinstance(node, Mapping) else child.at
        node = child
    return node.at if isinstance(node, Scalar) else at


def by_name(node: Node | None) -> dict[str, Mapping]:
    """Return the items of a list that is keyed by ``name``."""
    items = node.items if isinstance(node, Sequence) else ()
    named = [(item.items.get("name"), item) for item in items if isinstance(item, Mapping)]
    return {str(name.value): item for name, item in named if isinstance(name, Scalar)}


def _child(node: Node | None, step: Step) -> Node | None:
    if isinstance(node, Mapping):
        return node.items.get(str(step))
    if not isinstance(node, Sequence):
        return None
    if isinstance(step, int):
        return node.items[step] if 0 <= step < len(node.items) else None
    return node.named.get(step)
