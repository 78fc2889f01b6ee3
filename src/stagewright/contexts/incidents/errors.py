"""Failures of the error journal."""

from stagewright.kit.errors import NotFound


class IncidentNotFound(NotFound):
    """No such incident, or none the caller may see."""

    code = "incident.not_found"
