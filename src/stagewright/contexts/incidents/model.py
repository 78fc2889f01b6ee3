"""Words of the runtime error journal."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class Level(StrEnum):
    """How bad it is: data or safety at risk, a promise broken, degraded and retried."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Incident:
    """Equal problems of one place: one row while it is open, counted."""

    id: UUID
    fingerprint: bytes
    level: Level
    source: str
    code: str
    message: str
    details: Mapping[str, Any]
    project_id: UUID | None
    run_id: UUID | None
    correlation_id: str | None
    count: int
    first_seen: datetime
    last_seen: datetime
    reopened_at: datetime
    state: str
    version: int
