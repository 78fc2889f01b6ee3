"""The live reads of a next step: what intake's passes read before a decision, with the policy that is in force."""

from uuid import UUID

from stagewright.contexts.intake.ports import ForgeThreads
from stagewright.contexts.intake.reconcile.outside import Outside, look
from stagewright.contexts.intake.usecases import Seen
from stagewright.contexts.projects import api as projects
from stagewright.contexts.vault import api as vault
from stagewright.contexts.workflow import api as workflow
from stagewright.processes.common import Platform
from stagewright.processes.stacks import KeptStacks


class LiveThreads:
    """Reads threads with the stored credentials. The policy is the one in force: the gateway has no git."""

    def __init__(self, platform: Platform, threads: ForgeThreads) -> None:
        self._platform = platform
        self._outside = Outside(
            db=platform.db,
            clock=platform.clock,
            threads=threads,
            refresh_policy=self._policy,
            engines_available=self._engines,
            stacks=KeptStacks(platform.db),
        )

    async def look(self, repository: projects.Repository, fact: workflow.LabelEvent, policy: workflow.Policy) -> Seen:
        """Return what a decision about the act looks at on the forge."""
        return await look(self._outside, repository, fact, policy=policy)

    async def _policy(self, repository: projects.Repository) -> workflow.Policy:
        async with self._platform.db.reading() as reader:
            return await workflow.policy_in_force(reader, repository.id)

    async def _engines(self, project_id: UUID, repository_id: UUID) -> frozenset[str]:
        async with self._platform.db.reading() as reader:
            return await vault.engines_with_credential(reader, project_id=project_id, repository_id=repository_id)
