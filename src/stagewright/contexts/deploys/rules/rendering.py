"""Renders trees: every scalar with ``{{`` in it becomes the value that it stands for, all else is shared as it was."""

from collections.abc import Mapping as MappingType
from typing import NamedTuple

from stagewright.contexts.deploys.model.diagnostics import Findings, quoted
from stagewright.contexts.deploys.model.places import Path
from stagewright.contexts.deploys.model.scope import MOST_RENDERS, Scope
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar, Sequence
from stagewright.contexts.deploys.rules.keyed import STACK, Form, inside, steps
from stagewright.contexts.deploys.rules.templates.compiling import Omitted, compiled
from stagewright.contexts.deploys.rules.templates.problems import Refused, Reported
from stagewright.contexts.deploys.rules.templates.values import OMIT, context

_NO_TEMPLATES = frozenset(
    {
        "project", "imports", "repositories", "versions", "vars", "environments", "secretResolution",
        "projectDocs", "roleDocTemplates",
    }
)  # fmt: skip
"""Parts of ``spec`` that are no templates, or that are rendered elsewhere."""
_FREE = frozenset({"args", "env"})
"""Fields whose keys are free."""
_KEPT = frozenset({"path", "files", "command", "phase", "image", "service", "port", "keys", "type", "name"})
"""Fields that a switched-off item keeps although a template in them has no value: the item is nothing without them."""


class Rendered(NamedTuple):
    """A rendered tree, and the paths whose templates could not be rendered; these hold their text."""

    tree: Mapping
    failed: frozenset[Path]


def render_manifest(document: Mapping, scope: Scope, found: Findings, path: Path = ()) -> Mapping:
    """Return a Kubernetes object with its templates rendered; ``omit`` removes keys and list items."""
    walk = _Walk(scope)
    tree = walk.render(document)
    walk.report(document, None, found, path)
    return tree if isinstance(tree, Mapping) else document


def render_document(document: Mapping, scope: Scope, found: Findings) -> object:
    """Return a Kubernetes object as plain data with its templates rendered."""
    walk = _Walk(scope)
    data = walk.data(document)
    walk.report(document, None, found, ())
    return data


def render_block(block: Mapping, scope: Scope, found: Findings, path: Path) -> Rendered:
    """Render a map of a stack that stands at ``path``."""
    walk = _Walk(scope)
    tree = walk.render(block)
    return Rendered(tree if isinstance(tree, Mapping) else block, walk.report(block, None, found, path))


def render_stack(tree: Mapping, scope: Scope, trusted: Scope, hooks: Scope, found: Findings) -> Rendered:
    """Render a whole stack. ``trusted``: what the parts see that only the default branch decides; ``hooks``: what
    hooks see, images included."""
    spec = tree.items.get("spec")
    if not isinstance(spec, Mapping):
        return Rendered(tree, frozenset())
    walk, outer = _StackWalk(scope, hooks, found), _StackWalk(trusted, hooks, found)
    items: dict[str, Node] = {}
    for name, node in spec.items.items():
        if name in _NO_TEMPLATES or name.startswith("x-"):
            items[name] = node
            continue
        value = outer.render(node) if name == "webhookRuntime" else walk.part(name, node)
        if value is not None:
            items[name] = value
    failed = walk.report(tree, STACK, found, ()) | outer.report(tree, STACK, found, ())
    rendered = Mapping(items, spec.keys, spec.at)
    return Rendered(Mapping({**tree.items, "spec": rendered}, tree.keys, tree.at), failed)


