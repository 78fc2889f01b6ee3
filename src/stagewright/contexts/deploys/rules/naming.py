"""What a stack says of itself, where nobody knows it otherwise: its project, the names of its variables."""

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.sources import Repositories
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar
from stagewright.contexts.deploys.rules.loading import load
from stagewright.contexts.deploys.rules.reading import ParseCache
from stagewright.contexts.deploys.rules.variables import part


def project_key(repositories: Repositories, cache: ParseCache | None = None) -> str | None:
    """Return ``spec.project``, else ``metadata.name`` (``stack.md`` section 1.3); None where neither can be read."""
    loaded = load(repositories, Findings(), cache)
    if loaded is None:
        return None
    return _text(loaded.tree, "spec", "project") or _text(loaded.tree, "metadata", "name")


def variable_names(repositories: Repositories, cache: ParseCache | None = None) -> tuple[str, ...]:
    """Return the names of ``vars``, sorted; nothing where the stack cannot be read."""
    loaded = load(repositories, Findings(), cache)
    declared = part(loaded.tree, "vars") if loaded is not None else None
    return tuple(sorted(declared.items)) if isinstance(declared, Mapping) else ()


def _text(tree: Mapping, *path: str) -> str | None:
    node: Node | None = tree
    for step in path:
        node = node.items.get(step) if isinstance(node, Mapping) else None
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None
