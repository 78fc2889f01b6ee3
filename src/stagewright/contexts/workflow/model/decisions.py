"""What `decide` takes and gives: the fact, the world it happened in, and the decision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from stagewright.contexts.workflow.model.outcomes import DeclaredRuntime
from stagewright.contexts.workflow.model.policy import NO_MAP, KindClass, Mode
from stagewright.contexts.workflow.model.reasons import IgnoreReason


@dataclass(frozen=True, slots=True)
class Sender:
    """Who did it, as the payload says."""

    type: str | None
    login: str | None
    user_id: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What the platform knows of the sender now. ``forge_permission`` was read at most 60 s ago; ``signed_in``: the
    person acts in the console or by an API token, so the platform knows them without an account of the forge."""

    platform_user: bool
    platform_role: str | None
    project_role: str | None
    member: bool
    may_start: bool
    forge_permission: str | None
    signed_in: bool = False


NOBODY = Standing(
    platform_user=False, platform_role=None, project_role=None, member=False, may_start=False, forge_permission=None
)


class TriggerSource(StrEnum):
    """How the platform came to know of a trigger."""

    WEBHOOK = "webhook"
    SCAN = "scan"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadAct:
    """Something happened to one thread: who did it, and when by the forge's clock."""

    event: str
    action: str
    thread: int
    is_pull_request: bool
    sender: Sender
    occurred_at: datetime
    repository_named_ok: bool = True
    source: str = TriggerSource.WEBHOOK


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelEvent(ThreadAct):
    """A label was put on a thread or taken off it (``action`` is ``labeled`` or ``unlabeled``)."""

    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndEvent(ThreadAct):
    """A thread came to its end (``action`` is ``closed``, ``deleted`` or ``transferred``)."""


@dataclass(frozen=True, slots=True)
class OtherEvent:
    """Anything else that was delivered. ``names_repository`` is false for deliveries about no repository."""

    event: str
    action: str | None = None
    repository_named_ok: bool = True
    names_repository: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewEvent(ThreadAct):
    """A review of a pull request was given or taken back. ``state``: approved, changes_requested, commented,
    dismissed; ``action``: submitted, dismissed, edited."""

    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PushEvent:
    """Commits came to a ref, or it was deleted. ``after`` is the SHA it has now; all zeros where it has none."""

    ref: str
    after: str
    deleted: bool = False
    sender: Sender = Sender(None, None, None)
    repository_named_ok: bool = True
    event: str = "push"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentEvent(ThreadAct):
    """A comment was written on a thread, changed or deleted (``action`` is ``created``, ``edited``, ``deleted``)."""

    comment_id: int
    body: str = ""


ThreadFact = LabelEvent | EndEvent | ReviewEvent | CommentEvent
Fact = ThreadFact | PushEvent | OtherEvent


