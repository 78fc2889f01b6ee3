"""Facts of projects and repositories; bodies are their frames."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from stagewright.contexts.projects.model import Project, Repository
from stagewright.kit.journal import Event


def project_frame(project: Project) -> dict[str, Any]:
    """Return the part of a project's view that is equal for all readers."""
    return {
        "id": str(project.id),
        "key": project.key,
        "name": project.name,
        "locale": project.locale,
        "weight": project.weight,
        "version": project.version,
        "created_at": project.created_at.isoformat(),
    }


def repository_frame(repository: Repository) -> dict[str, Any]:
    """Return the part of a repository's view that is equal for all readers."""
    return {
        "id": str(repository.id),
        "project_id": str(repository.project_id),
        "full_name": repository.full_name,
        "web_url": repository.web_url,
        "api_url": repository.api_url,
        "default_branch": repository.default_branch,
        "binding": repository.binding.value,
        "state": repository.state.value,
        "health": repository.health,
        "version": repository.version,
        "bound_at": repository.bound_at.isoformat(),
        "unbound_at": repository.unbound_at.isoformat() if repository.unbound_at else None,
    }


@dataclass(frozen=True, kw_only=True)
class ProjectFact(Event):
    """A fact of one project."""

    topic: ClassVar[str] = "projects"

    project: Project

    def __post_init__(self) -> None:
        object.__setattr__(self, "project_id", self.project.id)

    @property
    def stream(self) -> str:
        return f"project:{self.project.id}"

    def body(self) -> Mapping[str, Any]:
        return {"v": 1, **project_frame(self.project)}


class ProjectCreated(ProjectFact):
    kind = "project.created"


class ProjectChangedEvent(ProjectFact):
    kind = "project.changed"


@dataclass(frozen=True, kw_only=True)
class RepositoryFact(Event):
    """A fact of one repository."""

    topic: ClassVar[str] = "projects"

    repository: Repository
    extra: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "project_id", self.repository.project_id)

    @property
    def stream(self) -> str:
        return f"repository:{self.repository.id}"

    def body(self) -> Mapping[str, Any]:
        return {"v": 1, **repository_frame(self.repository), **(self.extra or {})}


class RepositoryBound(RepositoryFact):
    kind = "repository.bound"


class RepositoryChanged(RepositoryFact):
    kind = "repository.changed"


class RepositoryUnbound(RepositoryFact):
    kind = "repository.unbound"


class LabelDrifted(RepositoryFact):
    """Somebody changed a managed label on the forge; the next bootstrap restores it."""

    kind = "repository.label_drifted"


class LabelsSynced(RepositoryFact):
    kind = "repository.labels_synced"
