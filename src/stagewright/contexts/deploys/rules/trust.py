"""What a candidate may not decide (``stack.md`` section 1.4): these parts come from the default branch alone."""

from collections.abc import Iterator

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.places import At, Path, pointer
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar, Sequence
from stagewright.contexts.deploys.rules.keyed import STACK, Form, inside, steps

PROTECTED: tuple[Path, ...] = (
    ("metadata",),
    ("spec", "project"),
    ("spec", "environments"),
    ("spec", "webhookRuntime"),
    ("spec", "repositories"),
    ("spec", "secretResolution"),
    ("spec", "projectDocs"),
    ("spec", "roleDocTemplates"),
)


def protect(tree: Mapping, base: Mapping, found: Findings) -> Mapping:
    """Return ``tree`` with the protected parts of ``base``. What differs there is a warning: it counts after merge."""
    spec, trusted = _map(tree.items.get("spec"), tree), _map(base.items.get("spec"), base)
    parts = frozenset(str(path[1]) for path in PROTECTED if len(path) > 1)
    for path in PROTECTED:
        for where, at in _differences(_find(base, path), _find(tree, path), path, _form(path), tree.at):
            said = f"{pointer(where)} is taken from the default branch: this change takes effect after merge"
            found.add("protected_change_ignored", said, at, where)
    merged = _swapped(spec, trusted, parts)
    whole = _swapped(tree, base, frozenset({"metadata"}))
    return Mapping({**whole.items, "spec": merged}, whole.keys, whole.at)


def builtin_stack(tree: Mapping, environment: str, project: str) -> Mapping:
    """Return what stands for a default branch without a stack: one candidate environment with the defaults of its kind,
    and nothing else."""
    at = tree.at

    def mapping(**items: Node) -> Mapping:
        return Mapping(items, dict.fromkeys(items, at), at)

    spec = mapping(environments=mapping(**{environment: mapping(kind=Scalar("candidate", at))}))
    return mapping(metadata=mapping(name=Scalar(project, at)), spec=spec)


def _swapped(tree: Mapping, other: Mapping, names: frozenset[str]) -> Mapping:
    """Return ``tree`` with the keys ``names`` of ``other``, and without those that it has not."""
    items = {key: node for key, node in tree.items.items() if key not in names}
    taken = {key: node for key, node in other.items.items() if key in names}
    return Mapping(items | taken, tree.keys | {key: other.keys[key] for key in taken}, tree.at)


def _map(node: Node | None, around: Mapping) -> Mapping:
    return node if isinstance(node, Mapping) else Mapping({}, {}, around.at)


def _find(tree: Mapping, path: Path) -> Node | None:
    node: Node | None = tree
    for step in path:
        node = node.items.get(str(step)) if isinstance(node, Mapping) else None
    return node


def _form(path: Path) -> Form | None:
    form: Form | None = STACK
    for step in path:
        form = inside(form, str(step))
    return form


def _differences(
    base: Node | None, own: Node | None, path: Path, form: Form | None, at: At
) -> Iterator[tuple[Path, At]]:
    """Yield the places where the candidate's value is another than the base's, the innermost that can be named."""
    if base is None or own is None:
        if base is not own:
            yield path, own.at if own is not None else at
        return
    before, after = _children(base, form), _children(own, form)
    if before is None or after is None or type(base) is not type(own):
        if not _equal(base, own):
            yield path, own.at
        return
    for step in dict.fromkeys([*before, *after]):
        below = (inside(form, str(step)) if isinstance(own, Mapping) else form.items) if form is not None else None
        yield from _differences(before.get(step), after.get(step), (*path, step), below, own.at)


def _children(node: Node, form: Form | None) -> dict[str | int, Node] | None:
    """Return the children by name: fields of maps, items of keyed lists; None for what has none."""
    if isinstance(node, Mapping):
        return dict(node.items.items())
    if isinstance(node, Sequence) and form is not None and form.key:
        named = dict(steps(node, form))
        return named if len(named) == len(node.items) else None
    return None


def _equal(one: Node, other: Node) -> bool:
    if isinstance(one, Scalar) and isinstance(other, Scalar):
        return type(one.value) is type(other.value) and one.value == other.value and one.raw == other.raw
    if isinstance(one, Sequence) and isinstance(other, Sequence):
        return len(one.items) == len(other.items) and all(map(_equal, one.items, other.items))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        same = one.items.keys() == other.items.keys()
        return same and all(_equal(node, other.items[key]) for key, node in one.items.items())
    return False
