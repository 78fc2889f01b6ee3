"""What people say on an Issue: it joins the discussion's run, or answers the question of a run that waits."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from stagewright.contexts.intake.usecases.words import Occurrence, Seen
from stagewright.contexts.runs import api as runs
from stagewright.contexts.workflow import api as workflow
from stagewright.kit.db import Tx


async def talk(tx: Tx, occurrence: Occurrence, seen: Seen, begin: Callable[[], Awaitable[runs.Run]]) -> runs.Run:
    """Return the talk run that goes on, or the one that ``begin`` requests; a comment is put into its inbox."""
    known = await runs.find_active(tx, seen.repository.id, "talk", f"issue:{occurrence.thread}")
    run = known or await begin()
    fact = occurrence.fact
    if isinstance(fact, workflow.CommentEvent):
        await runs.join_talk(
            tx,
            run,
            comment_id=fact.comment_id,
            author=occurrence.sender.login or "-",
            body=fact.body,
            received_at=fact.occurred_at,
        )
    return run


async def answer(tx: Tx, occurrence: Occurrence, seen: Seen, decision: workflow.Answer, *, now: datetime) -> None:
    """Answer the question with what permitted people wrote since it was asked; nobody wrote: it is put down."""
    said = [f"@{remark.author_login}:\n{remark.body.strip()}" for remark in seen.remarks]
    await runs.answer_question(
        tx,
        UUID(decision.question.wait_id),
        text="\n\n".join(said),
        by=occurrence.sender.login or "-",
        now=now,
    )
