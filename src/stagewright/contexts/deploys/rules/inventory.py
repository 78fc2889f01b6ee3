"""The units of a stack as an agent sees them: part of its prompt (``stack.md`` section 11)."""

from collections.abc import Iterable, Sequence

from stagewright.contexts.deploys.model.documents import UnitFacts
from stagewright.contexts.deploys.model.stages import EffectiveEnvironment, EffectiveUnit

INFRASTRUCTURE = "infrastructure"


def inventory(units: Sequence[EffectiveUnit], environment: EffectiveEnvironment) -> tuple[UnitFacts, ...]:
    """Return the enabled units in the order of their names, with the addresses they will have."""
    return tuple(
        UnitFacts(
            name=unit.name,
            group=INFRASTRUCTURE if unit.infrastructure else unit.group,
            strategy=unit.strategy,
            depends_on=tuple(sorted(unit.depends_on)),
            manifests=tuple(sorted({manifest.path for manifest in unit.manifests})),
            urls=tuple(_urls(unit, environment)),
        )
        for unit in sorted(units, key=lambda unit: unit.name)
        if unit.enabled
    )


def as_text(facts: Sequence[UnitFacts]) -> str:
    """Return one line for each unit, for a prompt."""
    return "".join(f"- {_line(unit)}\n" for unit in facts)


def _line(unit: UnitFacts) -> str:
    said = [f"{unit.name}: group {unit.group}, {unit.strategy}"]
    for word, names in (("needs", unit.depends_on), ("manifests", unit.manifests), ("at", unit.urls)):
        if names:
            said.append(f"{word} {', '.join(names)}")
    return "; ".join(said)


def _urls(unit: EffectiveUnit, environment: EffectiveEnvironment) -> Iterable[str]:
    if environment.domain is None:
        return
    for expose in unit.expose:
        prefix = f"{expose.host_prefix}." if expose.host_prefix else ""
        yield f"https://{prefix}{environment.domain}{expose.path}"
