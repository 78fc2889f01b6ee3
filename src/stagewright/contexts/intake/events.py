"""Facts of deliveries (specification: runs, section 12, rows ``webhook.*``)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from stagewright.kit.journal import Event


@dataclass(frozen=True, kw_only=True)
class WebhookFact(Event):
    """A delivery was decided."""

    topic: ClassVar[str] = "labels"

    delivery_id: str | None
    event: str
    action: str | None
    sender: str | None
    repository_id: UUID | None
    repository: str | None
    thread: int | None
    label: str | None

    @property
    def stream(self) -> str:
        if self.repository_id is None:
            return "webhooks"
        return f"thread:{self.repository_id}:{self.thread or 0}"

    def body(self) -> Mapping[str, Any]:
        return {
            "v": 1,
            "delivery_id": self.delivery_id,
            "event": self.event,
            "action": self.action,
            "sender": self.sender,
            "repository": self.repository,
            "thread": self.thread,
            "label": self.label,
        }


@dataclass(frozen=True, kw_only=True)
class StageEscalated(Event):
    """The Issue's launch profile was raised: its own has no such stage, or a person chose a longer path."""

    kind: ClassVar[str] = "run.stage.escalated"
    topic: ClassVar[str] = "labels"

    repository_id: UUID
    thread: int
    before: str
    after: str
    reasons: tuple[str, ...]
    trigger_label: str

    @property
    def stream(self) -> str:
        return f"thread:{self.repository_id}:{self.thread}"

    def body(self) -> Mapping[str, Any]:
        return {
            "v": 1,
            "issue": self.thread,
            "from": self.before,
            "to": self.after,
            "reasons": list(self.reasons),
            "trigger_label": self.trigger_label,
        }


@dataclass(frozen=True, kw_only=True)
class WebhookReceived(WebhookFact):
    """A delivery started something."""

    kind: ClassVar[str] = "webhook.received"

    run_id_started: UUID | None = None

    def body(self) -> Mapping[str, Any]:
        started = str(self.run_id_started) if self.run_id_started else None
        return {**super().body(), "run": started}


@dataclass(frozen=True, kw_only=True)
class WebhookIgnored(WebhookFact):
    """A delivery started nothing: ignored or refused, with the reason."""

    kind: ClassVar[str] = "webhook.ignored"

    verdict: str
    reason: str
    binding_resolved: bool
    conflicting_labels: tuple[str, ...] = ()
    suggested_labels: tuple[str, ...] = ()

    def body(self) -> Mapping[str, Any]:
        return {
            **super().body(),
            "verdict": self.verdict,
            "reason": self.reason,
            "binding_resolved": self.binding_resolved,
            "conflicting_labels": list(self.conflicting_labels),
            "suggested_labels": list(self.suggested_labels),
        }


@dataclass(frozen=True, kw_only=True)
class ReviewFact(Event):
    """A review asked for changes: what was found of the stage it is about, and what became of it."""

    topic: ClassVar[str] = "labels"

    repository_id: UUID
    repository: str
    pr: int
    issue: int | None
    resolver_source: str
    trigger_label: str | None
    trigger_kind: str | None
    reason: str | None
    conflicting_labels: tuple[str, ...] = ()
    suggested_labels: tuple[str, ...] = ()

    @property
    def stream(self) -> str:
        return f"thread:{self.repository_id}:{self.pr}"

    def body(self) -> Mapping[str, Any]:
        return {
            "v": 1,
            "repository": self.repository,
            "pr": self.pr,
            "issue": self.issue,
            "resolver_source": self.resolver_source,
            "trigger_label": self.trigger_label,
            "trigger_kind": self.trigger_kind,
            "reason": self.reason,
            "conflicting_labels": list(self.conflicting_labels),
            "suggested_labels": list(self.suggested_labels),
        }


class ReviewReceived(ReviewFact):
    kind = "run.review.changes_requested.received"


class StageResolved(ReviewFact):
    kind = "run.revise.stage_resolved"


class StageAmbiguous(ReviewFact):
    kind = "run.revise.stage_ambiguous"


@dataclass(frozen=True, kw_only=True)
class StepFact(Event):
    """A person took a next step with us, or was refused it."""

    topic: ClassVar[str] = "labels"

    repository_id: UUID
    thread: int
    action_kind: str
    target_label: str
    variant: str
    removed_labels: tuple[str, ...]
    added_labels: tuple[str, ...]
    reason: str | None = None

    @property
    def stream(self) -> str:
        return f"thread:{self.repository_id}:{self.thread}"

    def body(self) -> Mapping[str, Any]:
        return {
            "v": 1,
            "action_kind": self.action_kind,
            "target_label": self.target_label,
            "variant": self.variant,
            "removed_labels": list(self.removed_labels),
            "added_labels": list(self.added_labels),
            "reason": self.reason,
        }


class NextStepExecuted(StepFact):
    kind = "run.next_step.executed"


class NextStepRefused(StepFact):
    kind = "run.next_step.refused"
