"""Stages 1 to 3: from repositories to one merged tree (``stack.md`` sections 2, 12 and 13)."""

from stagewright.contexts.deploys.model.diagnostics import Findings, Severity, quoted
from stagewright.contexts.deploys.model.places import At, Path
from stagewright.contexts.deploys.model.sources import Repositories
from stagewright.contexts.deploys.model.stages import Loaded
from stagewright.contexts.deploys.model.tree import Mapping, Scalar, Sequence
from stagewright.contexts.deploys.rules.bumping import check_versions
from stagewright.contexts.deploys.rules.importing import MOST_LEVELS, ImportGraph, Key, file_name, read_graph
from stagewright.contexts.deploys.rules.merging import Layer, merge
from stagewright.contexts.deploys.rules.reading import ParseCache


def load(repositories: Repositories, found: Findings, cache: ParseCache | None = None) -> Loaded | None:
    """Read, import and merge. None where the root file cannot be read; other problems are only noted."""
    graph = read_graph(repositories, found, cache)
    if graph is None:
        return None
    root = (repositories.root, repositories.stack_path)
    order = [root, *sorted(key for key in graph.files if key != root)]
    below = _below(graph, order, repositories.root, found)
    merged = merge([Layer(graph.files[key].tree, below[key]) for key in order], found)
    check_versions(merged.tree, found)
    return Loaded(
        tree=merged.tree,
        shadowed=merged.shadowed,
        files=tuple(graph.files[key].source for key in order),
        size=graph.size,
        left_out=_left_out(repositories, graph, merged.tree, found),
    )


def _below(graph: ImportGraph, order: list[Key], root: str, found: Findings) -> dict[Key, int]:
    """Return for every file those it imports, directly or not, as bits; cycles and long chains are noted."""
    walk = _Walk(graph, {key: index for index, key in enumerate(order)}, root, found)
    walk.visit(order[0], ())
    walk.check_depth(order[0])
    return walk.below


class _Walk:
    """Walks the import graph depth first; imports that close a cycle are noted and passed over."""

    def __init__(self, graph: ImportGraph, position: dict[Key, int], root: str, found: Findings) -> None:
        self.below: dict[Key, int] = {}
        self._graph = graph
        self._position = position
        self._root = root
        self._found = found
        self._deepest: dict[Key, tuple[Key, ...]] = {}

    def visit(self, key: Key, open_: tuple[Key, ...]) -> None:
        """Work out ``below`` and the longest chain of ``key``, and of all it imports."""
        mask = 0
        longest: tuple[Key, ...] = ()
        for target in sorted(self._graph.files[key].imports):
            if target not in self._graph.files:
                continue
            if target == key or target in open_:
                self._cycle((*open_, key), target)
                continue
            if target not in self.below:
                self.visit(target, (*open_, key))
            mask |= self.below[target] | 1 << self._position[target]
            if len(self._deepest[target]) > len(longest):
                longest = self._deepest[target]
        self.below[key] = mask
        self._deepest[key] = (key, *longest)

    def check_depth(self, root: Key) -> None:
        """Note that the longest chain has too many levels."""
        chain = self._deepest[root]
        if len(chain) - 1 <= MOST_LEVELS:
            return
        importer, target = chain[MOST_LEVELS], chain[MOST_LEVELS + 1]
        at, path = self._graph.files[importer].imports[target]
        names = self._chain(chain[: MOST_LEVELS + 2])
        self._found.add("import_depth", f"imports go deeper than {MOST_LEVELS} levels: {names}; flatten them", at, path)

    def _cycle(self, open_: tuple[Key, ...], target: Key) -> None:
        chain = (*open_[open_.index(target) :], target)
        at, path = self._graph.files[open_[-1]].imports[target]
        message = f"the imports go in a circle: {self._chain(chain)}; remove one of them"
        self._found.add("import_cycle", message, at, path)

    def _chain(self, keys: tuple[Key, ...]) -> str:
        return " -> ".join(file_name(key, self._root) for key in keys)


def _left_out(repositories: Repositories, graph: ImportGraph, tree: Mapping, found: Findings) -> frozenset[str]:
    """Check every repository that is declared or imported from. Return the optional ones that cannot be read."""
    declared = _declared(tree)
    left_out = set()
    for alias in sorted({*declared, *graph.aliases}):
        item, place, path = declared.get(alias, (None, None, ()))
        if item is None and alias != repositories.root:
            wish = graph.aliases[alias]
            message = f"the repository {quoted(alias)} is not declared; add it to spec.repositories"
            found.add("unknown_repository", message, wish.at, wish.path_in_file)
        elif alias in repositories.unavailable and item is not None:
            optional = _is_optional(item)
            reason = repositories.unavailable[alias]
            rest = "; its imports and units are left out" if optional else ""
            message = f"the repository {quoted(alias)} cannot be read: {reason}{rest}"
            severity = Severity.WARNING if optional else Severity.ERROR
            found.add("repository_unavailable", message, place, path, severity=severity)
            left_out |= {alias} if optional else set()
        elif alias not in repositories.sources:
            known = ", ".join(sorted({*repositories.sources, *repositories.unavailable})) or "none"
            message = f"the project has no repository {quoted(alias)}; it has {known}"
            found.add("unknown_repository", message, place, path)
    return frozenset(left_out)


def _declared(tree: Mapping) -> dict[str, tuple[Mapping | None, At | None, Path]]:
    spec = tree.items.get("spec")
    items = spec.items.get("repositories") if isinstance(spec, Mapping) else None
    found: dict[str, tuple[Mapping | None, At | None, Path]] = {}
    for item in items.items if isinstance(items, Sequence) else ():
        alias = item.items.get("alias") if isinstance(item, Mapping) else None
        if isinstance(item, Mapping) and isinstance(alias, Scalar) and isinstance(alias.value, str):
            found[alias.value] = (item, alias.at, ("spec", "repositories", alias.value, "alias"))
    return found


def _is_optional(item: Mapping) -> bool:
    required = item.items.get("required")
    return isinstance(required, Scalar) and required.value is False
