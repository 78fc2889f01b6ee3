"""Where a value of a stack comes from, and what it means: ``stack explain`` (``stack.md`` sections 2.3 and 17).

Without an environment the merged files are explained. With one, values are what they are there: rendered, inherited,
taken from components, or set by the platform.
"""

import difflib
from collections.abc import Mapping as MappingType
from collections.abc import Sequence as SequenceType
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from pydantic import BaseModel

from stagewright.contexts.deploys.model.document.fields import Block
from stagewright.contexts.deploys.model.places import At, Origin, Path, Provenance, Step, pointer
from stagewright.contexts.deploys.model.stages import EffectiveEnvironment, EffectiveUnit, Loaded, Prepared
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar, Sequence, plain
from stagewright.contexts.deploys.rules.json_schema import title_of
from stagewright.contexts.deploys.rules.keyed import step_of
from stagewright.contexts.deploys.rules.shape.forms import STACK, Form
from stagewright.contexts.deploys.rules.spots import node_at

_NEAREST = 3
_UNITS = ("services", "infrastructure")
_UNIT_VALUES = {
    "dependsOn": "depends_on",
    "configMaps": "config_maps",
    "readiness": "readiness",
    "hooks": "hooks",
    "deployGroup": "group",
    "codeUpdateStrategy": "strategy",
    "sync": "sync",
    "expose": "expose",
}
_ENVIRONMENT_VALUES = {
    "kind": "kind",
    "namespaceTemplate": "namespace",
    "domainTemplate": "domain",
    "imagePullPolicy": "image_pull_policy",
    "podSecurity": "pod_security",
    "quota": "quota",
    "limits": "limits",
    "egress": "egress",
    "maxLive": "max_live",
    "deployOnPush": "deploy_on_push",
    "onFailure": "on_failure",
}
_BY_PLATFORM = ("quota", "limits", "maxLive")
"""Fields of environments whose default is a setting of the project or the platform."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A value, its default, and who set it. ``written``: the template it was rendered from; ``documentation``: what the
    reference says of the field; ``provenance.at.source.chain``: the files that imported the one it stands in."""

    pointer: str
    value: object
    default: object
    provenance: Provenance
    title: str
    documentation: str
    written: str | None = None


@dataclass(frozen=True, slots=True)
class UnknownPointer:
    """Nothing stands at a pointer, and nothing could. ``nearest``: pointers that were probably meant."""

    pointer: str
    nearest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Found:
    """How far a pointer leads. ``rest``: steps that have no value in the files; ``name``: the field of ``block`` that
    the value belongs to, ``inner``: the steps into the value of that field."""

    path: Path
    node: Node
    at: At
    form: Form | None
    block: type[Block] | None
    name: str
    inner: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()


class _Field(NamedTuple):
    """The field that is asked for, or that holds what is asked for at ``deeper``; ``form`` is that of the value."""

    block: type[Block] | None
    name: str
    form: Form | None
    deeper: tuple[str, ...]


def explain(
    asked: str, loaded: Loaded, prepared: Prepared | None = None, units: SequenceType[EffectiveUnit] = ()
) -> Explanation | UnknownPointer:
    """Explain the value at the JSON Pointer ``asked``; items of keyed lists are named by their keys."""
    tree = prepared.tree if prepared is not None else loaded.tree
    found = _follow(tree, _steps(asked))
    field = _field_of(found)
    if field is None:
        return _unknown(asked, found)
    default = _default(field)
    made = Explanation(
        pointer=pointer((*found.path, *found.rest)),
        value=default if found.rest else plain(found.node),
        default=default,
        provenance=_provenance(found, loaded),
        title=title_of(field.name) if field.name else "Stack",
        documentation=_documentation(field),
        written=_written(found, loaded),
    )
    for better in (_derived, _of_unit, _of_environment):
        made = better(made, found, prepared, units)
    return _unknown(asked, found) if found.rest and field.deeper and made.value is None else made


