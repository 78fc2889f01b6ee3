"""What other contexts may use of the error journal."""

from stagewright.contexts.incidents.model import Incident, Level
from stagewright.contexts.incidents.store import list_newest
from stagewright.contexts.incidents.usecases import report

__all__ = ["Incident", "Level", "list_newest", "report"]
