"""What other contexts may use of projects."""

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

__all__ = [
    "Binding",
    "ForgeAccount",
    "ForgeRepository",
    "Project",
    "ProjectId",
    "Repository",
    "RepositoryId",
    "RepositoryState",
]
