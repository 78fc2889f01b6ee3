"""Who is asked first: fair across projects, resumed runs before new ones. Limits are the policy's."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Candidate:
    """A queued run as admission sees it."""

    run_id: UUID
    project_id: UUID
    repository_id: UUID
    role: str
    mode: str
    resumed: bool
    created_at: datetime
    admission_reason: str | None = None
    blocked_by_talk: bool = False


@dataclass(frozen=True, slots=True)
class ProjectQueue:
    """A project that has queued runs."""

    project_id: UUID
    weight: int
    active: int
    last_admitted_at: datetime | None


def order_projects(projects: Iterable[ProjectQueue]) -> list[UUID]:
    """Order by smallest active ÷ weight, then least recently admitted (never admitted first)."""

    def key(item: ProjectQueue) -> tuple[float, float, str]:
        last = item.last_admitted_at.timestamp() if item.last_admitted_at else 0.0
        return (item.active / max(1, item.weight), last, str(item.project_id))

    return [item.project_id for item in sorted(projects, key=key)]


def order_candidates(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Resumed runs first, then by age."""
    return sorted(candidates, key=lambda item: (not item.resumed, item.created_at, str(item.run_id)))
