"""Stage 12: manifests, config maps and exposures become checked objects (``stack.md`` sections 6.1 and 6.4)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.objects import Unfinished
from stagewright.contexts.deploys.model.plan import PlannedImage, PlannedSync
from stagewright.contexts.deploys.model.stages import EffectiveUnit, OrderedPhase, Prepared, Request
from stagewright.contexts.deploys.rules.additions import add_sync
from stagewright.contexts.deploys.rules.exposing import expose_units
from stagewright.contexts.deploys.rules.manifests import ManifestReader
from stagewright.contexts.deploys.rules.objects.checking import check_objects
from stagewright.contexts.deploys.rules.objects.setting import Setting
from stagewright.contexts.deploys.rules.reading import ParseCache

MOST_OBJECTS = 4_000


class Images(Protocol):
    """What stage 11 found. ``references``: image -> the text that ``images.<name>`` gives in templates."""

    @property
    def images(self) -> Sequence[PlannedImage]:
        """The images of the plan."""
        ...

    @property
    def syncs(self) -> Sequence[PlannedSync]:
        """The source images of units that sync files."""
        ...

    @property
    def references(self) -> Mapping[str, str]:
        """The texts that templates insert."""
        ...

    @property
    def sources(self) -> Mapping[str, str]:
        """The references of source images, by unit."""
        ...


@dataclass(frozen=True, slots=True)
class Made:
    """Objects of units, and those that the platform makes from ``expose``; additions to them follow in the plan."""

    objects: tuple[Unfinished, ...] = ()
    exposed: tuple[Unfinished, ...] = ()


def make_objects(
    prepared: Prepared,
    phases: Sequence[OrderedPhase],
    images: Images,
    request: Request,
    found: Findings,
    cache: ParseCache | None = None,
) -> Made:
    """Return the objects of all units of ``phases``; what is wrong with them is in ``found``."""
    units = [unit for phase in phases for unit in phase.units]
    reader = ManifestReader(prepared, request.repositories, images.references, found, cache)
    objects, exposed = reader.objects(units), expose_units(units, prepared, found)
    known = check_objects((*objects, *exposed), _setting(prepared, images, request), found)
    made = Made(tuple(item for item in objects if item in known), exposed)
    if len(made.objects) + len(made.exposed) > MOST_OBJECTS:
        count = len(made.objects) + len(made.exposed)
        found.add("object_limit", f"the plan has {count} objects, at most {MOST_OBJECTS} are allowed; split the stack")
    _sync(units, made.objects, images, prepared, found)
    return made


def _setting(prepared: Prepared, images: Images, request: Request) -> Setting:
    environment = prepared.environment
    declared = [
        secret
        for secret in prepared.stack.spec.secrets
        if secret.when is not False and (secret.environments is None or environment.name in secret.environments)
    ]
    return Setting(
        environment=environment,
        project=prepared.inputs.project,
        config=request.config,
        images=frozenset(images.references.values()),
        secrets={secret.name: frozenset(secret.keys) for secret in declared},
    )


def _sync(
    units: Iterable[EffectiveUnit],
    objects: Iterable[Unfinished],
    images: Images,
    prepared: Prepared,
    found: Findings,
) -> None:
    identities = {sync.unit: sync.identity for sync in images.syncs}
    if not identities:
        return
    own: dict[str, list[Unfinished]] = {}
    for item in objects:
        own.setdefault(item.unit, []).append(item)
    for unit in units:
        identity = identities.get(unit.name)
        if identity is not None:
            add_sync(unit, own.get(unit.name, ()), identity, images.sources[unit.name], prepared, found)
