"""What the types say about the form of a document: where maps have fixed fields, and which lists are keyed."""

import re
from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field
from typing import Annotated, Any, get_args, get_origin

from stagewright.contexts.deploys.model.document.fields import Block
from stagewright.contexts.deploys.model.document.stack import Stack
from stagewright.contexts.deploys.model.places import Step
from stagewright.contexts.deploys.model.tree import Node, Scalar, Sequence

EXTENSION = re.compile(r"x-[a-z0-9-]+\Z")
_NAME = ("name",)
KEYS: MappingType[str, tuple[str, ...]] = {
    "services": _NAME,
    "infrastructure": _NAME,
    "components": _NAME,
    "secrets": _NAME,
    "hooks": _NAME,
    "configMaps": _NAME,
    "repositories": ("alias",),
    "manifests": ("path",),
    "projectDocs": ("repository", "path"),
}
"""Keyed lists and the fields that make the key (``stack.md`` section 2.3)."""


@dataclass(slots=True)
class Form:
    """What may stand at a place. ``block``: the type of a map with fixed fields, by their names in files; ``values``:
    of a map with free keys; ``items``: of a list."""

    block: type[Block] | None = None
    fields: dict[str, "Form"] = field(default_factory=dict)
    values: "Form | None" = None
    items: "Form | None" = None
    key: tuple[str, ...] = ()

    def below(self, step: Step) -> "Form | None":
        """Return the form of the value at ``step``."""
        if self.items is not None:
            return self.items
        return self.fields.get(str(step)) if self.block is not None else self.values


_BLOCKS: dict[type[Block], Form] = {}


def form_of(annotation: Any, name: str = "") -> Form:
    """Return the form of a type. Of alternatives it is the one that is no scalar: a document has at most one."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return form_of(get_args(annotation)[0], name)
    if origin is list:
        return Form(items=form_of(get_args(annotation)[0]), key=KEYS.get(name, ()))
    if origin is dict:
        return Form(values=form_of(get_args(annotation)[1]))
    if isinstance(annotation, type) and issubclass(annotation, Block):
        return _block(annotation)
    alternatives = [form_of(item, name) for item in get_args(annotation) if not isinstance(item, str)]
    return next((form for form in alternatives if form.block or form.items or form.values), Form())


def _block(block: type[Block]) -> Form:
    if (known := _BLOCKS.get(block)) is not None:
        return known
    form = _BLOCKS[block] = Form(block)
    for attribute, info in block.model_fields.items():
        alias = info.alias or attribute
        form.fields[alias] = form_of(info.annotation, alias)
    return form


STACK = form_of(Stack)


def content(node: Node, form: Form | None) -> Any:
    """Return the tree as plain data, without the ``x-`` keys of maps with fixed fields."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        items = form.items if form is not None else None
        return [content(item, items) for item in node.items]
    if form is None or form.block is None:
        values = form.values if form is not None else None
        return {key: content(item, values) for key, item in node.items.items()}
    fields = form.fields
    return {
        key: content(item, fields.get(key))
        for key, item in node.items.items()
        if not (key[:2] == "x-" and EXTENSION.match(key))
    }
