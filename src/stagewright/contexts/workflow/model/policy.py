"""The words of the policy: typed, frozen, and complete after loading."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

NO_MAP: Mapping[str, Any] = MappingProxyType({})


class Mode(StrEnum):
    """Whether a run has an environment of its own."""

    FULL_ENV = "full-env"
    CODE_ONLY = "code-only"


class EnvironmentNeed(StrEnum):
    """Which environment a kind works in when its mode is ``full-env``."""

    NONE = "none"
    SLOT = "slot"
    CANDIDATE = "candidate"
    PRODUCTION_READONLY = "production-readonly"
    PRODUCTION = "production"


class KindClass(StrEnum):
    """The columns of the gate table: what a kind of run is to its issue."""

    FORWARD = "F"
    REVISE = "R"
    RETHINK = "X"
    SIDE = "A"
    REPAIR = "P"
    REVIEW = "V"
    DISCUSSION = "D"
    DEPLOY = "-"


class LabelClass(StrEnum):
    """Classes of catalogue labels; each has one colour."""

    TRIGGER = "trigger"
    REVIEW = "review"
    MODE = "mode"
    STATE = "state"
    NEED = "need"
    MODEL = "model"
    REASONING = "reasoning"


class Source(StrEnum):
    """Which file a value of the effective policy comes from."""

    BUILTIN = "builtin"
    PLATFORM = "platform"
    PROJECT = "project"


class PathRule(StrEnum):
    """What happens to a change of a protected path, in rising strictness."""

    OWNER_REVIEW = "owner_review"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class LocalText:
    """One text in the product's languages."""

    en: str
    ru: str

    def of(self, locale: str) -> str:
        """Return the text for ``locale``: ``ru*`` is Russian, everything else English."""
        return self.ru if locale.lower().startswith("ru") else self.en


@dataclass(frozen=True, slots=True)
class RoleLimits:
    """Parallel runs of one role in one project."""

    full_env: int
    code_only: int

    def of(self, mode: Mode) -> int:
        """Return the limit for ``mode``."""
        return self.full_env if mode is Mode.FULL_ENV else self.code_only


@dataclass(frozen=True, slots=True)
class ProjectLimits:
    """Parallel runs of one project, over all roles."""

    total: int
    full_env: int
    code_only: int

    def of(self, mode: Mode) -> int:
        """Return the limit for ``mode``."""
        return self.full_env if mode is Mode.FULL_ENV else self.code_only


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit of parallel runs. ``deploy_reserve`` stands outside ``platform_total``."""

    platform_total: int
    deploy_reserve: int
    project: ProjectLimits
    roles: Mapping[str, RoleLimits]


@dataclass(frozen=True, slots=True)
class Role:
    """Who does a stage. ``prompt`` names a part of the prompt that the role adds."""

    key: str
    name: LocalText
    limits: RoleLimits
    model: str | None = None
    reasoning: str | None = None
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """One row of the stage table."""

    key: str
    name: LocalText
    role: str
    mode: Mode
    env: EnvironmentNeed
    scope: str
    limit_minutes: int
    description: str = ""
    involved: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    modes: tuple[Mode, ...] = (Mode.CODE_ONLY, Mode.FULL_ENV)
    enabled: bool = True
    revise: bool = True
    result_required: bool = True
    environment_required: bool = False
    needs_candidate: bool = False
    closes_issue: bool = False
    on_closed_issue: bool = False
    side: bool = False
    report: str = "work"
    publish: str = "auto"
    size: str = "medium"
    model: str | None = None
    reasoning: str | None = None


@dataclass(frozen=True, slots=True)
class SpecialKind:
    """A kind of run that is no stage."""

    key: str
    name: LocalText
    mode: Mode
    env: EnvironmentNeed
    scope: str
    limit_minutes: int
    description: str = ""
    label: str | None = None
    role: str | None = None
    modes: tuple[Mode, ...] = (Mode.CODE_ONLY,)
    enabled: bool = True
    result_required: bool = False
    environment_required: bool = False
    on_closed_issue: bool = False
    publish: str = "pull_request"
    size: str = "medium"
    model: str | None = None
    reasoning: str | None = None
    default_role: str | None = None
    idle_days: int = 7
    max_attempts: int = 30


@dataclass(frozen=True, slots=True)
class Kind:
    """What a run does, flattened from its stage or special row: the one row other contexts read."""

    key: str
    kind_class: KindClass
    stage: str | None
    revise: bool
    role: str | None
    name: LocalText
    mode: Mode
    modes: tuple[Mode, ...]
    env: EnvironmentNeed
    scope: str
    limit_minutes: int
    label: str | None
    enabled: bool
    result_required: bool
    environment_required: bool
    needs_candidate: bool
    closes_issue: bool
    on_closed_issue: bool
    report: str
    publish: str
    size: str
    artifacts: tuple[str, ...] = ()
    involved: tuple[str, ...] = ()
    model: str | None = None
    reasoning: str | None = None


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A catalogue label that follows from no stage, model or level."""

    label_class: LabelClass
    description: str
    threads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabelSettings:
    """The ``labels`` part of the policy."""

    trigger_prefix: str
    model_prefix: str
    reasoning_prefix: str
    names: Mapping[str, str]
    aliases: Mapping[str, tuple[str, ...]]
    reserved: tuple[str, ...]
    colors: Mapping[str, str]
    catalogue: Mapping[str, CatalogueEntry]


