"""Plans for tests: a stack and its manifests as YAML texts, the stages before the objects made by hand."""

import hashlib
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.fakes.stack_files import Content
from tests.unit.deploys.stacks import a_stack, told

from stagewright.contexts.deploys.model.diagnostics import Findings
from stagewright.contexts.deploys.model.document.orchestration import Readiness
from stagewright.contexts.deploys.model.document.stack import Stack
from stagewright.contexts.deploys.model.document.units import Service, Unit
from stagewright.contexts.deploys.model.inputs import Inputs, Platform, PolicyWords, Project, Selection
from stagewright.contexts.deploys.model.plan import Plan, PlannedImage, PlannedSecret, PlannedSync
from stagewright.contexts.deploys.model.sources import ConfigEntry, ConfigKind, Scope
from stagewright.contexts.deploys.model.stages import (
    EffectiveUnit,
    OrderedPhase,
    Request,
)
from stagewright.contexts.deploys.rules.loading import load
from stagewright.contexts.deploys.rules.making import Made, make_objects
from stagewright.contexts.deploys.rules.planning import assemble
from stagewright.contexts.deploys.rules.preparing import prepare

PLATFORM = Platform(
    registry="registry.example.org", ingress_class="traefik", domain="example.com", candidate_domain="example.net"
)
STACK = """
spec:
  environments: {live: {kind: production, domainTemplate: shop.example.org}, preview: {kind: candidate}}
  images:
    api: {type: build, context: services/api}
    db: {type: external, from: "postgres:17"}
  secrets:
    - {name: database, keys: {PASSWORD: {generate: {kind: password}}, URL: {generate: {kind: hex}}}}
  services:
    - {name: api, manifests: [{path: k8s/api.yaml}]}
"""
POD = """
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: api
          image: "{{ images.api }}"
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  template:
    metadata: {labels: {app: api}}
    spec:""" + POD.rstrip()


@dataclass(frozen=True)
class Found:
    """What stage 11 hands on, made by hand."""

    images: Sequence[PlannedImage] = ()
    syncs: Sequence[PlannedSync] = ()
    references: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Entries:
    """A configuration with secret entries of all environments; ``known=False`` is offline."""

    secrets: Sequence[str] = ()
    known: bool = True
    value: str | None = None

    def entries(self, key: str) -> Sequence[ConfigEntry]:
        """Return the entry of this name."""
        audience = frozenset(("production", "candidate"))
        entry = ConfigEntry(key, ConfigKind.SECRET, Scope.PROJECT, "*", 1, audience, value=self.value)
        return [entry] if key in self.secrets else []


class NoDigests:
    """Nobody can say a digest."""

    def resolve(self, reference: str) -> str | None:
        """Return None."""
        return None


@dataclass(frozen=True, kw_only=True)
class Result:
    """A plan, its parts, and what was found on the way."""

    plan: Plan
    made: Made
    found: Findings

    @property
    def told(self) -> list[str]:
        """The findings as a person reads them."""
        return told(self.found)

    def body(self, kind: str, name: str) -> dict[str, object]:
        """Return the body of a planned object."""
        return next(dict(item.body) for item in self.plan.objects if (item.kind, item.name) == (kind, name))


def planned(
    text: str = STACK,
    files: Mapping[str, Content] | None = None,
    *,
    environment: str = "live",
    changes: Mapping[str, Any] | None = None,
    config: Entries | None = None,
    versions: Mapping[str, str] | None = None,
    syncs: Sequence[PlannedSync] = (),
    others: Mapping[str, Mapping[str, Content]] | None = None,
    baseline: str = "1",
    preview: bool = False,
    identities: Mapping[str, str] | None = None,
    project: Mapping[str, Any] | None = None,
    dropped: str = "",
    platform: Platform = PLATFORM,
) -> Result:
    """Return the plan of ``text`` with the manifests in ``files`` (by default one good Deployment)."""
    found = Findings()
    repositories = a_stack(text, {"k8s/api.yaml": DEPLOYMENT} if files is None else files, others)
    loaded = load(repositories, found)
    assert loaded is not None, told(found)
    inputs = Inputs(
        platform=replace(platform, domain=PLATFORM.domain, candidate_domain=PLATFORM.candidate_domain),
        project=Project(key="shop", name="Shop", **(project or {})),
        policy=PolicyWords(roles=frozenset(), modes={}),
    )
    candidate = environment == "preview"
    selection = Selection(
        environment=environment, candidate="i7" if candidate else None, issue=7 if candidate else None
    )
    request = Request(
        repositories=repositories,
        inputs=inputs,
        config=config or Entries(),
        digests=NoDigests(),
        preview=preview,
        baseline=baseline,
    )
    prepared = prepare(loaded, None, replace(request, preview=True), selection, found)
    assert prepared is not None, told(found)
    prepared = replace(prepared, environment=replace(prepared.environment, **(changes or {})))
    stack = prepared.stack
    images = images_of(stack, syncs, identities or {}, dropped)
    secrets = [
        PlannedSecret(
            secret=secret.name, key=key, source={"generate": "password"}, version=(versions or {}).get(key, "1")
        )
        for secret in stack.spec.secrets
        for key in secret.keys
    ]
    phases = phases_of(stack)
    made = make_objects(prepared, phases, images, request, found)
    plan = assemble(prepared, phases, images, secrets, made, request, found, loaded.files)
    return Result(plan=plan, made=made, found=found)


