"""Answer what a run asks in its report: the wait closes with the words of a permitted person, and the run goes on."""

from datetime import datetime
from uuid import UUID

from stagewright.contexts.runs.errors import QuestionClosed
from stagewright.contexts.runs.model import Run, RunStatus, Wait
from stagewright.contexts.runs.rules.talking import is_report_question
from stagewright.contexts.runs.store import runs as run_rows
from stagewright.contexts.runs.store import waits as wait_rows
from stagewright.contexts.runs.usecases import waits
from stagewright.kit.db import Reader, Tx

ANSWERED, PUT_DOWN = "answered", "put_down"
TEXT_BYTES = 16 * 1024


async def find_report_question(reader: Reader, run_id: UUID) -> Wait | None:
    """Return the open wait for the answer to the run's report."""
    opened = await wait_rows.list_open(reader, run_id)
    return next((wait for wait in opened if is_report_question(wait)), None)


async def answer_question(tx: Tx, wait_id: UUID, *, text: str, by: str, now: datetime) -> tuple[Run, Wait]:
    """Close the wait with ``text`` (empty: the person put the question down without a word) and let the run go on.

    Raises ``QuestionClosed`` when somebody answered before, or the run waits no more.
    """
    known = await wait_rows.find(tx, wait_id)
    if known is None or not is_report_question(known):
        raise QuestionClosed("this is no question of a report that can be answered with a text")
    run = await run_rows.lock(tx, known.run_id)
    if run.status is not RunStatus.WAITING:
        raise QuestionClosed("the run does not wait for an answer any more")
    said = text.strip().encode()[:TEXT_BYTES].decode(errors="ignore")
    closed = await wait_rows.close(
        tx, wait_id, status="resolved", resolution=ANSWERED if said else PUT_DOWN, text=said or None, by=by, now=now
    )
    if closed is None:
        raise QuestionClosed("this question was answered before")
    if not await wait_rows.list_open(tx, run.id):
        await waits.resume(tx, run.id, now=now)
    return await run_rows.get(tx, run.id), closed
