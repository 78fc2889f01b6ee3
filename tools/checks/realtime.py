"""The committed description of the realtime socket is what its messages say now."""

from pathlib import Path

from tools import realtime_schema
from tools.tree import Tree

MESSAGES = Path("src/stagewright/processes/gateway/realtime/messages.py")


def realtime(tree: Tree) -> list[str]:
    """Find a document that is missing or stale."""
    return realtime_schema.problems(tree.root) if (tree.root / MESSAGES).exists() else []
