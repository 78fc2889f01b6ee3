"""Documents that are generated from the program are current."""

from tools import policy_docs, settings_docs, stack_docs
from tools.tree import Tree


def policy_tables(tree: Tree) -> list[str]:
    """Check the tables of the policy guide; another tree than the program's own has none."""
    return policy_docs.problems(tree.root) if tree.root == policy_docs.ROOT else []


def settings_page(tree: Tree) -> list[str]:
    """Check the page of the settings; another tree than the program's own has none."""
    return settings_docs.problems(tree.root) if tree.root == settings_docs.ROOT else []


def stack_pages(tree: Tree) -> list[str]:
    """Check schemas and references of the stack format; another tree than the program's own has none."""
    return stack_docs.problems(tree.root) if tree.root == stack_docs.ROOT else []
