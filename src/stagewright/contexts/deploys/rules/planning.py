"""Stage 13: the plan of one deploy (``stack.md`` section 14): ordered phases, complete objects, one hash."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.document.orchestration import HookPhase, Readiness
from stagewright.contexts.deploys.model.document.stack import API_VERSION
from stagewright.contexts.deploys.model.objects import Unfinished
from stagewright.contexts.deploys.model.places import Origin, Provenance, Source
from stagewright.contexts.deploys.model.plan import (
    Phase,
    Plan,
    PlannedEnvironment,
    PlannedObject,
    PlannedSecret,
    PlannedSource,
    PlannedUnit,
    PlannedVariable,
)
from stagewright.contexts.deploys.model.stages import EffectiveUnit, OrderedPhase, Prepared, Request
from stagewright.contexts.deploys.rules.additions import MANAGED, Additions, configs_of, restarts_of
from stagewright.contexts.deploys.rules.canonical import canonical
from stagewright.contexts.deploys.rules.components import field_place
from stagewright.contexts.deploys.rules.durations import canonical_duration, parse_duration
from stagewright.contexts.deploys.rules.hooks import Hooks
from stagewright.contexts.deploys.rules.making import Images, Made
from stagewright.contexts.deploys.rules.objects.kinds import is_cluster_kind
from stagewright.contexts.deploys.rules.spots import spot

MOST_BYTES = 16 << 20
STACK = "stack"
EXPOSURE = "exposure"
_FIRST = ("ServiceAccount", "Role", "RoleBinding", "ConfigMap", "PersistentVolumeClaim", "Service")
_LAST = ("HorizontalPodAutoscaler", "PodDisruptionBudget", "Ingress")
_RANKS = {**{kind: rank for rank, kind in enumerate(_FIRST)}, **{kind: rank + 100 for rank, kind in enumerate(_LAST)}}
_STACK_HOOKS: Sequence[tuple[HookPhase, str]] = (
    ("beforeDeploy", "before-deploy"),
    ("afterInfrastructure", "after-infrastructure"),
    ("afterDeploy", "after-deploy"),
    ("beforeDelete", "before-delete"),
)


def assemble(
    prepared: Prepared,
    phases: Sequence[OrderedPhase],
    images: Images,
    secrets: Sequence[PlannedSecret],
    made: Made,
    request: Request,
    found: Findings,
    files: Sequence[Source] = (),
) -> Plan:
    """Return the plan. ``files``: what was read, the root first, for the record of sources."""
    assembly = _Assembly(prepared, phases, images, secrets, made, found)
    ordered = assembly.phases()
    plan = Plan(
        api_version=API_VERSION,
        preview=request.preview,
        project=prepared.inputs.project.key,
        environment=PlannedEnvironment(name=prepared.environment.name, kind=prepared.environment.kind),
        candidate=prepared.selection.candidate,
        namespace=prepared.environment.namespace,
        domain=prepared.environment.domain,
        baseline=request.baseline,
        sources=_sources(request, files),
        vars={
            name: PlannedVariable(value=value, origin=origin) for name, (value, origin) in _sorted(prepared.read_vars)
        },
        images=sorted(images.images, key=lambda image: image.name),
        secrets=sorted(secrets, key=lambda secret: (secret.secret, secret.key)),
        syncs=sorted(images.syncs, key=lambda sync: sync.unit),
        phases=ordered,
        objects=assembly.objects,
        warnings=[item for item in found.sorted() if not item.is_error],
    )
    return _sealed(plan, assembly.canonical, found)


def _sorted(values: Mapping[str, tuple[str, str]]) -> list[tuple[str, tuple[str, str]]]:
    return sorted(values.items())


def _sources(request: Request, files: Sequence[Source]) -> list[PlannedSource]:
    repositories = request.repositories
    stacks: dict[str, str] = {}
    for file in files:
        stacks.setdefault(file.repository, file.blob_id)
    return [
        PlannedSource(alias=alias, repository=alias, sha=source.identity, stack_blob=stacks.get(alias))
        for alias, source in sorted(repositories.sources.items())
    ]


@dataclass(slots=True)
class _Assembly:
    """The parts of one plan while it is put together; ``objects`` fills in the order of phases."""

    prepared: Prepared
    ordered: Sequence[OrderedPhase]
    images: Images
    secrets: Sequence[PlannedSecret]
    made: Made
    found: Findings
    objects: list[PlannedObject] = field(default_factory=list)
    canonical: list[bytes] = field(default_factory=list)
    _units: dict[str, EffectiveUnit] = field(default_factory=dict)
    _by_unit: dict[str, list[Unfinished]] = field(default_factory=dict)

    def phases(self) -> list[Phase]:
        """Return all phases in the order in which they are carried out."""
        self._units = {unit.name: unit for phase in self.ordered for unit in phase.units}
        for item in self.made.objects:
            self._by_unit.setdefault(item.unit, []).append(item)
        labels = dict(self.prepared.stack.metadata.labels)
        additions = Additions(
            environment=self.prepared.environment,
            labels=labels,
            restarts=restarts_of(self.prepared, self.secrets),
            configs=configs_of(self.made.objects, self._units),
        )
        hooks = Hooks(self.prepared.environment, self.images.references, {**labels, **MANAGED}, self.found)
        stack_hooks = self._stack_hooks(hooks)
        phases = [Phase(id=kind, kind=kind) for kind in ("images", "namespace", "secrets")]
        phases += stack_hooks.get("before-deploy", [])
        below = [phase for phase in self.ordered if phase.kind == "infrastructure"]
        phases += [self._phase(phase, additions, hooks) for phase in below]
        phases += stack_hooks.get("after-infrastructure", [])
        phases += [self._phase(phase, additions, hooks) for phase in self.ordered if phase.kind != "infrastructure"]
        phases.append(self._exposure(additions))
        phases += stack_hooks.get("after-deploy", [])
        phases.append(Phase(id="prune", kind="prune"))
        return phases + stack_hooks.get("before-delete", [])

    def _stack_hooks(self, hooks: Hooks) -> dict[str, list[Phase]]:
        path = ("spec", "orchestration", "hooks")
        at = spot(self.prepared.tree, path)
        declared = self.prepared.stack.spec.orchestration.hooks
        planned = hooks.planned(declared, "", at, path)
        found: dict[str, list[Phase]] = {}
        for name, phase_id in _STACK_HOOKS:
            chosen = [hook for hook in planned if hook.phase == name]
            if chosen:
                found[phase_id] = [Phase(id=phase_id, kind="hook", units=[PlannedUnit(name=STACK, hooks=chosen)])]
        return found

    def _phase(self, phase: OrderedPhase, additions: Additions, hooks: Hooks) -> Phase:
        units = []
        for unit in phase.units:
            ids = [
                self._object(item, phase.id, additions) for item in sorted(self._by_unit.get(unit.name, ()), key=_rank)
            ]
            at, path = field_place(unit, ("hooks",), self.prepared)
            units.append(
                PlannedUnit(
                    name=unit.name,
                    depends_on=sorted(name for name in unit.depends_on if name in self._units),
                    objects=ids,
                    hooks=hooks.planned(unit.hooks, unit.name, at, path),
                    readiness=_readiness(unit.readiness),
                    protected=unit.protected,
                )
            )
        return Phase(id=phase.id, kind=phase.kind, units=units)

    def _exposure(self, additions: Additions) -> Phase:
        ids: dict[str, list[str]] = {}
        for item in self.made.exposed:
            ids.setdefault(item.unit, []).append(self._object(item, EXPOSURE, additions))
        return Phase(
            id=EXPOSURE, kind="exposure", units=[PlannedUnit(name=name, objects=own) for name, own in ids.items()]
        )

    def _object(self, item: Unfinished, phase: str, additions: Additions) -> str:
        step_id = f"{phase}/{item.unit}/{item.type}:{item.name}"
        cluster_scoped = is_cluster_kind(item.type, self.prepared.inputs.project)
        additions.add(item, step_id, cluster_scoped=cluster_scoped)
        try:
            data = canonical(item.body)
        except ValueError as error:
            self.found.add("manifest_syntax", f"{item}: {error}", item.at)
            data = b"null"
        self.canonical.append(data)
        self.objects.append(
            PlannedObject(
                id=step_id,
                group=item.group,
                version=item.version,
                kind=item.kind,
                name=item.name,
                unit=item.unit,
                hash=hashlib.sha256(data).hexdigest(),
                body=item.body,
                provenance=Provenance(Origin.PLATFORM if item.generated else Origin.FILE, item.at),
            )
        )
        return step_id


def _rank(item: Unfinished) -> tuple[int, str, str, str]:
    """Order objects of one unit: what others need comes first; never by the order in files."""
    return (_RANKS.get(item.kind, 50), item.group, item.kind, item.name)


def _readiness(readiness: Readiness) -> dict[str, Any]:
    parts = readiness.model_dump(by_alias=True, exclude_none=True)
    return {name: _canonical_duration(value) if isinstance(value, str) else value for name, value in parts.items()}


def _canonical_duration(text: str) -> str:
    duration = parse_duration(text)
    return text if duration is None else canonical_duration(duration)


def _sealed(plan: Plan, bodies: Sequence[bytes], found: Findings) -> Plan:
    """Return ``plan`` with its hash, made from the canonical ``bodies`` of its objects; too large ones are refused."""
    data = _spliced(hashed(plan), bodies)
    if len(data) > MOST_BYTES:
        found.add("plan_too_large", f"the plan has {len(data)} bytes, at most {MOST_BYTES} fit; split the stack")
    prefix = "sp1p:" if plan.preview else "sp1:"
    return msgspec.structs.replace(plan, hash=prefix + hashlib.sha256(data).hexdigest())


def _spliced(document: dict[str, Any], bodies: Sequence[bytes]) -> bytes:
    """Return the canonical JSON of what is hashed without writing the bodies again: their key is an object's first."""
    objects = document["objects"]
    for item in objects:
        del item["body"]
    written = [b'{"body":' + body + b"," + canonical(item)[1:] for body, item in zip(bodies, objects, strict=True)]
    before = canonical({key: value for key, value in document.items() if key < "objects"})
    after = canonical({key: value for key, value in document.items() if key > "objects"})
    return before[:-1] + b',"objects":[' + b",".join(written) + b"]," + after[1:]


def hashed(plan: Plan) -> dict[str, Any]:
    """Return what a plan's hash is made of: all but sources, warnings, provenance, and the state of images."""
    document: dict[str, Any] = msgspec.to_builtins(
        msgspec.structs.replace(plan, sources=(), warnings=(), objects=()), str_keys=True
    )
    for name in ("sources", "warnings", "hash"):
        del document[name]
    for image in document["images"]:
        del image["state"]
        if image["type"] == "build":
            del image["digest"]
    document["objects"] = [
        {
            "id": item.id,
            "group": item.group,
            "version": item.version,
            "kind": item.kind,
            "name": item.name,
            "unit": item.unit,
            "hash": item.hash,
            "body": item.body,
        }
        for item in plan.objects
    ]
    return document
