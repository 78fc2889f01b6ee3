"""Labels that the platform moves on an Issue and its pull request (specification: workflow, section 11.4)."""

from datetime import datetime
from uuid import UUID

from stagewright.contexts.runs.model import Link, Run
from stagewright.contexts.runs.rules.talking import LANE
from stagewright.contexts.runs.usecases import effects
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Reader, Tx

REVIEW = "review"


async def move_labels(tx: Tx, run: Run, moment: workflow.Moment, *, now: datetime, link: Link | None = None) -> None:
    """Reserve one act per label that ``moment`` of a run moves, in the texts this project uses.

    A review moves nothing on the Issue: a question that a stage asked there still waits for its answer.
    """
    if run.lane == LANE:
        return  # a discussion changes no label
    issue = run.issue_number if run.lane != REVIEW else None
    pr_number = link.pr_number if link else run.pr_number
    ours = (False, False)
    if moment is workflow.Moment.RUN_STARTED:
        ours = (await _is_our_question(tx, run, issue), await _is_our_question(tx, run, pr_number))
    moves = workflow.label_transitions(moment, trigger=run.trigger_label, platform_needs_input=ours)
    cause = f"{run.id}:{moment.value}:{run.generation}"
    await _reserve(tx, run.repository_id, (issue, pr_number), moves, cause=cause, now=now, run_id=run.id)


async def move_labels_of_link(tx: Tx, link: Link, moment: workflow.Moment, *, now: datetime) -> None:
    """Reserve the acts that follow from what a person did with a pull request; once for each time."""
    moves = workflow.label_transitions(moment)
    cause = f"link:{link.pr_number}:{moment.value}:{now.isoformat()}"
    await _reserve(tx, link.repository_id, (link.issue_number, link.pr_number), moves, cause=cause, now=now)


async def mark_superseded(tx: Tx, run: Run, link: Link, *, now: datetime) -> None:
    """Reserve the labels of a pull request that the rethink ``run`` superseded."""
    moment = workflow.Moment.RETHINK_SUCCEEDED
    moves = workflow.LabelMoves(pull_request=workflow.label_transitions(moment).other_links)
    cause = f"{run.id}:{moment.value}:{link.pr_number}"
    await _reserve(tx, run.repository_id, (None, link.pr_number), moves, cause=cause, now=now, run_id=run.id)


async def _is_our_question(reader: Reader, run: Run, thread: int | None) -> bool:
    text = workflow.label_text(workflow.NEED_INPUT, await workflow.policy_in_force(reader, run.repository_id))
    return await effects.is_platform_label(reader, run.repository_id, thread, text)


async def _reserve(
    tx: Tx,
    repository_id: UUID,
    threads: tuple[int | None, int | None],
    moves: workflow.LabelMoves,
    *,
    cause: str,
    now: datetime,
    run_id: UUID | None = None,
) -> None:
    policy = await workflow.policy_in_force(tx, repository_id)
    for thread, change in zip(threads, (moves.issue, moves.pull_request), strict=True):
        if thread is None or not change:
            continue
        await effects.change_labels(
            tx,
            repository_id,
            thread,
            cause=cause,
            add=[workflow.label_text(key, policy) for key in change.add],
            remove=[workflow.label_text(key, policy) for key in change.remove],
            now=now,
            run_id=run_id,
        )