class _Walk:
    """One walk over a tree. ``mistakes``: scalars that could not be rendered, and why."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.context = context(scope)
        self.mistakes: list[tuple[Scalar, Refused]] = []

    def render(self, node: Node) -> Node | None:
        """Return the rendered node, the same one where nothing changed, None where it is omitted."""
        if isinstance(node, Scalar):
            value = node.value
            return self.scalar(node, value) if isinstance(value, str) and "{{" in value and not node.raw else node
        if isinstance(node, Mapping):
            return self.mapping(node)
        items = [self.item(item) for item in node.items]
        if all(new is old for new, old in zip(items, node.items, strict=True)):
            return node
        return Sequence([item for item in items if item is not None], node.at)

    def mapping(self, node: Mapping) -> Mapping:
        """Return a map with its values rendered."""
        items = [(key, child, self.render(child)) for key, child in node.items.items()]
        return _changed(node, {key: new for key, old, new in items if new is not old})

    def data(self, node: Node) -> object:
        """Return the rendered node as plain data, ``OMIT`` where it is omitted: manifests need no second walk."""
        if isinstance(node, Scalar):
            value = node.value
            if isinstance(value, str) and "{{" in value and not node.raw:
                new = self.scalar(node, value)
                return new.value if isinstance(new, Scalar) else OMIT
            return value
        if isinstance(node, Mapping):
            values = [(key, self.data(child)) for key, child in node.items.items()]
            return {key: value for key, value in values if value is not OMIT}
        return [value for value in map(self.data, node.items) if value is not OMIT]

    def item(self, node: Node) -> Node | None:
        """Return an item of a list, rendered."""
        return self.render(node)

    def scalar(self, node: Scalar, value: str) -> Node | None:
        """Return the value of a template; where it has none, the template stays and the mistake is kept."""
        try:
            template = compiled(value)
            self.spend(template.expressions)
            return Scalar(template.render(self.context), node.at, raw=True)
        except Omitted:
            return None
        except Refused as refused:
            self.mistakes.append((node, refused))
            return node

    def spend(self, expressions: int) -> None:
        """Count expressions. Raises ``Refused`` where a plan has too many; that is said once."""
        renders = self.scope.renders
        before = renders.left
        renders.left -= expressions
        if before < 0:
            raise Reported
        if renders.left < 0:
            raise Refused("template_limit", f"a plan renders at most {MOST_RENDERS:,} expressions; use fewer templates")

    def report(self, tree: Mapping, form: Form | None, found: Findings, path: Path) -> frozenset[Path]:
        """Add the mistakes to what was found, each with its path, and return these paths."""
        if not self.mistakes:
            return frozenset()
        paths = _paths(tree, form, path, {id(node) for node, _ in self.mistakes})
        for node, refused in self.mistakes:
            if not isinstance(refused, Reported):
                where = paths.get(id(node), path)
                found.add(refused.code, refused.message, node.at, where, hint=refused.hint)
        return frozenset(paths.values())


class _StackWalk(_Walk):
    """A walk over a stack: ``when`` decides first, texts of ``compose`` stay, hooks may name images."""

    def __init__(self, scope: Scope, hooks: Scope, found: Findings) -> None:
        super().__init__(scope)
        self.outside = self.context
        self.hooks = context(hooks)
        self.found = found
        self.kept = ""

    def part(self, name: str, node: Node) -> Node | None:
        """Render a part of ``spec``."""
        self.kept = "compose" if name == "secrets" else ""
        if name == "images" and isinstance(node, Mapping):
            items = {key: self.item(child) for key, child in node.items.items()}
            return _changed(node, {key: item for key, item in items.items() if item is not node.items[key]})
        return self.render(node)

    def mapping(self, node: Mapping) -> Mapping:
        """Return a map with fixed fields, with its values rendered."""
        return _changed(node, self.fields(node, {}))

    def item(self, node: Node) -> Node | None:
        """Return an item of a list, or an image. Where ``when`` switches it off, what has no value is left out."""
        if not isinstance(node, Mapping) or "when" not in node.items:
            return self.render(node)
        start = len(self.mistakes)
        when = self.when(node.items["when"])
        if not (isinstance(when, Scalar) and when.value is False):
            return _changed(node, self.fields(node, {"when": when}))
        changed = self.fields(node, {"when": when}, off=True)
        del self.mistakes[start:]
        return _changed(node, changed)

    def fields(self, node: Mapping, known: dict[str, Node | None], *, off: bool = False) -> dict[str, Node | None]:
        """Return the fields that rendering changed, and those that are ``known``."""
        changed = {key: new for key, new in known.items() if new is not node.items[key]}
        for key, child in node.items.items():
            if key in known or key == self.kept or key.startswith("x-"):
                continue
            start = len(self.mistakes)
            new = self.field(key, child)
            if off and len(self.mistakes) > start and key not in _KEPT:
                new = None
            if new is not child:
                changed[key] = new
        return changed

    def field(self, key: str, node: Node) -> Node | None:
        """Render the value of a field. Hooks can name images; maps with free keys have no conditions and no ``x-``."""
        if key in _FREE and isinstance(node, Mapping):
            return super().mapping(node)
        if key != "hooks" or not isinstance(node, Sequence):
            return self.render(node)
        self.context = self.hooks
        new = self.render(node)
        self.context = self.outside
        return new

    def when(self, node: Node) -> Node | None:
        """Return a condition, which is a truth value."""
        start = len(self.mistakes)
        new = self.render(node)
        if new is not node and isinstance(new, Scalar) and not isinstance(new.value, bool):
            said = f"when must be true or false, and the template gives {quoted(new.value)}"
            self.mistakes.append((node, Refused("when_not_bool", said))) if isinstance(node, Scalar) else None
        return node if len(self.mistakes) > start else new


def _changed(node: Mapping, changed: MappingType[str, Node | None]) -> Mapping:
    if not changed:
        return node
    merged = {**node.items, **changed}
    return Mapping({key: item for key, item in merged.items() if item is not None}, node.keys, node.at)


def _paths(node: Node, form: Form | None, path: Path, wanted: set[int]) -> dict[int, Path]:
    """Return the paths of the ``wanted`` nodes. Walked only when something is wrong."""
    if isinstance(node, Scalar):
        return {id(node): path} if id(node) in wanted else {}
    paths: dict[int, Path] = {}
    if isinstance(node, Mapping):
        for key, child in node.items.items():
            paths |= _paths(child, inside(form, key), (*path, key), wanted)
    else:
        for step, child in steps(node, form):
            paths |= _paths(child, form.items if form is not None else None, (*path, step), wanted)
    return paths