def images_of(stack: Stack, syncs: Sequence[PlannedSync], identities: Mapping[str, str], dropped: str) -> Found:
    """Return every declared image as if it had been resolved."""
    images = []
    for name, image in stack.spec.images.items():
        if name == dropped:
            continue
        digest = "sha256:" + hashlib.sha256((image.from_ or name).encode()).hexdigest()
        if image.type == "external":
            reference = f"{str(image.from_).partition(':')[0]}@{digest}"
            images.append(PlannedImage(name=name, type="external", reference=reference, digest=digest, state="exists"))
        else:
            identity = identities.get(name, hashlib.sha256(name.encode()).hexdigest())
            reference = f"registry.example.org/shop/release/{name}:c-{identity[:40]}"
            images.append(PlannedImage(name=name, type="build", reference=reference, identity=identity, state="build"))
    sources = {
        sync.unit: f"registry.example.org/shop/candidate/{sync.unit}.sync:c-{sync.identity[:40]}" for sync in syncs
    }
    return Found(images, syncs, {image.name: image.reference for image in images}, sources)


def phases_of(stack: Stack) -> list[OrderedPhase]:
    """Return the units in the order of their names, by group."""
    phases = [
        OrderedPhase(
            "infrastructure", "infrastructure", tuple(_unit(unit, "") for unit in _sorted(stack.spec.infrastructure))
        )
    ]
    groups: dict[str, list[EffectiveUnit]] = {}
    for service in _sorted(stack.spec.services):
        groups.setdefault(service.deploy_group or "default", []).append(
            _unit(service, service.deploy_group or "default")
        )
    return phases + [OrderedPhase(f"group-{name}", "group", tuple(units)) for name, units in sorted(groups.items())]


def _sorted(units: Sequence[Any]) -> list[Any]:
    return sorted((unit for unit in units if unit.when is not False), key=lambda unit: unit.name)


def _unit(unit: Unit, group: str) -> EffectiveUnit:
    service = unit if isinstance(unit, Service) else None
    kind = "infrastructure" if service is None else "services"
    return EffectiveUnit(
        name=unit.name,
        path=("spec", kind, unit.name),
        infrastructure=service is None,
        enabled=True,
        depends_on=tuple(unit.depends_on or ()),
        manifests=tuple(unit.manifests),
        config_maps=tuple(unit.config_maps or ()),
        readiness=unit.readiness or Readiness(),
        hooks=tuple(unit.hooks or ()),
        protected=unit.protected,
        repository="main",
        group=group,
        strategy=(service and service.code_update_strategy) or "rebuild",
        sync=service.sync if service is not None else None,
        expose=tuple((service and service.expose) or ()),
    )


def manifest(text: str) -> str:
    """Return a manifest without its indentation; its first line is line 1."""
    return textwrap.dedent(text).lstrip("\n")


JOB = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: load}\nspec:\n  template:\n    spec:" + POD.rstrip()
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"
ROLE = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reader}\n"
BINDING = "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: reader}\n"
INGRESS = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: api}\n"


def problems(text: str, **more: object) -> list[str]:
    """Return what is said about a manifest with these documents, beside a good Deployment."""
    return planned(files={"k8s/api.yaml": text}, **more).told  # type: ignore[arg-type]


def changed(text: str, old: str, new: str) -> str:
    """Return ``text`` with a part of it exchanged."""
    assert old in text
    return text.replace(old, new, 1)
