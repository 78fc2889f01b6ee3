"""Facts of the runtime error journal, and who has seen what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from stagewright.contexts.incidents.model import Incident
from stagewright.contexts.incidents.rules import incident_frame
from stagewright.kit.journal import Event


@dataclass(frozen=True, kw_only=True)
class IncidentFact(Event):
    """A fact of one incident; the body is its frame."""

    topic: ClassVar[str] = "incidents"

    incident: Incident

    def __post_init__(self) -> None:
        object.__setattr__(self, "project_id", self.incident.project_id)
        object.__setattr__(self, "run_id", self.incident.run_id)

    @property
    def stream(self) -> str:
        return f"incident:{self.incident.id}"

    def body(self) -> Mapping[str, Any]:
        return {"v": 1, **incident_frame(self.incident)}


class IncidentOpened(IncidentFact):
    kind = "incident.opened"


class IncidentRaised(IncidentFact):
    """It happened again: the frame has the new count and, it may be, a higher level."""

    kind = "incident.raised"


class IncidentMuted(IncidentFact):
    kind = "incident.muted"


class IncidentResolvedEvent(IncidentFact):
    kind = "incident.resolved"


@dataclass(frozen=True, kw_only=True)
class ViewFact(Event):
    """What a person has seen, on the person's own stream. Without an incident: all that were open at the time."""

    topic: ClassVar[str] = "inbox"

    user_id: UUID
    incident_id: UUID | None
    viewed_at: datetime | None

    @property
    def stream(self) -> str:
        return f"user:{self.user_id}"

    def body(self) -> Mapping[str, Any]:
        return {
            "v": 1,
            "user_id": str(self.user_id),
            "incident_id": str(self.incident_id) if self.incident_id else None,
            "viewed_at": self.viewed_at.isoformat() if self.viewed_at else None,
        }


class IncidentViewed(ViewFact):
    kind = "incident.viewed"


class IncidentUnviewed(ViewFact):
    kind = "incident.unviewed"
