"""What cancelling a run would stop, lose and leave: what a person reads before confirming."""

from stagewright.contexts.runs.model import Attempt, Link, Run, RunStatus
from stagewright.contexts.runs.rules.frames import shown_number
from stagewright.kit.consequences import Catalogue, Consequences

GRACE_SECONDS = 30
SESSION_DAYS = 30
SAYS = Catalogue(
    {
        "run.ends": ("run", "kind", "status"),
        "run.workload_stops": ("workload", "count"),
        "run.wait_ends": (),
        "run.changes_lost": ("count",),
        "run.result_lost": (),
        "run.history_stays": (),
        "run.pull_request_stays": ("number", "branch"),
    }
)


def why_not_cancel(status: RunStatus) -> str | None:
    """Return None when a run that is ``status`` can be cancelled, else the reason why there is nothing to do."""
    if status.terminal:
        return "already_terminal"
    return "already_cancelling" if status is RunStatus.CANCELLING else None


def what_cancel_does(run: Run, attempt: Attempt | None, link: Link | None) -> Consequences:
    """Return what the preview shows."""
    stops = [SAYS("run.ends", run=shown_number(run.number), kind=run.kind, status=run.status.value)]
    lost = []
    if attempt is not None:
        stops.append(SAYS("run.workload_stops", workload=attempt.workload_name, count=GRACE_SECONDS))
        lost.append(SAYS("run.changes_lost", count=SESSION_DAYS))
    if run.status is RunStatus.WAITING:
        stops.append(SAYS("run.wait_ends"))
    if run.status is RunStatus.FINISHING:
        lost.append(SAYS("run.result_lost"))
    survives = [SAYS("run.history_stays")]
    if link is not None:
        survives.append(SAYS("run.pull_request_stays", number=link.pr_number, branch=link.branch))
    return Consequences(stops, lost, survives)