@dataclass(frozen=True, slots=True)
class LabelDefinition:
    """One label of the catalogue: its fixed key, its text in this project, and how it looks at the forge."""

    key: str
    text: str
    color: str
    description: str
    label_class: LabelClass
    threads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Profiles:
    """Launch profiles, lowest first."""

    default: str
    variants: Mapping[str, str]
    choose_when: Mapping[str, str]
    paths: Mapping[str, tuple[str, ...]]

    @property
    def order(self) -> tuple[str, ...]:
        """The profiles in order of escalation."""
        return tuple(self.paths)

    @property
    def full_path(self) -> tuple[str, ...]:
        """The longest path: all others are ordered subsets of it."""
        return max(self.paths.values(), key=len)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which paths a result may change: glob patterns, case-insensitive."""

    allow: tuple[str, ...]
    toolchain: tuple[str, ...] = ()

    @property
    def patterns(self) -> tuple[str, ...]:
        """Every pattern that allows a path."""
        return self.allow + self.toolchain


@dataclass(frozen=True, slots=True)
class ProtectedPath:
    """A path that no scope frees."""

    path: str
    rule: PathRule


@dataclass(frozen=True, slots=True)
class Gates:
    """Knobs of the gate table."""

    blocked: str
    in_review: str
    need: str
    stage_order: str


@dataclass(frozen=True, slots=True)
class Jump:
    """A named next step; after a rethink it carries the profile it restarts with."""

    target: str
    variant: str
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class StageSteps:
    """What the next-step matrix says of one stage beside what the profiles say."""

    reviewer: bool = True
    jumps: tuple[Jump, ...] = ()
    side: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Engine:
    """An agent program. ``credential``: it needs a model credential of the platform."""

    key: str
    enabled: bool = True
    credential: bool = True
    argv: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    input: float
    cached: float
    output: float


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model a run may be given: ``id`` is the engine's name for it."""

    key: str
    engine: str
    id: str
    label: str | None = None
    usd_per_mtok: Price | None = None


@dataclass(frozen=True, slots=True)
class ReasoningLevel:
    """One level and each engine's word for it."""

    key: str
    label: str
    effort: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """One row of the approval matrix. Durations are seconds; ``None`` takes the default of the request machinery."""

    id: str
    action: tuple[str, ...]
    kinds: tuple[str, ...]
    roles: tuple[str, ...]
    env: str
    approval: str
    modes: tuple[Mode, ...] = (Mode.FULL_ENV, Mode.CODE_ONLY)
    self_approval: bool = True
    typed_confirm: bool | None = None
    expires_in: int = 168 * 3600
    execute_within: int = 24 * 3600
    on_expiry: str = "park"
    grantable: bool = False


@dataclass(frozen=True, slots=True)
class Budgets:
    """US dollars; ``None`` is no budget on that level."""

    run_usd: float | None = None
    issue_usd: float | None = None
    project_day_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Clocks:
    """Times of a run that no stage sets."""

    prepare_minutes: int
    finish_minutes: int
    stall_minutes: int
    stop_grace_seconds: int
    warn_percent: int
    queue_stalled_minutes: int
    wait_abandoned_days: int
    trigger_max_age_hours: int


@dataclass(frozen=True, slots=True)
class Defaults:
    """What counts where nothing nearer says more."""

    model: str
    reasoning: str
    locale: str


@dataclass(frozen=True, slots=True)
class PullRequestSettings:
    """How results are published."""

    draft: str
    follow_ups: str


@dataclass(frozen=True, slots=True)
class ToolSettings:
    """How far the GitHub tools reach."""

    read_scope: str
    unlisted_labels: str


@dataclass(frozen=True, slots=True)
class Policy:
    """The effective policy. ``hash`` is the SHA-256 of its canonical form and stands on every run and decision.

    ``labels_by_text`` maps every accepted spelling (normalised) to its key; ``sources`` maps JSON pointers of the
    effective document to the file that says so; ``document`` is that document as plain data.
    """

    hash: str
    defaults: Defaults
    labels: LabelSettings
    roles: Mapping[str, Role]
    limits: Limits
    stages: Mapping[str, Stage]
    special: Mapping[str, SpecialKind]
    kinds: Mapping[str, Kind]
    profiles: Profiles
    scopes: Mapping[str, Scope]
    protected_paths: tuple[ProtectedPath, ...]
    self_improve_locked: tuple[str, ...]
    gates: Gates
    next_steps: Mapping[str, StageSteps]
    engines: Mapping[str, Engine]
    models: Mapping[str, ModelEntry]
    reasoning: Mapping[str, ReasoningLevel]
    approvals: tuple[ApprovalRow, ...]
    budgets: Budgets
    branch_prefix: str
    pull_request: PullRequestSettings
    tools: ToolSettings
    automation_allow: tuple[str, ...]
    clocks: Clocks
    catalogue: Mapping[str, LabelDefinition] = field(default_factory=dict)
    labels_by_text: Mapping[str, str] = field(default_factory=dict)
    triggers: Mapping[str, str] = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)
    sources: Mapping[str, Source] = field(default_factory=dict, repr=False)
