"""Documents that are generated from the program are current."""

from tools import policy_docs
from tools.tree import Tree


def policy_tables(tree: Tree) -> list[str]:
    """Check the tables of the policy guide; another tree than the program's own has none."""
    return policy_docs.problems(tree.root) if tree.root == policy_docs.ROOT else []
