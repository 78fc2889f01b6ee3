"""What the stages of the pipeline hand to each other (``stack.md`` section 13)."""

from collections.abc import Mapping as MappingType
from dataclasses import dataclass, field

from stagewright.contexts.deploys.model.diagnostics import Diagnostic
from stagewright.contexts.deploys.model.document.environments import ContainerLimits, Egress, EnvironmentKind
from stagewright.contexts.deploys.model.document.orchestration import Hook, Readiness
from stagewright.contexts.deploys.model.document.stack import Stack
from stagewright.contexts.deploys.model.document.units import ConfigMap, Expose, Manifest, Strategy, Sync
from stagewright.contexts.deploys.model.inputs import Inputs, Selection
from stagewright.contexts.deploys.model.places import At, Path, Provenance, Source
from stagewright.contexts.deploys.model.plan import PhaseKind, Plan
from stagewright.contexts.deploys.model.scope import Scope
from stagewright.contexts.deploys.model.sources import ConfigReader, DigestResolver, Repositories
from stagewright.contexts.deploys.model.tree import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to plan: the repositories at their commits, for a candidate also those of the base, the inputs, and the
    environment. ``baseline``: version of what the platform puts into every namespace (``runtime.md`` section 4);
    ``week``: year and ISO week, as ``2026-W47``: images whose base is not known are built anew each week."""

    repositories: Repositories
    inputs: Inputs
    config: ConfigReader
    digests: DigestResolver
    base: Repositories | None = None
    selection: Selection | None = None
    preview: bool = True
    baseline: str = "1"
    week: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Stages 1-3: one merged tree. ``shadowed``: path -> the places whose values were overridden there; ``files``: all
    that were read, the root first; ``size``: their bytes in all; ``left_out``: aliases of optional repositories that
    cannot be read. An item of a keyed list keeps the place of the file that declared it first."""

    tree: Mapping
    shadowed: MappingType[Path, tuple[At, ...]] = field(default_factory=dict)
    files: tuple[Source, ...] = ()
    size: int = 0
    left_out: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveEnvironment:
    """Stage 5: an environment after inheritance, with the defaults of its kind. ``ancestors``: itself first, then its
    parents by ``from``; ``namespace`` and ``domain`` are rendered."""

    name: str
    kind: EnvironmentKind
    ancestors: tuple[str, ...]
    namespace: str
    domain: str | None
    image_pull_policy: str = "IfNotPresent"
    pod_security: str = "restricted"
    quota: MappingType[str, str] = field(default_factory=dict)
    limits: ContainerLimits | None = None
    egress: tuple[Egress, ...] = ()
    max_live: int | None = None
    deploy_on_push: str = "approval"
    on_failure: str = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Stages 5-7: the typed, rendered stack for one environment. ``tree`` is the rendered tree, for places;
    ``variables``: what templates may read (section 4.2); ``declared``: names of all environments; ``read_vars``: the
    variables that templates have read, with value and origin: it grows while manifests are rendered."""

    stack: Stack
    tree: Mapping
    environment: EffectiveEnvironment
    selection: Selection
    inputs: Inputs
    variables: Scope
    declared: tuple[str, ...]
    read_vars: MappingType[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveUnit:
    """Stage 8: a unit with the values of its components and the defaults. ``provenance``: field of the file -> who set
    it; ``enabled``: deployed in this environment; ``strategy``: ``declared_strategy`` where it has an effect, which is
    in candidate environments, else ``rebuild``."""

    name: str
    path: Path
    infrastructure: bool
    enabled: bool
    depends_on: tuple[str, ...]
    manifests: tuple[Manifest, ...]
    config_maps: tuple[ConfigMap, ...]
    readiness: Readiness
    hooks: tuple[Hook, ...]
    protected: bool
    repository: str
    group: str = "default"
    strategy: Strategy = "rebuild"
    declared_strategy: Strategy = "rebuild"
    sync: Sync | None = None
    singleton: bool = False
    expose: tuple[Expose, ...] = ()
    provenance: MappingType[str, Provenance] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderedPhase:
    """Stage 9: enabled units of one phase in a topological order, ties by name."""

    id: str
    kind: PhaseKind
    units: tuple[EffectiveUnit, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of the pipeline. ``plan`` is None where an error was found; ``skipped``: checks that need a server."""

    plan: Plan | None
    diagnostics: tuple[Diagnostic, ...]
    skipped: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether an error was found."""
        return any(item.is_error for item in self.diagnostics)
