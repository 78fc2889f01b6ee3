"""A label that is refused: one diagnostic comment per cause, and the label taken off, at most three times an hour."""

from datetime import datetime, timedelta

from stagewright.contexts.intake.usecases.words import Occurrence, Seen
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Tx

MAX_REMOVALS = 3
REMOVAL_WINDOW = timedelta(hours=1)


async def refuse(tx: Tx, occurrence: Occurrence, seen: Seen, refusal: workflow.Refuse, *, now: datetime) -> None:
    """Reserve what the refused person sees on the thread."""
    if refusal.comment:
        await _say_why(tx, occurrence, seen, refusal, now=now)
    if refusal.remove_label and occurrence.label is not None:
        await _take_off(tx, occurrence, seen, occurrence.label, now=now)
    if refusal.add_need_input:
        await runs.change_labels(
            tx,
            seen.repository.id,
            occurrence.thread,
            cause=f"refused:{occurrence.correlation_id}",
            add=[workflow.label_text(workflow.NEED_INPUT, seen.policy)],
            now=now,
        )


async def _say_why(tx: Tx, occurrence: Occurrence, seen: Seen, refusal: workflow.Refuse, *, now: datetime) -> None:
    project = await projects.get_project(tx, seen.repository.project_id)
    conflict = {"label": occurrence.label, "labels": list(refusal.conflicting)} if refusal.conflicting else None
    about_sender = workflow.is_sender_reason(refusal.reason)
    own = (occurrence.label,) if occurrence.label is not None else ()
    labels = {label.casefold() for label in refusal.conflicting or own}  # of several, whichever was set last
    text = workflow.refusal_text(refusal.reason, project.locale, refusal.remedy.params)
    await runs.post_diagnostic(
        tx,
        repository_id=seen.repository.id,
        thread=occurrence.thread,
        reason=refusal.reason,
        fingerprint=[*(() if about_sender else labels), occurrence.sender.login or "-"],
        remedy=f"{text.reason}\n\n{text.remedy}",
        conflicting=refusal.conflicting,
        suggested=refusal.suggested,
        locale=project.locale,
        conflict=conflict,
        now=now,
    )


async def _take_off(tx: Tx, occurrence: Occurrence, seen: Seen, label: str, *, now: datetime) -> None:
    """Remove the trigger label, unless this sender had it removed three times within the hour."""
    cause = f"refused:{occurrence.sender.login or '-'}:"
    removed = await runs.count_label_acts(
        tx,
        seen.repository.id,
        kind="label.remove",
        thread=occurrence.thread,
        label=label,
        cause=cause,
        since=now - REMOVAL_WINDOW,
    )
    if removed < MAX_REMOVALS:
        await runs.change_labels(
            tx,
            seen.repository.id,
            occurrence.thread,
            cause=f"{cause}{occurrence.correlation_id}",
            remove=[label],
            now=now,
        )
