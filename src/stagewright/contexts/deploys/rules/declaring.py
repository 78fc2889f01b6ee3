"""Where a unit's fields stand in the stack, and so which repository their paths belong to."""

from stagewright.contexts.deploys.model.places import At, Path
from stagewright.contexts.deploys.model.stages import EffectiveUnit, Prepared
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar, Sequence


def node_at(tree: Node, path: Path) -> Node | None:
    """Return the node at ``path``; items of keyed lists are named by their key."""
    node: Node | None = tree
    for step in path:
        if isinstance(node, Mapping):
            node = node.items.get(str(step))
        elif isinstance(node, Sequence):
            node = _item(node, step)
        else:
            return None
    return node


def _item(node: Sequence, step: str | int) -> Node | None:
    if isinstance(step, int):
        return node.items[step] if step < len(node.items) else None
    return node.named.get(step)


def field_at(unit: EffectiveUnit, prepared: Prepared, name: str) -> At | None:
    """Return where the field ``name`` (as files write it) of ``unit`` is set: at itself, or at a component."""
    node = node_at(prepared.tree, unit.path)
    if isinstance(node, Mapping) and name in node.items:
        return node.keys.get(name, node.at)
    origin = unit.provenance.get(name)
    if origin is not None and origin.at is not None:
        return origin.at
    return node.at if node is not None else None


def item_places(unit: EffectiveUnit, prepared: Prepared, name: str, count: int) -> list[tuple[At | None, Path]]:
    """Return where each of the ``count`` items of the list ``name`` of ``unit`` stands."""
    path: Path = (*unit.path, name)
    node = node_at(prepared.tree, path)
    if isinstance(node, Sequence) and len(node.items) == count:
        return [(_own(item), (*path, _step(item, place))) for place, item in enumerate(node.items)]
    return [(field_at(unit, prepared, name), path)] * count


def _own(item: Node) -> At:
    """Return the place of an item: of its key, so that it names the file that declares it."""
    if isinstance(item, Mapping):
        for key in ("path", "name", "service"):
            if key in item.items:
                return item.items[key].at
    return item.at


def _step(item: Node, place: int) -> str | int:
    if isinstance(item, Mapping):
        for key in ("path", "name"):
            node = item.items.get(key)
            if isinstance(node, Scalar) and isinstance(node.value, str) and "port" not in item.items:
                return node.value
    return place