def _steps(asked: str) -> tuple[str, ...]:
    text = asked.removeprefix("#").strip("/")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in text.split("/")) if text else ()


def _follow(tree: Mapping, steps: tuple[str, ...]) -> _Found:
    found = _Found((), tree, tree.at, STACK, None, "")
    for index, step in enumerate(steps):
        node = found.node
        below = found.form.below(step) if found.form is not None else None
        if isinstance(node, Mapping) and step in node.items:
            child = node.items[step]
            at = child.at if isinstance(child, Scalar) else node.keys[step]
            owner = found.form.block if found.form is not None else None
            path = (*found.path, step)
            if owner is not None:
                found = _Found(path, child, at, below, owner, step)
            else:
                found = replace(found, path=path, node=child, at=at, form=below, inner=(*found.inner, step))
        elif isinstance(node, Sequence) and (item := _item(node, step, found.form)) is not None:
            name, child = item
            path, inner = (*found.path, name), (*found.inner, step)
            found = replace(found, path=path, node=child, at=child.at, form=below, inner=inner)
        else:
            return replace(found, rest=steps[index:])
    return found


def _item(node: Sequence, step: str, form: Form | None) -> tuple[Step, Node] | None:
    key = form.key if form is not None else ()
    for index, item in enumerate(node.items):
        name = step_of(item, index, key)
        if step in (str(name), str(index)):
            return name, item
    return None


def _field_of(found: _Found) -> _Field | None:
    """Return the field of the types that a pointer means, or None where they know none."""
    field = _Field(found.block, found.name, found.form, found.inner)
    if not found.rest:
        return field
    form, rest = found.form, found.rest
    while rest and form is not None and form.block is not None and rest[0] in form.fields:
        field = _Field(form.block, rest[0], form.fields[rest[0]], rest[1:])
        form, rest = field.form, rest[1:]
    return field if rest != found.rest else None


def _known(block: type[Block]) -> dict[str, str]:
    return {info.alias or attribute: attribute for attribute, info in block.model_fields.items()}


def _default(field: _Field) -> object:
    """Return the default of a field as plain data; None where it has none."""
    if field.block is None or field.name not in (known := _known(field.block)):
        return None
    info = field.block.model_fields[known[field.name]]
    value = None if info.is_required() else _plain(info.get_default(call_default_factory=True))
    return _inside(value, field.deeper)


def _inside(value: object, steps: tuple[str, ...]) -> object:
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(by_alias=True, exclude_none=True)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return dict(value) if isinstance(value, MappingType) else value


def _documentation(field: _Field) -> str:
    own = field.form.block.__doc__ if field.form is not None and field.form.block is not None else None
    known = _known(field.block) if field.block is not None else {}
    said = field.block.model_fields[known[field.name]].description if field.block and field.name in known else None
    return " ".join(" ".join(text.split()) for text in (said, own) if text)


def _provenance(found: _Found, loaded: Loaded) -> Provenance:
    if found.rest:
        return Provenance(Origin.DEFAULT)
    return Provenance(Origin.FILE, found.at, loaded.shadowed.get(found.path, ()))


def _written(found: _Found, loaded: Loaded) -> str | None:
    """Return the template that a rendered value was written as."""
    before = _follow(loaded.tree, tuple(str(step) for step in found.path)).node
    if found.rest or not isinstance(before, Scalar) or not isinstance(found.node, Scalar):
        return None
    return before.value if isinstance(before.value, str) and before.value != found.node.value else None


def _unknown(asked: str, found: _Found) -> UnknownPointer:
    """Name what stands, or may stand, where the pointer leaves the document."""
    names: set[str] = set(found.form.fields) if found.form is not None else set()
    if isinstance(found.node, Mapping):
        names |= set(found.node.items)
    elif isinstance(found.node, Sequence):
        key = found.form.key if found.form is not None else ()
        names |= {str(step_of(item, index, key)) for index, item in enumerate(found.node.items)}
    near = difflib.get_close_matches(found.rest[0], sorted(names), n=_NEAREST, cutoff=0.5)
    return UnknownPointer(asked, tuple(pointer((*found.path, name)) for name in near or sorted(names)[:_NEAREST]))


