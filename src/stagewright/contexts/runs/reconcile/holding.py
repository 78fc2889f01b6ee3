"""Hold what only an owner may accept, until exactly this tree was accepted (specification: runs, section 8.4)."""

from dataclasses import dataclass
from uuid import UUID

from stagewright.contexts.approvals import api as approvals
from stagewright.contexts.runs import events
from stagewright.contexts.runs.model import Run, RunStatus, WaitKind
from stagewright.contexts.runs.reconcile.delivery import Delivery
from stagewright.contexts.runs.reconcile.outside import Outside
from stagewright.contexts.runs.rules import asking
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.usecases import approving, moves
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Tx

State = approvals.RequestState
PATHS_TOLD = 10
PATH_TOLD = 200


@dataclass(frozen=True, slots=True)
class Permit:
    """May the result be published? ``request`` is the approval to redeem with the push; None where nobody is asked."""

    given: bool
    request: UUID | None = None
    hash: str = ""

    async def use(self, tx: Tx, outside: Outside) -> bool:
        """Burn the approval for the bytes about to be pushed; False when it does not hold any more."""
        if self.request is None:
            return True
        now = outside.clock.now()
        redeemed = await approvals.redeem(tx, self.request, self.hash, signer=outside.signer, now=now)
        return redeemed.state is State.APPLYING

    async def withdraw(self, tx: Tx, outside: Outside, code: str) -> None:
        """What was accepted cannot be published as it is: nobody executes it any more."""
        if self.request is not None:
            await approvals.make_void(tx, self.request, code, now=outside.clock.now())


FREE, HELD = Permit(given=True), Permit(given=False)


async def ask(outside: Outside, delivery: Delivery, target: str) -> Permit:
    """Return whether the accepted tree may go to ``target``; else the run waits for an owner, or has failed."""
    changes = [workflow.PathChange(path=str(item["path"])) for item in delivery.proposal.changed or ()]
    paths = workflow.owner_review_paths(changes, delivery.policy)
    if not workflow.is_held(delivery.kind, paths):
        return FREE
    async with outside.db.transaction(correlation_id=delivery.run.correlation_id) as tx:
        run = await run_rows.lock(tx, delivery.run.id)
        if run.status is not RunStatus.FINISHING:
            return HELD
        return await _ask(tx, outside, delivery, run, _result(delivery, paths, target))


def _result(delivery: Delivery, paths: tuple[str, ...], target: str) -> asking.Result:
    run = delivery.run
    return asking.Result(
        tree_sha=str(delivery.proposal.tree_sha),
        base_sha=str(run.base_sha),
        branch=str(run.branch if target == asking.PULL_REQUEST else delivery.repository.default_branch),
        target=target,
        pr_number=run.pr_number,
        why="protected_path" if paths else "kind",
        held_paths=paths,
        files=len(delivery.proposal.changed or ()),
    )


async def _ask(tx: Tx, outside: Outside, delivery: Delivery, run: Run, result: asking.Result) -> Permit:
    now = outside.clock.now()
    row = approvals.row_for(delivery.policy, asking.PUBLISH, approving.circumstances(run, delivery.policy))
    if row is None:
        detail = "the policy has no row that lets anybody accept this result"
        await moves.fail(tx, run, approving.NOBODY, now=now, detail=detail)
        return HELD
    lines = asking.publish_lines(run, result, delivery.proposal.report, delivery.repository.full_name)
    wish = approving.Wish(asking.publish_action(run, result), lines)
    known = await approvals.find_newest(tx, run.id, asking.PUBLISH)
    if known is not None and known.action_hash != wish.hash:
        await approvals.make_void(tx, known.id, "result_changed", now=now)
    asked = await approving.open_request(tx, run, wish, row, signer=outside.signer, now=now)
    if asked.state in (State.APPROVED, State.APPLYING):
        return Permit(given=True, request=asked.id, hash=wish.hash)
    told = [path[:PATH_TOLD] for path in result.held_paths[:PATHS_TOLD]]
    held = {"tree": result.tree_sha, "paths": told, "approval_id": str(asked.id)}
    tx.publish(events.ResultHeld(run=run, extra=held))
    await approving.wait_for(tx, run, asked, WaitKind.OWNER_REVIEW, now=now)
    return HELD
