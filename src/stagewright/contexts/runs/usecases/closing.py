"""What an ended run leaves on the forge: labels moved once; its comment takes its final form by itself."""

from datetime import datetime

from stagewright.contexts.runs.model import Link, Run, RunStatus
from stagewright.contexts.runs.store import results as result_rows
from stagewright.contexts.runs.usecases import effects
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Tx

MOMENTS = {RunStatus.FAILED: workflow.Moment.FAILED, RunStatus.CANCELLED: workflow.Moment.CANCELLED}


async def close_run(tx: Tx, run: Run, *, now: datetime, link: Link | None = None) -> None:
    """Reserve the label moves of a terminal run (specification: workflow, section 11.4)."""
    if run.status is RunStatus.SUCCEEDED:
        moment = workflow.Moment.SUCCEEDED_WITH_PULL_REQUEST if link else workflow.Moment.SUCCEEDED_WITHOUT_PULL_REQUEST
    else:
        moment = MOMENTS[run.status]
    await move_labels(tx, run, moment, now=now, link=link)
    if run.status is RunStatus.FAILED and run.code == "agent_blocked":
        await move_labels(tx, run, workflow.Moment.BLOCKED, now=now)


async def move_labels(tx: Tx, run: Run, moment: workflow.Moment, *, now: datetime, link: Link | None = None) -> None:
    """Reserve one act per label that ``moment`` moves, in the texts this project uses."""
    policy = await workflow.policy_in_force(tx, run.repository_id)
    pr_number = link.pr_number if link else run.pr_number
    ours = (False, False)
    if moment is workflow.Moment.RUN_STARTED:
        text = workflow.label_text(workflow.NEED_INPUT, policy)
        ours = (
            await effects.is_platform_label(tx, run.repository_id, run.issue_number, text),
            await effects.is_platform_label(tx, run.repository_id, pr_number, text),
        )
    moves = workflow.label_transitions(moment, trigger=run.trigger_label, platform_needs_input=ours)
    cause = f"{run.id}:{moment.value}:{run.generation}"
    threads = ((run.issue_number, moves.issue), (pr_number, moves.pull_request))
    for thread, change in threads:
        if thread is None or not change:
            continue
        await effects.change_labels(
            tx,
            run.repository_id,
            thread,
            cause=cause,
            add=[workflow.label_text(key, policy) for key in change.add],
            remove=[workflow.label_text(key, policy) for key in change.remove],
            now=now,
            run_id=run.id,
        )


async def last_report_summary(tx: Tx, run: Run) -> str:
    """Return the summary of the run's newest report, empty without one."""
    proposal = await result_rows.find_newest(tx, run.id)
    return str(proposal.report.get("summary", "")) if proposal else ""
