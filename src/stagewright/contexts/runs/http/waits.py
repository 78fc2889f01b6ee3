"""The list of what is stuck: for what, since when, who can act, until when, and what happens if nobody does."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from stagewright.contexts.identity.api import Caller, Permission
from stagewright.contexts.runs import views
from stagewright.contexts.runs.http.shapes import AskedWaitView, CallerDep
from stagewright.contexts.runs.model import WaitKind
from stagewright.contexts.runs.rules.waiting import GROUPS, End, Group, what_nothing_does
from stagewright.contexts.runs.store.waits import Circumstances, list_circumstances
from stagewright.kit.http import Limit, Page
from stagewright.kit.http.paging import Paging
from stagewright.kit.http.routes import ClockDep, CursorsDep, Db, Routes
from stagewright.kit.http.shapes import Instant

routes = Routes(tag="runs")


class Outcome(BaseModel):
    """What happens, by which code, and when."""

    effect: End
    code: str
    at: Instant


class PausedClock(BaseModel):
    """The run's clock, which stands while it waits."""

    active_seconds: int
    limit_seconds: int


class OpenWaitView(AskedWaitView):
    """An open wait with all that a person needs to decide whether to act."""

    group: Group
    overdue: bool
    if_nothing: Outcome
    clock: PausedClock
    project: str
    repository: str
    stage: str | None
    issue_number: int | None
    pr_number: int | None

    @classmethod
    def within(cls, row: views.WaitRow, run: Circumstances, me: Caller, now: datetime) -> "OpenWaitView":
        """Show ``row`` of ``run`` to ``me``."""
        wait = row.wait
        outcome = what_nothing_does(
            wait.kind,
            wait.target_kind,
            deadline_at=wait.deadline_at,
            resume_at=wait.resume_at,
            waiting_since=run.status_since,
        )
        return cls(
            **AskedWaitView.asked(row, run.question, me).model_dump(),
            group=GROUPS[wait.kind],
            overdue=wait.deadline_at is not None and wait.deadline_at < now,
            if_nothing=Outcome(effect=outcome.effect, code=outcome.code, at=outcome.at.isoformat()),
            clock=PausedClock(active_seconds=run.active_seconds, limit_seconds=run.limit_seconds),
            project=run.project,
            repository=run.repository,
            stage=run.stage,
            issue_number=run.issue_number,
            pr_number=run.pr_number,
        )


@routes.get("/waits", Permission.PROJECT_VIEW)
async def list_waits(
    me: CallerDep,
    db: Db,
    clock: ClockDep,
    cursors: CursorsDep,
    reason: Annotated[list[WaitKind] | None, Query()] = None,
    project: Annotated[list[UUID] | None, Query()] = None,
    overdue: bool | None = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> Page[OpenWaitView]:
    """List open waits of visible projects, the longest first."""
    paging = Paging(cursors, limit, cursor, "opened_at", {"reason": reason, "project": project, "overdue": overdue})
    seen, now = me.projects, clock.now()
    async with db.reading() as reader:
        rows = await views.list_waits(
            reader,
            visible=None if seen is None else list(seen),
            projects=project,
            reasons=reason,
            overdue=overdue,
            now=now,
            after=paging.after,
            limit=paging.fetch,
        )
        runs = await list_circumstances(reader, [row.wait.run_id for row in rows])
    return paging.page(
        rows,
        lambda row: (row.wait.opened_at, row.wait.id),
        lambda row: OpenWaitView.within(row, runs[row.wait.run_id], me, now),
        as_of=now,
    )
