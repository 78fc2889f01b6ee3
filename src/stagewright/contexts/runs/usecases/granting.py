"""Answer a wait for budget: more of it and the run goes on, or it ends now."""

from datetime import datetime

from stagewright.contexts.runs import events
from stagewright.contexts.runs.errors import WaitClosed, WaitNotResolvable
from stagewright.contexts.runs.model import Run, RunStatus, Wait
from stagewright.contexts.runs.rules.budget import DENIED, Choice, added_by, attempts_allowed, is_for_attempts
from stagewright.contexts.runs.rules.talking import DISCUSSION
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store import waits as wait_rows
from stagewright.contexts.runs.usecases import moves, talk, waits
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Tx


async def resolve_budget(tx: Tx, wait: Wait, choice: Choice, *, by: str, now: datetime) -> None:
    """Close ``wait`` with ``choice`` and do what it says.

    Raises ``WaitNotResolvable`` for a wait that has no such choices, ``WaitClosed`` when somebody chose before or the
    run waits no more.
    """
    if not is_for_attempts(wait):
        raise WaitNotResolvable(
            f"this run waits for {wait.kind.value}, which {wait.who_can_act} answers; "
            "only a wait for budget has choices"
        )
    run = await run_rows.lock(tx, wait.run_id)
    if run.status is not RunStatus.WAITING:
        raise WaitClosed("the run does not wait any more")
    granted = await wait_rows.list_of(tx, run.id)
    closed = await wait_rows.close(tx, wait.id, status="resolved", resolution=choice.value, text=None, by=by, now=now)
    if closed is None:
        raise WaitClosed("somebody chose before")
    if choice is Choice.STOP:
        await moves.fail(tx, run, DENIED, now=now, detail=f"{by} granted no more attempts")
    elif choice is Choice.FINISH:
        await talk.finish(tx, run, now=now)
    else:
        await _extend(tx, run, choice, granted, now=now)


async def _extend(tx: Tx, run: Run, choice: Choice, before: list[Wait], *, now: datetime) -> None:
    policy = await workflow.policy_in_force(tx, run.repository_id)
    limit = policy.special[DISCUSSION].max_attempts
    more = added_by(choice, limit)
    extra = {
        "level": "attempts",
        "limit": attempts_allowed(limit, before) + more,
        "spent": len(await attempt_rows.list_of(tx, run.id)),
        "requested": more,
    }
    tx.publish(events.BudgetExtended(run=run, extra=extra), correlation_id=run.correlation_id)
    if not await wait_rows.list_open(tx, run.id):
        await waits.resume(tx, run.id, now=now)