@dataclass(frozen=True, slots=True)
class LiveThread:
    """The thread as the forge showed it just now. ``labels`` are texts."""

    number: int
    is_pull_request: bool
    open: bool
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ActiveRun:
    """A run that is not over. ``label`` is the key of its trigger label, ``pr_number`` the pull request it revises,
    ``since`` the time of the act that asked for it."""

    id: str
    number: int
    kind: str
    label: str | None
    pr_number: int | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A run of the issue waits for the answer to its report, since ``asked_at``."""

    run: ActiveRun
    wait_id: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """A pull request of the issue. ``state``: in_review, approved, merged, closed, superseded. ``labels`` are texts.

    ``scope_any``: its stage has scope ``any``; ``closes_issue``: its merge closes the Issue. ``None`` lets the policy
    say. ``merged_at`` is the forge's time.
    """

    stage: str
    branch: str
    state: str
    in_this_repository: bool
    pr_number: int
    head_sha: str
    scope_any: bool | None = None
    labels: tuple[str, ...] = ()
    closes_issue: bool | None = None
    merged_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the pull request is open and not superseded."""
        return self.state in ("in_review", "approved")


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The pull request that a review is about or asked for, read live, and the Issue it belongs to.

    ``issues``: its link's Issue, else those named by its closing references (``closes``) and by runs with its number;
    ``managed``: one of those has a run; ``issue``: the thread of its link's Issue, else of the only one named;
    ``last_stage``: the stage of the newest succeeded run of that Issue that has a revise form.
    """

    open: bool
    in_this_repository: bool
    branch: str
    head_sha: str
    link: Link | None = None
    issues: tuple[int, ...] = ()
    managed: bool = False
    issue: LiveThread | None = None
    last_stage: str | None = None
    closes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredDeploy:
    """What the project's ``services.yaml`` says of deploys by push. ``bumps``: versions whose ``bumpOn`` the pushed
    paths match."""

    production: bool
    on_push: bool = True
    bumps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeployRun:
    """The deploy run of a ref that is not over."""

    id: str
    queued: bool


@dataclass(frozen=True, slots=True)
class PushWorld:
    """What surrounds a push. ``declared`` is None where no stack engine or no ``services.yaml`` exists;
    ``superseded``: the SHA is an ancestor of one that is requested or deployed already."""

    default_branch: str
    declared: DeclaredDeploy | None = None
    cluster: bool = False
    superseded: bool = False
    deploy_run: DeployRun | None = None


class ProfileSource(StrEnum):
    """How an issue came by its launch profile. ``default`` is provisional."""

    DEFAULT = "default"
    CHOSEN = "chosen"
    ESCALATED = "escalated"
    RESTARTED = "restarted"


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """The launch profile an issue has."""

    profile: str
    source: ProfileSource

    @property
    def provisional(self) -> bool:
        """Whether nobody chose it yet."""
        return self.source is ProfileSource.DEFAULT


@dataclass(frozen=True, slots=True)
class World:
    """Everything read before the decision. ``links`` are newest first; ``handled_at`` is the newest ledger time of
    this thread and label; ``platform_needs_input``: ``need:input`` on the issue is the platform's own; ``last_stage``:
    the stage of the issue's newest succeeded run; ``question``: what the work run asks in its report;
    ``project_repair``: a project has one repair at a time, of whatever issue."""

    bound: bool
    enabled: bool
    bound_at: datetime | None
    now: datetime
    thread: LiveThread | None
    standing: Standing
    active_work_run: ActiveRun | None = None
    project_repair: ActiveRun | None = None
    talk_run: ActiveRun | None = None
    review_run: ActiveRun | None = None
    links: tuple[Link, ...] = ()
    handled_at: datetime | None = None
    own_effect: bool = False
    reviewed: Reviewed | None = None
    push: PushWorld | None = None
    declared: DeclaredRuntime | None = None
    engines_available: frozenset[str] = frozenset()
    profile: StoredProfile | None = None
    succeeded_stages: frozenset[str] = frozenset()
    platform_needs_input: bool = False
    accepted_result: bool = False
    last_stage: str | None = None
    question: Question | None = None


@dataclass(frozen=True, slots=True)
class Build:
    """The commit to deploy. ``replaces``: a queued run takes this SHA instead of its own; ``follows``: it waits for
    the end of this active run."""

    ref: str
    sha: str
    replaces: str | None = None
    follows: str | None = None


@dataclass(frozen=True, slots=True)
class StartRequest:
    """The run to request. ``profile`` is what the issue's row holds afterwards; ``skipped`` names stages that the
    profile wanted first; ``target`` is the link to revise or to review; ``candidate`` the link a late stage works on;
    ``build`` what a deploy builds."""

    kind: str
    kind_class: KindClass
    stage: str | None
    role: str | None
    label_key: str
    revise: bool
    scope: str
    mode: Mode
    limit_minutes: int
    profile: StoredProfile
    escalated_from: str | None = None
    skipped: tuple[str, ...] = ()
    target: Link | None = None
    candidate: Link | None = None
    issue: int | None = None
    ends_talk_run: str | None = None
    lane: str = "work"
    build: Build | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """Request this run."""

    request: StartRequest


@dataclass(frozen=True, slots=True)
class Answer:
    """Let the run go on that waits for ``question``: with the permitted comments made since it asked. A way to start:
    its stored word is that of ``Start``."""

    question: Question


@dataclass(frozen=True, slots=True)
class Ignore:
    """Nothing follows; only the journal knows."""

    reason: IgnoreReason


@dataclass(frozen=True, slots=True)
class Remedy:
    """What the refused person can do: parameters of the reason's text in every locale."""

    params: Mapping[str, str] = field(default_factory=lambda: NO_MAP)


@dataclass(frozen=True, slots=True)
class Refuse:
    """Nothing starts, and the person is told why. ``conflicting`` and ``suggested`` are texts of this project.

    ``comment``: write the diagnostic comment; ``remove_label``: take the trigger label off; ``add_need_input``: put
    ``need:input`` on the issue.
    """

    reason: str
    remedy: Remedy = field(default_factory=Remedy)
    conflicting: tuple[str, ...] = ()
    suggested: tuple[str, ...] = ()
    comment: bool = True
    remove_label: bool = True
    add_need_input: bool = False


@dataclass(frozen=True, slots=True)
class Cleanup:
    """End what belongs to the thread: runs to cancel for ``cause``, the talk run (with the code it ends with), and the
    environments, which are released."""

    cause: str
    cancel: tuple[ActiveRun, ...] = ()
    end_talk: str | None = None
    release_environments: bool = False


Decision = Start | Answer | Ignore | Refuse | Cleanup
