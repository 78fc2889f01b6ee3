"""What projects declare in their stacks, as the worker read it last: for decisions and for previews of them."""

from stagewright.contexts.deploys import api as deploys
from stagewright.contexts.projects.api import Repository
from stagewright.contexts.workflow.api import DeclaredDeploy, DeclaredRuntime
from stagewright.kit.db import Database


class KeptStacks:
    """Answers from the rows that ``deploys`` keeps; needs no git. ``cluster``: nothing runs a full environment yet."""

    cluster = False

    def __init__(self, db: Database) -> None:
        self._db = db

    async def runtime(self, repository: Repository) -> DeclaredRuntime | None:
        """Return the declared modes and environments; None where there is no stack, or it was never read."""
        async with self._db.reading() as reader:
            return await deploys.declared_runtime(reader, repository.id)

    async def deploy(self, repository: Repository) -> DeclaredDeploy | None:
        """Return what is declared of deploys by push, or None as above."""
        async with self._db.reading() as reader:
            return await deploys.declared_deploy(reader, repository.id)
