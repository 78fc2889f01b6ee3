"""The generated protocol stubs are what protoc makes of ``proto/`` now."""

from tools import proto
from tools.tree import Tree


def wire(tree: Tree) -> list[str]:
    """Find stubs that are missing, stale or nobody's."""
    return proto.problems(tree.root)
