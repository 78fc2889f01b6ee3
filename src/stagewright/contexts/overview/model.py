"""Words of the overview: what can need a person, and the figures of a day."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class InboxKind(StrEnum):
    """What an item of the inbox asks for."""

    APPROVAL = "approval"
    QUESTION = "question"
    OWNER_REVIEW = "owner_review"
    BUDGET = "budget"
    REVIEW = "review"
    MANUAL_STEP = "manual_step"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item comes from."""

    project_id: UUID | None = None
    project: str | None = None
    repository: str | None = None
    run_id: UUID | None = None
    run_number: str | None = None
    stage: str | None = None
    issue_number: int | None = None
    pr_number: int | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """What happens if nobody acts: the effect's word, its code, and when; without a time it stays as it is."""

    effect: str
    code: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxItem:
    """One thing that needs a person. ``asks`` and ``why`` are codes with ``params``; clients put them into words."""

    id: str
    kind: InboxKind
    asks: str
    why: str | None
    params: Mapping[str, Any] = field(default_factory=dict)
    since: datetime
    answers: tuple[tuple[str, str], ...]
    if_nothing: Nothing
    place: Place
    url: str | None = None
    wait_id: UUID | None = None
    incident_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """An open wait with its run, as the inbox reads it."""

    wait_id: UUID
    kind: str
    target_kind: str
    target_id: str
    who_can_act: str
    opened_at: datetime
    deadline_at: datetime | None
    resume_at: datetime | None
    mark: str | None
    waiting_since: datetime
    question: str | None
    run_id: UUID
    number: int
    stage: str | None
    issue_number: int | None
    pr_number: int | None
    project_id: UUID
    project: str
    repository: str
    web_url: str


@dataclass(frozen=True, slots=True)
class FailedRow:
    """A failed run that nothing followed."""

    run_id: UUID
    number: int
    stage: str | None
    kind: str
    issue_number: int | None
    pr_number: int | None
    failure_class: str
    code: str | None
    detail: str | None
    finished_at: datetime
    project_id: UUID
    project: str
    repository: str
    web_url: str


@dataclass(frozen=True, slots=True)
class ReviewRow:
    """A pull request of ours that waits for people."""

    repository_id: UUID
    pr_number: int
    issue_number: int | None
    stage: str
    url: str
    since: datetime
    run_id: UUID
    number: int
    project_id: UUID
    project: str
    repository: str


@dataclass(frozen=True, slots=True)
class Snooze:
    """A person does not want to see an item until then, unless it comes up anew."""

    item: str
    until: datetime
    snoozed_at: datetime


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What happened on a day: runs begun and ended, their active seconds, tokens and cost; how long waits took.

    ``waits`` ended on the day, ``approvals`` are those of them that a person approved or denied something by.
    """

    day: date
    started: int
    succeeded: int
    failed: int
    cancelled: int
    active_seconds: int
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    cost_micros: int | None
    waits: int
    waited_seconds: int
    approvals: int
    pull_requests: int


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """An Issue or pull request as the last delivery or scan told of it. ``labels`` are texts."""

    number: int
    is_pull_request: bool
    state: str
    labels: tuple[str, ...]
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """The launch profile that is stored for an Issue."""

    profile: str
    source: str
    updated_by: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class LineageRun:
    """A run of an Issue as its lineage shows it. ``waits_for`` is the kind of its oldest open wait, ``escalation``
    the profile its agent proposed."""

    id: UUID
    number: int
    kind: str
    stage: str | None
    role: str
    lane: str
    status: str
    failure_class: str | None
    code: str | None
    trigger_source: str
    trigger_label: str | None
    requested_by_kind: str
    requested_by: str
    requester_name: str
    launch_profile: str | None
    revises_run_id: UUID | None
    pr_number: int | None
    branch: str | None
    base_sha: str | None
    mode: str
    model: str | None
    active_seconds: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    version: int
    waits_for: str | None
    comment_url: str | None
    escalation: str | None

    @property
    def over(self) -> bool:
        """Say whether nothing follows."""
        return self.status in ("succeeded", "failed", "cancelled")