def _derived(
    made: Explanation, found: _Found, prepared: Prepared | None, units: SequenceType[EffectiveUnit]
) -> Explanation:
    """A stack that names no project belongs to that of its own name."""
    if made.pointer != "/spec/project" or not found.rest or prepared is None:
        return made
    return replace(made, value=prepared.stack.metadata.name)


def _of_unit(
    made: Explanation, found: _Found, prepared: Prepared | None, units: SequenceType[EffectiveUnit]
) -> Explanation:
    """What a unit does not say comes from its components; elsewhere than in candidates code is always rebuilt."""
    steps = (*found.path, *found.rest)
    unit = next((item for item in units if steps[:3] == item.path), None)
    if unit is None or len(steps) < 4 or steps[3] not in _UNIT_VALUES:
        return made
    field = str(steps[3])
    provenance = unit.provenance.get(field, made.provenance)
    if field == "codeUpdateStrategy" and unit.strategy != unit.declared_strategy:
        shadowed = (provenance.at, *provenance.shadowed) if provenance.at is not None else provenance.shadowed
        return replace(made, value=unit.strategy, provenance=Provenance(Origin.PLATFORM, None, shadowed))
    if not found.rest:
        return made
    value = _plain(getattr(unit, _UNIT_VALUES[field]))
    return replace(made, value=_inside(value, tuple(map(str, steps[4:]))), provenance=provenance)


def _of_environment(
    made: Explanation, found: _Found, prepared: Prepared | None, units: SequenceType[EffectiveUnit]
) -> Explanation:
    """What an environment does not say comes from its parents, then from its kind, the project or the platform."""
    steps = (*found.path, *found.rest)
    if prepared is None or steps[:2] != ("spec", "environments") or len(steps) < 4:
        return made
    environment = prepared.environment
    if steps[2] != environment.name:
        return made
    places = [at for name in environment.ancestors if (at := _place(prepared.tree, name, steps[3:])) is not None]
    field = str(steps[3])
    if field not in _ENVIRONMENT_VALUES:
        return made
    value = _environment_value(environment, field, tuple(map(str, steps[4:])))
    if not found.rest:
        shadowed = (*made.provenance.shadowed, *places[1:])
        return replace(made, value=value, provenance=replace(made.provenance, shadowed=shadowed))
    if places and value is not None:
        return replace(made, value=value, provenance=Provenance(Origin.INHERITED, places[0], tuple(places[1:])))
    origin = Origin.PLATFORM if field in _BY_PLATFORM and value else Origin.DEFAULT
    return replace(made, value=value, default=value, provenance=Provenance(origin))


def _place(tree: Mapping, environment: str, asked: Path) -> At | None:
    steps = tuple(int(step) if str(step).isdecimal() else step for step in asked)
    holder = node_at(tree, ("spec", "environments", environment, *steps[:-1]))
    if not isinstance(holder, Mapping) or steps[-1] not in holder.items:
        node = node_at(tree, ("spec", "environments", environment, *steps))
        return node.at if node is not None else None
    node = holder.items[str(steps[-1])]
    return node.at if isinstance(node, Scalar) else holder.keys[str(steps[-1])]


def _environment_value(environment: EffectiveEnvironment, field: str, deeper: tuple[str, ...]) -> Any:
    value = _plain(getattr(environment, _ENVIRONMENT_VALUES[field]))
    for step in deeper:
        if isinstance(value, list):
            value = value[int(step)] if step.isdecimal() and int(step) < len(value) else None
        else:
            value = _inside(value, (step,))
    return value
