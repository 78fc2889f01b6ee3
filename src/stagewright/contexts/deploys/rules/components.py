"""Units as they take effect: what a service does not say comes from its components, then from defaults
(``stack.md`` section 6.3). Every field remembers who set it, under its name in the file."""

from collections.abc import Mapping as MappingType
from collections.abc import Sequence as SequenceType
from dataclasses import dataclass
from typing import Any, NamedTuple

from stagewright.contexts.deploys.model.diagnostics import Findings, Related, quoted
from stagewright.contexts.deploys.model.document.units import Component, Service, Unit
from stagewright.contexts.deploys.model.places import At, Origin, Path, Provenance
from stagewright.contexts.deploys.model.stages import EffectiveUnit, Prepared
from stagewright.contexts.deploys.model.tree import Mapping
from stagewright.contexts.deploys.rules.spots import by_name, node_at, spot

OWN_FIELDS = {"when": "when", "manifests": "manifests", "protected": "protected"}
SHARED_FIELDS = {
    "dependsOn": "depends_on",
    "configMaps": "config_maps",
    "readiness": "readiness",
    "hooks": "hooks",
    "deployGroup": "deploy_group",
    "codeUpdateStrategy": "code_update_strategy",
    "sync": "sync",
    "expose": "expose",
}
"""Fields that components may set, by their names in the file."""

_BY_DEFAULT: MappingType[str, Any] = {
    "dependsOn": (),
    "configMaps": (),
    "hooks": (),
    "deployGroup": "default",
    "codeUpdateStrategy": "rebuild",
    "expose": (),
}
_DEFAULT = Provenance(Origin.DEFAULT)


class _Layer(NamedTuple):
    """Something that may set fields: the unit itself, or the defaults of a component."""

    origin: Origin
    values: Any
    node: Mapping


@dataclass(frozen=True, slots=True)
class _Stack:
    """What all units of a stack share."""

    prepared: Prepared
    components: MappingType[str, _Layer]
    readiness: Provenance


def effective_units(prepared: Prepared, found: Findings) -> tuple[EffectiveUnit, ...]:
    """Return every declared unit, infrastructure first, in the order of the file; ``enabled`` says whether it is
    deployed here. Unknown names of components and names that are given twice are noted."""
    spec = prepared.stack.spec
    tree = prepared.tree
    stack = _Stack(prepared, _components(spec.components, tree), _readiness(prepared))
    units: list[EffectiveUnit] = []
    for field, declared in (("infrastructure", spec.infrastructure), ("services", spec.services)):
        nodes = by_name(node_at(tree, ("spec", field)))
        for unit in declared:
            units.append(_effective(unit, ("spec", field, unit.name), nodes[unit.name], stack, found))
    _check_names(units, prepared, found)
    return tuple(units)


def field_place(unit: EffectiveUnit, steps: Path, prepared: Prepared) -> tuple[At | None, Path]:
    """Return where a part of a unit's field stands: in the unit, or in the component or default that set the field."""
    path = (*unit.path, *steps)
    set_by = unit.provenance.get(str(steps[0]), _DEFAULT)
    if set_by.origin is Origin.COMPONENT:
        return set_by.at, path
    return spot(prepared.tree, path), path


def _components(declared: SequenceType[Component], tree: Mapping) -> dict[str, _Layer]:
    nodes = by_name(node_at(tree, ("spec", "components")))
    layers = {}
    for component in declared:
        defaults = nodes[component.name].items.get("defaults")
        if isinstance(defaults, Mapping):
            layers[component.name] = _Layer(Origin.COMPONENT, component.defaults, defaults)
    return layers


def _readiness(prepared: Prepared) -> Provenance:
    """Return where the readiness of units comes from that say nothing of it."""
    path = ("spec", "orchestration", "readiness")
    given = node_at(prepared.tree, path)
    return Provenance(Origin.FILE, spot(prepared.tree, path)) if given is not None else _DEFAULT


def _effective(unit: Unit, path: Path, node: Mapping, stack: _Stack, found: Findings) -> EffectiveUnit:
    prepared = stack.prepared
    layers = [_Layer(Origin.FILE, unit, node)]
    if isinstance(unit, Service):
        layers += _used(unit, path, stack, found)
    values: dict[str, Any] = {}
    provenance: dict[str, Provenance] = {}
    for field, name in OWN_FIELDS.items():
        values[name] = getattr(unit, name)
        provenance[field] = Provenance(Origin.FILE, node.keys[field]) if field in node.items else _DEFAULT
    for field, name in SHARED_FIELDS.items():
        values[name], provenance[field] = _chosen(field, name, layers, stack)
    candidate = prepared.environment.kind == "candidate"
    singleton = isinstance(unit, Service) and unit.scope == "singleton"
    if isinstance(unit, Service):
        provenance["scope"] = Provenance(Origin.FILE, node.keys["scope"]) if "scope" in node.items else _DEFAULT
    return EffectiveUnit(
        name=unit.name,
        path=path,
        infrastructure=not isinstance(unit, Service),
        enabled=unit.when and (not singleton or prepared.environment.kind == "production"),
        depends_on=tuple(values["depends_on"]),
        manifests=tuple(unit.manifests),
        config_maps=tuple(values["config_maps"]),
        readiness=values["readiness"],
        hooks=tuple(values["hooks"]),
        protected=unit.protected,
        repository=node.at.source.repository,
        group=values["deploy_group"],
        strategy=values["code_update_strategy"] if candidate else "rebuild",
        declared_strategy=values["code_update_strategy"],
        sync=values["sync"],
        singleton=singleton,
        expose=tuple(values["expose"]),
        provenance=provenance,
    )


def _used(unit: Service, path: Path, stack: _Stack, found: Findings) -> list[_Layer]:
    """Return the components that a service uses."""
    layers = []
    declared = {component.name for component in stack.prepared.stack.spec.components}
    for index, name in enumerate(unit.use):
        if name in stack.components:
            layers.append(stack.components[name])
        elif name not in declared:
            here = (*path, "use", index)
            known = ", ".join(sorted(declared)) or "none"
            message = f"no component {quoted(name)} is declared; declared: {known}"
            found.add("unknown_component", message, spot(stack.prepared.tree, here), here)
    return layers


def _chosen(field: str, name: str, layers: list[_Layer], stack: _Stack) -> tuple[Any, Provenance]:
    """Return the first value that is set, whole, and the places of those after it."""
    setters = [layer for layer in layers if field in layer.node.items and getattr(layer.values, name, None) is not None]
    if setters:
        first, *others = setters
        return getattr(first.values, name), Provenance(first.origin, _at(first, field), _places(others, field))
    if field == "readiness":
        return stack.prepared.stack.spec.orchestration.readiness, stack.readiness
    return _BY_DEFAULT.get(field), _DEFAULT


def _places(layers: list[_Layer], field: str) -> tuple[At, ...]:
    return tuple(_at(layer, field) for layer in layers)


def _at(layer: _Layer, field: str) -> At:
    return layer.node.keys[field]


def _check_names(units: list[EffectiveUnit], prepared: Prepared, found: Findings) -> None:
    """Note names that infrastructure and services share."""
    first: dict[str, EffectiveUnit] = {}
    for unit in units:
        other = first.setdefault(unit.name, unit)
        if other is unit:
            continue
        path = (*unit.path, "name")
        message = f"two units are called {quoted(unit.name)}; services and infrastructure share their names"
        related = [Related(spot(prepared.tree, (*other.path, "name")), "the other unit")]
        found.add("duplicate_name", message, spot(prepared.tree, path), path, related=related)
