"""What other contexts and the processes may use of the error journal."""

from stagewright.contexts.incidents.events import IncidentFact, ViewFact
from stagewright.contexts.incidents.model import Incident, IncidentState, Level, Links, Seen
from stagewright.contexts.incidents.rules import fingerprint, incident_frame, own_frame
from stagewright.contexts.incidents.store import list_newest
from stagewright.contexts.incidents.usecases import report
from stagewright.contexts.incidents.views import ALERTS, alert_stack, count_open, list_page

__all__ = [
    "ALERTS",
    "Incident",
    "IncidentFact",
    "IncidentState",
    "Level",
    "Links",
    "Seen",
    "ViewFact",
    "alert_stack",
    "count_open",
    "fingerprint",
    "incident_frame",
    "list_newest",
    "list_page",
    "own_frame",
    "report",
]
