"""No stack engine: whatever a repository holds, nothing of it is declared, and no cluster is configured."""

from stagewright.contexts.projects.model import Repository
from stagewright.contexts.workflow.model.decisions import DeclaredDeploy
from stagewright.contexts.workflow.model.outcomes import DeclaredRuntime


class NoStacks:
    """Answers *absent* to every question, so that stages of a full environment work on code only and say so."""

    cluster = False

    async def runtime(self, repository: Repository) -> DeclaredRuntime | None:
        """Return None: nothing reads a ``services.yaml``."""
        return None

    async def deploy(self, repository: Repository) -> DeclaredDeploy | None:
        """Return None, as above."""
        return None
