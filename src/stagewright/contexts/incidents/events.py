"""Facts of the runtime error journal."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from stagewright.contexts.incidents.model import Incident
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
        item = self.incident
        return {
            "v": 1,
            "id": str(item.id),
            "level": item.level.value,
            "source": item.source,
            "code": item.code,
            "message": item.message,
            "count": item.count,
            "state": item.state,
            "version": item.version,
        }


class IncidentOpened(IncidentFact):
    kind = "incident.opened"


class IncidentRaised(IncidentFact):
    kind = "incident.raised"
