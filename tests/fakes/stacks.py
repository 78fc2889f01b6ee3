"""What projects declare, as a test wishes; nothing unless it does."""

from dataclasses import dataclass

from stagewright.contexts.projects.api import Repository
from stagewright.contexts.workflow.api import DeclaredDeploy, DeclaredRuntime


@dataclass
class FakeStacks:
    """Says the same of every repository."""

    of_runtime: DeclaredRuntime | None = None
    of_deploy: DeclaredDeploy | None = None
    cluster: bool = False

    async def runtime(self, repository: Repository) -> DeclaredRuntime | None:
        """Return the wished answer."""
        return self.of_runtime

    async def deploy(self, repository: Repository) -> DeclaredDeploy | None:
        """Return the wished answer."""
        return self.of_deploy
