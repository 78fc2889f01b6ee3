"""Answers of the smaller rules: modes, models, paths, label moves, next steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from stagewright.contexts.workflow.model.policy import Mode


@dataclass(frozen=True, slots=True)
class DeclaredRuntime:
    """What a project's ``services.yaml`` says of modes at the pinned base commit. No file: pass ``None`` instead.

    ``environments`` holds the declared kinds (``candidate``, ``production``); ``valid`` is false for a broken file,
    of which ``problem`` is the first mistake.
    """

    trigger_modes: Mapping[str, Mode] = field(default_factory=dict)
    default_mode: Mode | None = None
    environments: frozenset[str] = frozenset()
    valid: bool = True
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ModeChoice:
    """The mode of a run, where it comes from, and why it is less than asked (``no_services_yaml``, ``no_cluster``)."""

    mode: Mode
    source: str
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class LaunchRefusal:
    """The run ends failed(precondition) with ``code``; ``labels`` and ``scope`` name what is to be changed."""

    code: str
    labels: tuple[str, ...] = ()
    scope: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StickyProfile:
    """The model and reasoning of the newest run of the same link."""

    model: str
    reasoning: str | None


@dataclass(frozen=True, slots=True)
class ModelQuestion:
    """What the choice of a model depends on. Labels are texts; ``sticky`` counts for revise kinds only."""

    kind: str
    role: str | None = None
    pr_labels: tuple[str, ...] = ()
    issue_labels: tuple[str, ...] = ()
    sticky: StickyProfile | None = None
    engines_available: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The model of a run. ``reasoning`` is the level in force, ``effort`` the engine's word for it (or none)."""

    engine: str
    model: str
    model_id: str
    model_source: str
    reasoning: str
    reasoning_source: str
    reasoning_asked: str
    effort: str | None
    session_compatible: bool = True


class EntryKind(StrEnum):
    """What stands at a path."""

    FILE = "file"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"


@dataclass(frozen=True, slots=True)
class PathChange:
    """One changed path. ``kind``: added, modified, deleted, renamed, type_changed; a rename names both paths.

    ``link_target`` is the text of a symbolic link.
    """

    path: str
    old_path: str | None = None
    kind: str = "modified"
    entry: EntryKind = EntryKind.FILE
    link_target: str | None = None


@dataclass(frozen=True, slots=True)
class PathViolation:
    """A path that a result may not change: ``scope_violation`` or ``protected_path``."""

    code: str
    path: str


@dataclass(frozen=True, slots=True)
class LabelChange:
    """Keys to add to and take off one thread."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.add or self.remove)


@dataclass(frozen=True, slots=True)
class LabelMoves:
    """What happens to the labels of the issue, of its pull request and of the issue's other open links."""

    issue: LabelChange = LabelChange()
    pull_request: LabelChange = LabelChange()
    other_links: LabelChange = LabelChange()


class Moment(StrEnum):
    """When the platform moves labels."""

    RUN_STARTED = "run_started"
    SUCCEEDED_WITH_PULL_REQUEST = "succeeded_with_pull_request"
    SUCCEEDED_WITHOUT_PULL_REQUEST = "succeeded_without_pull_request"
    FAILED = "failed"
    CANCELLED = "cancelled"
    NEEDS_INPUT = "needs_input"
    BLOCKED = "blocked"
    APPROVED = "approved"
    MERGED = "merged"
    REVIEW_DISMISSED = "review_dismissed"
    PULL_REQUEST_CLOSED = "pull_request_closed"
    RETHINK_SUCCEEDED = "rethink_succeeded"
    REVIEWER_ENDED = "reviewer_ended"


class StepGroup(StrEnum):
    """What a next step is, in the order of display."""

    RETRY = "retry"
    REVISE = "revise"
    FORWARD = "forward"
    JUMP = "jump"
    REVIEWER = "reviewer"
    SIDE = "side"
    ESCALATION = "escalation"


@dataclass(frozen=True, slots=True)
class NextStep:
    """One step a person may take next. ``target`` is a label key; ``profile`` is set where the step fixes it."""

    group: StepGroup
    action_kind: str
    target: str
    variant: str
    recommended: bool = False
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class RepositoryLabel:
    """A label as the repository has it. ``color`` has no leading ``#``."""

    name: str
    color: str
    description: str


@dataclass(frozen=True, slots=True)
class CreateLabel:
    """The label is missing."""

    key: str
    label: RepositoryLabel


@dataclass(frozen=True, slots=True)
class UpdateLabel:
    """The label exists as ``name`` and differs in spelling, colour or description; renaming is in place."""

    key: str
    name: str
    label: RepositoryLabel


@dataclass(frozen=True, slots=True)
class KeepAsAlias:
    """The label was renamed, but a label with the new text exists already: the old one stays as an alias + incident."""

    key: str
    old_text: str
    new_text: str


BootstrapAction = CreateLabel | UpdateLabel | KeepAsAlias
