"""Failures of the error journal."""

from stagewright.kit.errors import Conflict, NotFound


class IncidentNotFound(NotFound):
    """No such incident, or none the caller may see."""

    code = "incident.not_found"


class IncidentResolved(Conflict):
    """The incident is resolved: it hides already. Its recurrence would be a new one."""

    code = "incident.resolved"
