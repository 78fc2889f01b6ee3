"""What an ended run leaves on the forge: labels moved once; its comment takes its final form by itself."""

from datetime import datetime

from stagewright.contexts.approvals import api as approvals
from stagewright.contexts.runs.model import Link, Run, RunStatus
from stagewright.contexts.runs.store import results as result_rows
from stagewright.contexts.runs.usecases.label_moves import REVIEW, move_labels
from stagewright.contexts.runs.usecases.superseding import supersede_others
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Tx

MOMENTS = {RunStatus.FAILED: workflow.Moment.FAILED, RunStatus.CANCELLED: workflow.Moment.CANCELLED}


async def close_run(tx: Tx, run: Run, *, now: datetime, link: Link | None = None) -> None:
    """Reserve the label moves of a terminal run (specification: workflow, section 11.4), and settle its requests."""
    await approvals.close_of_run(tx, run.id, succeeded=run.status is RunStatus.SUCCEEDED, now=now)
    if run.lane == REVIEW:
        await move_labels(tx, run, workflow.Moment.REVIEWER_ENDED, now=now)
        return
    if run.status is RunStatus.SUCCEEDED:
        moment = await _of_success(tx, run, link, now=now)
    else:
        moment = MOMENTS[run.status]
    await move_labels(tx, run, moment, now=now, link=link)
    if run.status is RunStatus.FAILED and run.code == "agent_blocked":
        await move_labels(tx, run, workflow.Moment.BLOCKED, now=now)


async def _of_success(tx: Tx, run: Run, link: Link | None, *, now: datetime) -> workflow.Moment:
    kind = (await workflow.policy_in_force(tx, run.repository_id)).kinds.get(run.kind)
    if kind is not None and kind.kind_class is workflow.KindClass.RETHINK:
        await supersede_others(tx, run, kept=link, now=now)
        return workflow.Moment.RETHINK_SUCCEEDED
    return workflow.Moment.SUCCEEDED_WITH_PULL_REQUEST if link else workflow.Moment.SUCCEEDED_WITHOUT_PULL_REQUEST


async def last_report_summary(tx: Tx, run: Run) -> str:
    """Return the summary of the run's newest report, empty without one."""
    proposal = await result_rows.find_newest(tx, run.id)
    return str(proposal.report.get("summary", "")) if proposal else ""
