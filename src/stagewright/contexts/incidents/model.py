"""Words of the runtime error journal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class Level(StrEnum):
    """How bad it is: data or safety at risk, a promise broken, degraded and retried."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"


class IncidentState(StrEnum):
    """Whether it still counts. A recurrence of a resolved one opens a new row, linked to the old."""

    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What an incident leads to; each has a screen of its own."""

    run_id: UUID | None = None
    deploy_id: UUID | None = None
    environment_id: UUID | None = None
    namespace: str | None = None
    job_name: str | None = None
    request_id: UUID | None = None
    delivery_id: str | None = None


NO_LINKS = Links()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One problem as somebody told of it; its message is redacted."""

    level: str
    source: str
    code: str
    message: str
    details: Mapping[str, Any] = field(default_factory=dict, repr=False)
    stack: str | None = field(default=None, repr=False)
    frame: str | None = None
    project_id: UUID | None = None
    run_id: UUID | None = None
    links: Links = NO_LINKS
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """Equal problems of one place: one row while it is open, counted."""

    id: UUID
    fingerprint: bytes
    level: Level
    source: str
    code: str
    message: str
    details: Mapping[str, Any] = field(repr=False)
    stack: str | None = field(repr=False)
    project_id: UUID | None
    run_id: UUID | None
    deploy_id: UUID | None
    environment_id: UUID | None
    namespace: str | None
    job_name: str | None
    request_id: UUID | None
    delivery_id: str | None
    correlation_id: str | None
    count: int
    first_seen: datetime
    last_seen: datetime
    reopened_at: datetime
    state: IncidentState
    muted_until: datetime | None
    muted_reason: str | None
    muted_by: UUID | None
    resolved_at: datetime | None
    resolved_by: str | None
    resolved_reason: str | None
    previous_id: UUID | None
    version: int


@dataclass(frozen=True, slots=True)
class Seen:
    """An incident and when a person viewed it; viewed does not count once it was reopened since."""

    incident: Incident
    viewed_at: datetime | None

    @property
    def viewed(self) -> bool:
        """Say whether the person need not look again."""
        return self.viewed_at is not None and self.viewed_at >= self.incident.reopened_at
