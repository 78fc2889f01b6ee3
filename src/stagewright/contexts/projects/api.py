"""What other contexts may use of projects."""

from stagewright.contexts.projects.errors import ProjectNotFound, RepositoryNotFound
from stagewright.contexts.projects.model import (
    Binding,
    ForgeAccount,
    ForgeRepository,
    Project,
    ProjectId,
    Repository,
    RepositoryId,
    RepositoryState,
)
from stagewright.contexts.projects.store import (
    find_by_forge_id,
    find_project,
    find_repository,
    find_sealed_secrets,
    get_project,
    get_repository,
    list_by_name,
    list_enabled,
    list_projects,
    list_repositories,
    set_facts,
    set_label_texts,
    set_scanned,
)

__all__ = [
    "Binding",
    "ForgeAccount",
    "ForgeRepository",
    "Project",
    "ProjectId",
    "ProjectNotFound",
    "Repository",
    "RepositoryId",
    "RepositoryNotFound",
    "RepositoryState",
    "find_by_forge_id",
    "find_project",
    "find_repository",
    "find_sealed_secrets",
    "get_project",
    "get_repository",
    "list_by_name",
    "list_enabled",
    "list_projects",
    "list_repositories",
    "set_facts",
    "set_label_texts",
    "set_scanned",
]
