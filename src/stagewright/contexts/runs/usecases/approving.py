"""What of a run a person approves: its start, and the publication of a held result (specification: tools, section 7).

The run's row is locked before its requests, as everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from stagewright.contexts.approvals import api as approvals
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs.model import Run, WaitKind
from stagewright.contexts.runs.rules import asking
from stagewright.contexts.runs.usecases import moves
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.crypto import MacSigner
from stagewright.kit.db import Tx

State = approvals.RequestState
NOBODY = "owner_rejected"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be approved, with the lines that its approver is shown."""

    action: approvals.Action
    lines: Sequence[Mapping[str, Any]]

    @property
    def hash(self) -> str:
        """Return the hash that a decision names and that is recomputed before the act."""
        return approvals.hash_of(approvals.action_body(self.action))


async def may_start(tx: Tx, run: Run, *, signer: MacSigner, now: datetime) -> bool:
    """Say whether the admitted run may have its first attempt; else it waits, or has failed.

    An approval is redeemed in the transaction of the admission; later attempts of the run need no other one.
    """
    policy = await workflow.policy_in_force(tx, run.repository_id)
    kind = workflow.kind_of(policy, run.kind)
    row = approvals.row_for(policy, asking.START, circumstances(run, policy))
    if row is None:
        if kind.kind_class is not workflow.KindClass.REPAIR:
            return True
        await moves.fail(tx, run, NOBODY, now=now, detail="the policy has no row that lets anybody approve this start")
        return False
    repository = await projects.get_repository(tx, run.repository_id)
    wish = Wish(asking.start_action(run), asking.start_lines(run, repository.full_name))
    asked = await approvals.find_newest(tx, run.id, asking.START)
    if asked is not None and asked.state is State.APPLIED:
        return True
    if asked is None or asked.state is not State.APPROVED:
        asked = await open_request(tx, run, wish, row, signer=signer, now=now)
    if asked.state is State.APPROVED:
        asked = await approvals.redeem(tx, asked.id, wish.hash, signer=signer, now=now)
    if asked.state is State.APPLYING:
        await approvals.settle(tx, asked.id, applied=True, now=now)
        return True
    if asked.state is State.VOID:
        asked = await open_request(tx, run, wish, row, signer=signer, now=now)
    await wait_for(tx, replace(run, admission_reason=None), asked, WaitKind.APPROVAL, now=now)
    return False


def circumstances(run: Run, policy: workflow.Policy) -> approvals.Circumstances:
    """Return what of the run chooses the row: without a cluster too, a kind of production is decided on as such."""
    env = workflow.target_environment(run.kind, workflow.Mode.FULL_ENV, policy)
    return approvals.Circumstances(run.kind, run.role, run.mode, env or "ai")


async def open_request(
    tx: Tx, run: Run, wish: Wish, row: workflow.ApprovalRow, *, signer: MacSigner, now: datetime
) -> approvals.Request:
    """Open the request of the run, or join the open one."""
    policy = await workflow.policy_in_force(tx, run.repository_id)
    repository = await projects.get_repository(tx, run.repository_id)
    wanted = approvals.Wanted(
        action=wish.action,
        circumstances=circumstances(run, policy),
        display={
            "effect": asking.effect(run, wish.action, repository.full_name),
            "requester": asking.requester(run),
            "lines": [dict(line) for line in wish.lines],
            "hidden_characters": 0,
        },
        initiator_id=UUID(run.world.initiator) if run.world.initiator else None,
        target_name=repository.full_name,
    )
    return await approvals.open_request(tx, wanted, row, signer=signer, now=now)


async def wait_for(tx: Tx, run: Run, asked: approvals.Request, kind: WaitKind, *, now: datetime) -> Run:
    """Let the run wait for the decision: no workload, no running clock."""
    await moves.open_wait(
        tx,
        run,
        kind,
        target_kind=asked.action,
        target_id=str(asked.id),
        who_can_act=approvals.permission_for(asked.level).value,
        deadline_at=asked.expires_at,
        now=now,
    )
    return await moves.pause(tx, run, now=now)
