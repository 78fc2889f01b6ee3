"""What an attempt should know of the run's earlier ones: answers, the last report, what the checks refused."""

from collections.abc import Sequence
from dataclasses import dataclass

from stagewright.contexts.runs.model import Run, Wait
from stagewright.contexts.runs.rules.frames import iso
from stagewright.contexts.runs.rules.talking import DISCUSSION
from stagewright.contexts.runs.store import attempts as attempt_rows
from stagewright.contexts.runs.store import results as result_rows
from stagewright.contexts.runs.store import waits as wait_rows
from stagewright.kit.db import Reader

MOVED = (
    "The branch got other commits while the result was published and merging them failed. Work on what is there now."
)


@dataclass(frozen=True, slots=True)
class Answered:
    """A wait that closed since the last attempt."""

    wait_id: str
    kind: str
    resolution: str
    text: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Progress:
    """News for the next attempt. ``summary`` is the last report's, for a start without its session."""

    answers: Sequence[Answered] = ()
    summary: str = ""
    feedback: Sequence[str] = ()


async def read(reader: Reader, run: Run) -> Progress:
    """Read it from the run's rows; the first attempt has none."""
    newest = await attempt_rows.find_newest(reader, run.id)
    if newest is None:
        return Progress()
    closed = await wait_rows.list_closed_since(reader, run.id, newest.reserved_at)
    proposal = await result_rows.find_newest(reader, run.id)
    feedback: list[str] = []
    if run.world.attempt_reason == "repair" and proposal is not None:
        feedback = [_told(item) for item in proposal.violations or ()]
    elif run.world.attempt_reason == "branch_moved":
        feedback = [MOVED]
    return Progress(
        answers=tuple(_answered(wait) for wait in closed if wait.target_kind != DISCUSSION),
        summary=str(proposal.report.get("summary", "")) if proposal else "",
        feedback=feedback,
    )


def _answered(wait: Wait) -> Answered:
    return Answered(
        wait_id=str(wait.id),
        kind=wait.kind.value,
        resolution=wait.resolution or "",
        text=wait.resolution_text or "",
        by=wait.resolved_by or "-",
        at=iso(wait.resolved_at) or "-",
    )


def _told(violation: object) -> str:
    item = dict(violation)  # type: ignore[call-overload]
    paths = ", ".join(str(path) for path in item.get("paths", ())[:20])
    return f"{item['code']}: {item['message']}" + (f" ({paths})" if paths else "")
