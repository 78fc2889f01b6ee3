"""Which lists of a stack are keyed, by what, and how their items are named in paths (``stack.md`` section 2.3)."""

from collections.abc import Iterator
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field

from stagewright.contexts.deploys.model.places import Path, Step
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar, Sequence


@dataclass(frozen=True, slots=True)
class Form:
    """What is known of a place in a stack: the keyed lists below it, and, of a keyed list, its key fields and items."""

    fields: "MappingType[str, Form]" = field(default_factory=dict)
    key: tuple[str, ...] = ()
    items: "Form | None" = None


def _keyed(*key: str, **fields: Form) -> Form:
    return Form(key=key, items=Form(fields))


_NAMED = _keyed("name")
_UNIT = {"manifests": _keyed("path"), "configMaps": _NAMED, "hooks": _NAMED}
SPEC = Form(
    {
        "repositories": _keyed("alias"),
        "components": _keyed("name", defaults=Form({"hooks": _NAMED, "configMaps": _NAMED})),
        "secrets": _NAMED,
        "infrastructure": _keyed("name", **_UNIT),
        "services": _keyed("name", **_UNIT),
        "orchestration": Form({"hooks": _NAMED}),
        "projectDocs": _keyed("repository", "path"),
    }
)
STACK = Form({"spec": SPEC})
REPOSITORY = "repository"


def inside(form: Form | None, key: str) -> Form | None:
    """Return the form of the field ``key`` of a map."""
    return form.fields.get(key) if form is not None else None


def key_of(item: Node, key: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the key of an item, or None where it has none. A document without repository is one of its own file's."""
    if not isinstance(item, Mapping):
        return None
    found = []
    for name in key:
        node = item.items.get(name)
        if node is None and name == REPOSITORY:
            found.append(item.at.source.repository)
        elif isinstance(node, Scalar) and node.value is not None:
            found.append(str(node.value))
        else:
            return None
    return tuple(found)


def step_of(item: Node, index: int, key: tuple[str, ...]) -> Step:
    """Return how a path names the item of a list: by its key where it has one, else by its index."""
    if not key or not isinstance(item, Mapping) or (found := key_of(item, key)) is None:
        return index
    return ":".join(part for part, name in zip(found, key, strict=True) if name in item.items)


def steps(node: Sequence, form: Form | None) -> Iterator[tuple[Step, Node]]:
    """Yield the items of a list with their steps."""
    key = form.key if form is not None else ()
    for index, item in enumerate(node.items):
        yield step_of(item, index, key), item


def named(tree: Node | None, path: Path, form: Form | None = STACK) -> Path:
    """Return ``path`` with the items of keyed lists named by their keys, as far as ``tree`` knows them."""
    steps_: list[Step] = []
    node = tree
    for step in path:
        if isinstance(node, Mapping) and isinstance(step, str):
            steps_.append(step)
            node, form = node.items.get(step), inside(form, step)
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            steps_.append(step_of(node, step, form.key if form is not None else ()))
            form = form.items if form is not None else None
        else:
            return (*steps_, *path[len(steps_) :])
    return tuple(steps_)
