"""What other contexts and the processes may use of the error journal."""

from stagewright.contexts.incidents.events import IncidentFact, ViewFact
from stagewright.contexts.incidents.model import Incident, IncidentState, Level, Links, Report, Seen
from stagewright.contexts.incidents.rules import incident_frame, own_frame
from stagewright.contexts.incidents.store import list_newest
from stagewright.contexts.incidents.usecases.pace import Pace, paced
from stagewright.contexts.incidents.usecases.reporting import report, write
from stagewright.contexts.incidents.views import ALERTS, alert_stack, count_open, list_page

__all__ = [
    "ALERTS",
    "Incident",
    "IncidentFact",
    "IncidentState",
    "Level",
    "Links",
    "Pace",
    "Report",
    "Seen",
    "ViewFact",
    "alert_stack",
    "count_open",
    "incident_frame",
    "list_newest",
    "list_page",
    "own_frame",
    "paced",
    "report",
    "write",
]
