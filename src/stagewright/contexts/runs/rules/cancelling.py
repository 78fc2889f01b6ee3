"""What cancelling a run would stop, lose and leave: what a person reads before confirming."""

from stagewright.contexts.runs.model import Attempt, Link, Run, RunStatus
from stagewright.contexts.runs.rules.frames import shown_number

Shown = dict[str, list[str]]


def why_not_cancel(status: RunStatus) -> str | None:
    """Return None when a run that is ``status`` can be cancelled, else the reason why there is nothing to do."""
    if status.terminal:
        return "already_terminal"
    return "already_cancelling" if status is RunStatus.CANCELLING else None


def what_cancel_does(run: Run, attempt: Attempt | None, link: Link | None) -> Shown:
    """Return the three lists of the preview."""
    stops = [f"{shown_number(run.number)} ({run.kind}), which is {run.status.value}"]
    lost = []
    if attempt is not None:
        stops.append(f"the workload {attempt.workload_name}, after 30 s to save its session")
        lost.append("changes that the agent has not handed over; its session is kept for 30 days")
    if run.status is RunStatus.WAITING:
        stops.append("what the run waits for; an answer given later counts for nothing")
    if run.status is RunStatus.FINISHING:
        lost.append("the accepted result, which is not published")
    survives = ["logs, prompts, reports and the journal of the run"]
    if link is not None:
        survives.append(f"the pull request #{link.pr_number} and its branch {link.branch}")
    return {"stops": stops, "lost": lost, "survives": survives}
