"""The plan of one deploy (``stack.md`` section 14): ordered, hashed, executable unless it is a preview."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from stagewright.contexts.deploys.model.diagnostics import Diagnostic
from stagewright.contexts.deploys.model.places import Provenance

ImageState = Literal["exists", "build", "mirror", "unresolved"]
PhaseKind = Literal["images", "namespace", "secrets", "hook", "infrastructure", "group", "exposure", "prune"]


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A part of the plan document; its keys are written in camel case."""


class PlannedEnvironment(Part, frozen=True, kw_only=True):
    """The environment that is deployed."""

    name: str
    kind: str


class PlannedSource(Part, frozen=True, kw_only=True):
    """A repository at the commit that was read. Never hashed."""

    alias: str
    repository: str
    sha: str
    stack_blob: str | None = None


class PlannedVariable(Part, frozen=True, kw_only=True):
    """A variable that was read while rendering, and where its value came from."""

    value: str
    origin: str


class PlannedImage(Part, frozen=True, kw_only=True):
    """An image of the plan. ``identity`` for built ones, ``digest`` for external ones."""

    name: str
    type: Literal["build", "external"]
    reference: str
    identity: str | None = None
    digest: str | None = None
    state: ImageState


class PlannedSecret(Part, frozen=True, kw_only=True):
    """A key of a declared secret: where its value will come from, never the value."""

    secret: str
    key: str
    source: Mapping[str, Any]
    version: str | None = None


class PlannedSync(Part, frozen=True, kw_only=True):
    """The source image of a unit that syncs files (``stack.md`` section 6.2)."""

    unit: str
    identity: str


class PlannedHook(Part, frozen=True, kw_only=True):
    """A hook, rendered as a Kubernetes Job."""

    name: str
    phase: str
    run: str
    timeout: str
    retries: int
    on_failure: str
    identity: str
    body: Mapping[str, Any]


class PlannedUnit(Part, frozen=True, kw_only=True):
    """A unit in its phase: ids of its objects, its hooks, and when it counts as ready."""

    name: str
    depends_on: Sequence[str] = ()
    objects: Sequence[str] = ()
    hooks: Sequence[PlannedHook] = ()
    readiness: Mapping[str, Any] = {}
    protected: bool = False


class Phase(Part, frozen=True, kw_only=True):
    """A step of the deploy; units of one phase start as their dependencies allow."""

    id: str
    kind: PhaseKind
    units: Sequence[PlannedUnit] = ()


class PlannedObject(Part, frozen=True, kw_only=True):
    """A Kubernetes object. ``id`` is ``<phase>/<unit>/<object>``, stable between plans."""

    id: str
    group: str
    version: str
    kind: str
    name: str
    unit: str
    hash: str
    body: Mapping[str, Any]
    provenance: Provenance | None = None


class Plan(Part, frozen=True, kw_only=True):
    """A whole plan. ``hash`` starts with ``sp1:``, or with ``sp1p:`` for a preview."""

    api_version: str
    preview: bool
    project: str
    environment: PlannedEnvironment
    candidate: str | None = None
    namespace: str
    domain: str | None = None
    baseline: str
    sources: Sequence[PlannedSource] = ()
    vars: Mapping[str, PlannedVariable] = {}
    images: Sequence[PlannedImage] = ()
    secrets: Sequence[PlannedSecret] = ()
    syncs: Sequence[PlannedSync] = ()
    phases: Sequence[Phase] = ()
    objects: Sequence[PlannedObject] = ()
    warnings: Sequence[Diagnostic] = ()
    hash: str = ""
