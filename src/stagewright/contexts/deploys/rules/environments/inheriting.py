"""What an environment has after inheritance: its own fields over those of its parents, as far as its kind has them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast, get_args

from stagewright.contexts.deploys.model.diagnostics import Findings, Related, quoted
from stagewright.contexts.deploys.model.document.environments import EnvironmentKind
from stagewright.contexts.deploys.model.places import At
from stagewright.contexts.deploys.model.tree import Mapping, Node, Scalar

MOST_PARENTS = 8
KINDS: tuple[str, ...] = get_args(EnvironmentKind)
_ONLY = {
    "maxLive": frozenset({"candidate"}),
    "deployOnPush": frozenset({"production"}),
    "onFailure": frozenset({"production", "persistent"}),
}
"""Fields that only some kinds have."""


@dataclass(frozen=True, slots=True)
class Inherited:
    """An environment with all its fields. ``at``: where it is declared; ``ancestors``: itself, then its parents."""

    name: str
    kind: EnvironmentKind
    ancestors: tuple[str, ...]
    fields: Mapping
    at: At


def inherit(declared: Mapping, found: Findings) -> dict[str, Inherited]:
    """Return the environments that can be used, by name."""
    chains = {name: _chain(name, declared, found) for name in declared.items}
    inherited = {name: _inherited(declared, chain, found) for name, chain in chains.items() if chain}
    usable = {name: item for name, item in inherited.items() if item is not None}
    _check_single(usable, found)
    return usable


def _chain(name: str, declared: Mapping, found: Findings) -> tuple[str, ...]:
    """Return the environment and its parents; nothing where they cannot be followed."""
    chain = [name]
    while (parent := _parent(declared.items[chain[-1]])) is not None:
        above = str(parent.value)
        path = ("spec", "environments", chain[-1], "from")
        if above not in declared.items:
            known = ", ".join(sorted(declared.items))
            found.add(
                "unknown_environment", f"no environment {quoted(above)} is declared; declared: {known}", parent.at, path
            )
            return ()
        if above in chain:
            circle = [*chain[chain.index(above) :], above]
            if name == min(circle):  # the others of the circle would say the same
                said = f"environments inherit in a circle: {' -> '.join(circle)}; remove one from"
                found.add("env_cycle", said, parent.at, path)
            return ()
        chain.append(above)
    if len(chain) > MOST_PARENTS + 1:
        way = " -> ".join(chain)
        said = f"{quoted(name)} inherits over {len(chain) - 1} levels, {way}; at most {MOST_PARENTS} are allowed"
        found.add("env_depth", said, declared.keys[name], ("spec", "environments", name))
        return ()
    return tuple(chain)


def _parent(node: Node) -> Scalar | None:
    parent = node.items.get("from") if isinstance(node, Mapping) else None
    return parent if isinstance(parent, Scalar) and isinstance(parent.value, str) else None


def _inherited(declared: Mapping, chain: tuple[str, ...], found: Findings) -> Inherited | None:
    name, at = chain[0], declared.keys[chain[0]]
    maps = [node for node in map(declared.items.get, chain) if isinstance(node, Mapping)]
    if len(maps) != len(chain):
        return None  # said by the schema
    path = ("spec", "environments", name)
    kind = next((node.items["kind"] for node in maps if "kind" in node.items), None)
    if kind is None:
        said = f"the environment {quoted(name)} has no kind: set one of {', '.join(KINDS)}, or inherit it by from"
        found.add("env_kind", said, at, path)
        return None
    if not isinstance(kind, Scalar) or kind.value not in KINDS:
        return None  # said by the schema
    for field, only in _ONLY.items():
        if field in maps[0].items and kind.value not in only:
            has = " and ".join(sorted(only))
            said = f"{field} has no meaning in an environment of kind {kind.value}: remove it, only {has} has it"
            found.add("bad_value", said, maps[0].keys[field], (*path, field))
    fields = maps[-1]
    for node in maps[-2::-1]:
        fields = _over(fields, node)
    return Inherited(name, cast("EnvironmentKind", kind.value), chain, _meant(fields, str(kind.value)), at)


def _meant(fields: Mapping, kind: str) -> Mapping:
    kept = {
        key: node
        for key, node in fields.items.items()
        if not key.startswith("x-") and key != "from" and kind in _ONLY.get(key, KINDS)
    }
    return Mapping(kept, fields.keys, fields.at)


def _over(lower: Mapping, upper: Mapping) -> Mapping:
    """Return ``upper`` over ``lower``: maps key by key, all else whole."""
    items = dict(lower.items)
    for key, node in upper.items.items():
        below = items.get(key)
        items[key] = _over(below, node) if isinstance(below, Mapping) and isinstance(node, Mapping) else node
    return Mapping(items, {**lower.keys, **upper.keys}, upper.at)


def _check_single(environments: dict[str, Inherited], found: Findings) -> None:
    for kind in ("production", "candidate"):
        same = [item for item in environments.values() if item.kind == kind]
        same.sort(key=lambda item: (item.at.source.file, item.at.line, item.name))
        for other in same[1:]:
            first = same[0]
            said = f"{quoted(other.name)} is a second environment of kind {kind}, beside {quoted(first.name)}: keep one"
            related = [Related(first.at, f"{quoted(first.name)} is the first")]
            found.add("env_kind_twice", said, other.at, ("spec", "environments", other.name), related=related)


def ordered(environments: dict[str, Inherited]) -> Iterator[Inherited]:
    """Yield the environments, the production one first: where it lives is known in all others."""
    yield from sorted(environments.values(), key=lambda item: (item.kind != "production", item.name))
