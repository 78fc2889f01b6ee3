"""What one pass knows of a finishing run, and why it may end without being published."""

from dataclasses import dataclass

from stagewright.contexts.projects.api import Repository, get_repository
from stagewright.contexts.runs.model import Effect, Link, Run, RunStatus
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.store import effects as effect_rows
from stagewright.contexts.runs.store import links as link_rows
from stagewright.contexts.runs.store import results as result_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store.results import Proposal
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.errors import Conflict


class PublishRefused(Conflict):
    """The result cannot be published any more; ``code`` is the reason the run fails with."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail, code=code)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A finishing run with its accepted result."""

    run: Run
    repository: Repository
    policy: workflow.Policy
    proposal: Proposal
    effects: list[Effect]
    link: Link | None

    @property
    def kind(self) -> workflow.Kind:
        """Return the run's row of the policy."""
        return workflow.kind_of(self.policy, self.run.kind)

    @property
    def merged_base_sha(self) -> str | None:
        """Return the second parent: what the agent merged of the default branch, as the check verified it."""
        return self.proposal.report.get("merged_base_sha") or None


async def read_delivery(outside: Outside, run: Run) -> Delivery | None:
    """Read the rows; None when the run is not finishing any more."""
    async with outside.db.reading() as reader:
        current = await run_rows.get(reader, run.id)
        proposal = await result_rows.find_accepted(reader, run.id)
        if current.status is not RunStatus.FINISHING or proposal is None:
            return None
        link = await link_rows.find(reader, run.repository_id, current.pr_number) if current.pr_number else None
        return Delivery(
            run=current,
            repository=await get_repository(reader, run.repository_id),
            policy=await workflow.policy_in_force(reader, run.repository_id),
            proposal=proposal,
            effects=await effect_rows.list_of(reader, run.id),
            link=link,
        )
