"""The row of the matrix that decides for a request under the policy in force now, and who may decide by it."""

from uuid import UUID

from stagewright.contexts.approvals.model import ApprovalLevel, Circumstances, Request
from stagewright.contexts.approvals.rules.actions import policy_version
from stagewright.contexts.approvals.rules.deciding import permission_for
from stagewright.contexts.identity import api as identity
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Reader


def row_for(policy: workflow.Policy, action: str, where: Circumstances) -> workflow.ApprovalRow | None:
    """Return the first row that decides; None, as a row that denies, means that nobody may."""
    row = workflow.match_row(
        policy.approvals, action, kind=where.kind, role=where.role, mode=workflow.Mode(where.mode), env=where.env
    )
    return row if row is not None and row.approval != "deny" else None


async def is_current(reader: Reader, request: Request) -> bool:
    """Say whether the policy in force still decides by the row that the request was opened under."""
    where = Circumstances(request.run_kind, request.run_role, request.run_mode, request.env)
    if request.repository_id is None:
        policy = workflow.builtin_policy()
    else:
        policy = await workflow.policy_in_force(reader, request.repository_id)
    row = row_for(policy, request.action, where)
    return row is not None and policy_version(row) == request.policy_version


async def list_deciders(reader: Reader, project_id: UUID, level: ApprovalLevel) -> list[UUID]:
    """Return the active users who may decide requests of ``level`` in the project."""
    return await identity.list_who_may(reader, permission_for(level), project_id)
