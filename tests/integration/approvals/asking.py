"""A request about a run's start, as the worker opens it, and the hands that decide and redeem it."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from tests import factories
from tests.fakes.gateway import Gateway, Person

from stagewright.contexts.approvals import api as approvals
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.crypto import MacSigner

SIGNER = MacSigner(factories.KEYRING, approvals.PURPOSE)
WHERE = approvals.Circumstances("ai_repair", "sre", "code-only", "production")


def display() -> dict[str, Any]:
    """Return what an approver is shown, as codes."""
    return {
        "effect": {"code": "run.start", "params": {"kind": "ai_repair", "repository": "acme/shop"}},
        "requester": {
            "run_number": "run-0001",
            "kind": "ai_repair",
            "role": "sre",
            "mode": "code-only",
            "stage": None,
            "issue_number": 1,
            "pr_number": None,
            "initiator_kind": "forge",
            "initiator": "ann",
        },
        "lines": [{"section": "target", "label": "repository", "value": "acme/shop"}],
    }


@dataclass
class Scene:
    """A project with a run that waits to be approved, its owner and another admin."""

    gateway: Gateway
    project: projects.Project
    repository: projects.Repository
    run: runs.Run
    owner: Person
    admin: Person

    def action(self, **changes: Any) -> approvals.Action:
        """Return the action."""
        made = approvals.Action(
            name="run.start",
            project_id=self.project.id,
            repository_id=self.repository.id,
            run_id=self.run.id,
            arguments={"kind": "ai_repair"},
            target={"environment": "production"},
        )
        return replace(made, **changes)

    async def ask(
        self, *, initiator: UUID | None = None, row: workflow.ApprovalRow | None = None, **changes: Any
    ) -> approvals.Request:
        """Open a request."""
        wanted = approvals.Wanted(
            action=self.action(**changes),
            circumstances=WHERE,
            display=display(),
            initiator_id=initiator,
            target_name="acme/shop",
        )
        row = row or approvals.row_for(workflow.builtin_policy(), "run.start", WHERE)
        assert row is not None
        async with self.gateway.db.transaction() as tx:
            return await approvals.open_request(tx, wanted, row, signer=SIGNER, now=self.gateway.clock.now())

    async def approve(self, request: approvals.Request, who: Person, **changes: Any) -> Any:
        """Approve as the console does: look at the preview, type the name."""
        body = {"decision": "approve", "action_hash": request.action_hash}
        place = f"/approvals/{request.id}:decide"
        seen = (await self.gateway.post(f"{place}?preview=true", who, body)).json()
        typed = {"confirm_token": seen["confirm_token"], "confirm_name": seen["confirm_name"]}
        return await self.gateway.post(place, who, body | typed | changes)

    async def redeem(self, request: approvals.Request, action_hash: str | None = None) -> approvals.Request:
        """Redeem as the executor does."""
        async with self.gateway.db.transaction() as tx:
            return await approvals.redeem(
                tx, request.id, action_hash or request.action_hash, signer=SIGNER, now=self.gateway.clock.now()
            )

    async def read(self, request: approvals.Request) -> approvals.Request:
        """Return the request as it is now."""
        async with self.gateway.db.reading() as reader:
            return (await approvals.list_many(reader, [request.id]))[0]


async def a_scene(gateway: Gateway) -> Scene:
    """Make the scene."""
    project, repository, run = await gateway.scene()
    owner = await gateway.person("root", role="owner")
    admin = await gateway.person("ann", member_of=project, member_as="admin")
    return Scene(gateway, project, repository, run, owner, admin)
