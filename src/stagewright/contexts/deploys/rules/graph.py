"""The order of a deploy: infrastructure, then the groups, and inside of each by dependency (``stack.md`` 10.1)."""

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush

from stagewright.contexts.deploys.model.diagnostics import Findings, Related, quoted
from stagewright.contexts.deploys.model.stages import EffectiveUnit, OrderedPhase, Prepared
from stagewright.contexts.deploys.rules.circles import circles
from stagewright.contexts.deploys.rules.components import field_place
from stagewright.contexts.deploys.rules.references import check_references
from stagewright.contexts.deploys.rules.spots import spot

INFRASTRUCTURE = "infrastructure"
GROUP = "group-"
"""Before the name of a group in the id of its phase, so that no group is taken for a phase of the platform."""


def order(units: Sequence[EffectiveUnit], prepared: Prepared, found: Findings) -> tuple[OrderedPhase, ...]:
    """Return the phases with the enabled units of each, and check every name by which units and the rest of the stack
    refer to each other. A phase without units is left out. Where dependencies go in a circle, an error is noted and
    the units of the circle come last, by name."""
    check_references(units, prepared, found)
    known = {unit.name: unit for unit in units}
    groups = _groups(units, prepared)
    _check_dependencies(known, groups, prepared, found)
    _check_cycles(known, prepared, found)
    enabled = [unit for unit in known.values() if unit.enabled]
    below = [unit for unit in enabled if unit.infrastructure]
    phases = [OrderedPhase(INFRASTRUCTURE, "infrastructure", _sorted(below))]
    for group in groups:
        members = [unit for unit in enabled if not unit.infrastructure and unit.group == group]
        phases.append(OrderedPhase(f"{GROUP}{group}", "group", _sorted(members)))
    return tuple(phase for phase in phases if phase.units)


def _groups(units: Iterable[EffectiveUnit], prepared: Prepared) -> tuple[str, ...]:
    """Return the groups in order; those that ``deployOrder`` forgot, which is a mistake, come last."""
    used = sorted({unit.group for unit in units if not unit.infrastructure})
    return tuple(dict.fromkeys((*(prepared.stack.spec.orchestration.deploy_order or ()), *used)))


def _sorted(units: Iterable[EffectiveUnit]) -> tuple[EffectiveUnit, ...]:
    """Return the units so that each stands after those it depends on; where several may come next, by name."""
    waiting = {unit.name: unit for unit in units}
    needs = {name: set(unit.depends_on) & waiting.keys() for name, unit in waiting.items()}
    users: dict[str, list[str]] = {name: [] for name in waiting}
    for name, others in needs.items():
        for other in others:
            users[other].append(name)
    frontier = [name for name, others in needs.items() if not others]
    heapify(frontier)
    done: list[EffectiveUnit] = []
    while frontier:
        name = heappop(frontier)
        done.append(waiting.pop(name))
        for user in users[name]:
            needs[user].discard(name)
            if not needs[user]:
                heappush(frontier, user)
    return (*done, *(waiting[name] for name in sorted(waiting)))


def _check_dependencies(
    known: Mapping[str, EffectiveUnit], groups: tuple[str, ...], prepared: Prepared, found: Findings
) -> None:
    """Check each dependency by itself: that it is known, not in a later phase, and not switched off."""
    rank = {group: index for index, group in enumerate(groups, 1)}
    for unit in known.values():
        for index, name in enumerate(unit.depends_on):
            other = known.get(name)
            at, path = field_place(unit, ("dependsOn", index), prepared)
            if other is None:
                message = f"no unit {quoted(name)} is declared; dependsOn takes names of services and infrastructure"
                found.add("unknown_unit", message, at, path, hint=_units(known))
            elif _rank(other, rank) > _rank(unit, rank):
                message = (
                    f"{quoted(unit.name)} ({_phase(unit)}) cannot wait for {quoted(name)} ({_phase(other)}), which is "
                    "deployed later; remove the dependency, or change deployGroup or deployOrder"
                )
                found.add("depends_unreachable", message, at, path)
            elif unit.enabled and not other.enabled and not other.singleton:
                message = f"{quoted(name)} is switched off here by when; {quoted(unit.name)} does not wait for it"
                found.add("depends_disabled", message, at, path)


def _rank(unit: EffectiveUnit, ranks: Mapping[str, int]) -> int:
    return 0 if unit.infrastructure else ranks[unit.group]


def _phase(unit: EffectiveUnit) -> str:
    return INFRASTRUCTURE if unit.infrastructure else f"group {unit.group}"


def _units(known: Mapping[str, EffectiveUnit]) -> str:
    return f"declared: {', '.join(sorted(known)[:20])}"


def _check_cycles(known: Mapping[str, EffectiveUnit], prepared: Prepared, found: Findings) -> None:
    """Note every circle once, at the dependency that closes it."""
    for chain in circles({name: unit.depends_on for name, unit in known.items()}):
        last, first = known[chain[-2]], chain[-1]
        at, path = field_place(last, ("dependsOn", last.depends_on.index(first)), prepared)
        message = f"the units wait for each other: {' -> '.join(chain)}; remove one of these dependencies"
        related = [Related(spot(prepared.tree, (*known[name].path, "name")), name) for name in chain[:-1]]
        found.add("depends_cycle", message, at, path, related=related)
