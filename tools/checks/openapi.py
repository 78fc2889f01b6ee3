"""The committed description of the gateway's interface is what its routes say now."""

from pathlib import Path

from tools import openapi as document
from tools.tree import Tree

APP = Path("src/stagewright/processes/gateway/app.py")


def openapi(tree: Tree) -> list[str]:
    """Find a document that is missing or stale."""
    return document.problems(tree.root) if (tree.root / APP).exists() else []
