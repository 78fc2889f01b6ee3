"""Lists of runs."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query

from stagewright.contexts.identity.api import Permission
from stagewright.contexts.runs import views
from stagewright.contexts.runs.http.shapes import CallerDep, RunView, run_view
from stagewright.contexts.runs.model import RunStatus, WaitKind
from stagewright.kit.http import Limit, Page
from stagewright.kit.http.paging import Paging
from stagewright.kit.http.routes import ClockDep, CursorsDep, Db, Routes

routes = Routes(tag="runs")
Ids = Annotated[list[UUID] | None, Query()]
Texts = Annotated[list[str] | None, Query()]
Numbers = Annotated[list[Annotated[int, Query(ge=1, le=2**31 - 1)]] | None, Query()]
Moment = Annotated[datetime | None, Query()]


@routes.get("/runs", Permission.PROJECT_VIEW)
async def list_runs(
    me: CallerDep,
    db: Db,
    clock: ClockDep,
    cursors: CursorsDep,
    project: Ids = None,
    repository: Ids = None,
    issue: Numbers = None,
    pr: Numbers = None,
    number: Numbers = None,
    kind: Texts = None,
    stage: Texts = None,
    role: Texts = None,
    status: Annotated[list[RunStatus] | None, Query()] = None,
    wait_reason: Annotated[list[WaitKind] | None, Query()] = None,
    actor: Texts = None,
    since: Annotated[datetime | None, Query(alias="from")] = None,
    until: Annotated[datetime | None, Query(alias="to")] = None,
    sort: Literal["-created_at", "created_at"] = "-created_at",
    limit: Limit = 50,
    cursor: str | None = None,
) -> Page[RunView]:
    """List runs of visible projects. A repeated filter means either, different filters mean both."""
    filters = {
        "projects": project,
        "repositories": repository,
        "issues": issue,
        "prs": pr,
        "numbers": number,
        "kinds": kind,
        "stages": stage,
        "roles": role,
        "statuses": status,
        "wait_reasons": wait_reason,
        "actors": actor,
        "since": since,
        "until": until,
    }
    paging = Paging(cursors, limit, cursor, sort, filters)
    seen = me.projects
    visible = None if seen is None else list(seen)
    async with db.reading() as reader:
        rows = await views.list_runs(
            reader,
            {**filters, "visible": visible},
            newest_first=sort == "-created_at",
            after=paging.after,
            limit=paging.fetch,
        )
    return paging.page(
        rows, lambda row: (row.run.created_at, row.run.id), lambda row: run_view(row, me), as_of=clock.now()
    )
