"""The door for people to the error journal."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel

from stagewright.contexts.identity.api import Caller, Permission
from stagewright.contexts.incidents import views
from stagewright.contexts.incidents.errors import IncidentNotFound
from stagewright.contexts.incidents.model import Incident, Level
from stagewright.kit.http import Limit, Page
from stagewright.kit.http.paging import Paging
from stagewright.kit.http.routes import ClockDep, CursorsDep, Db, Routes, caller
from stagewright.kit.http.shapes import Id, Instant

routes = Routes(tag="incidents")
CallerDep = Annotated[Caller, Depends(caller)]


class IncidentView(BaseModel):
    """Equal problems of one place, counted."""

    id: Id
    level: Level
    source: str
    code: str
    message: str
    count: int
    state: str
    version: int
    project_id: Id | None
    run_id: Id | None
    correlation_id: str | None
    details: dict[str, Any]
    first_seen: Instant
    last_seen: Instant
    reopened_at: Instant

    @classmethod
    def of(cls, item: Incident) -> "IncidentView":
        """Show ``item``. Its stack is for the logs."""
        return cls(
            id=str(item.id),
            level=item.level,
            source=item.source,
            code=item.code,
            message=item.message,
            count=item.count,
            state=item.state,
            version=item.version,
            project_id=str(item.project_id) if item.project_id else None,
            run_id=str(item.run_id) if item.run_id else None,
            correlation_id=item.correlation_id,
            details=dict(item.details),
            first_seen=item.first_seen.isoformat(),
            last_seen=item.last_seen.isoformat(),
            reopened_at=item.reopened_at.isoformat(),
        )


@routes.get("/incidents", Permission.PROJECT_VIEW)
async def list_incidents(
    me: CallerDep,
    db: Db,
    clock: ClockDep,
    cursors: CursorsDep,
    state: Annotated[list[Literal["open", "resolved"]] | None, Query()] = None,
    level: Annotated[list[Level] | None, Query()] = None,
    source: Annotated[list[str] | None, Query()] = None,
    project: Annotated[list[UUID] | None, Query()] = None,
    run: Annotated[list[UUID] | None, Query()] = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> Page[IncidentView]:
    """List incidents of visible projects, the last seen first; platform admins see those of no project too."""
    filters = {"state": state, "level": level, "source": source, "project": project, "run": run}
    paging = Paging(cursors, limit, cursor, "-last_seen", filters)
    seen = me.projects
    async with db.reading() as reader:
        found = await views.list_page(
            reader,
            visible=None if seen is None else list(seen),
            projects=project,
            runs=run,
            states=state,
            levels=level,
            sources=source,
            after=paging.after,
            limit=paging.fetch,
        )
    return paging.page(found, lambda item: (item.last_seen, item.id), IncidentView.of, as_of=clock.now())


@routes.get("/incidents/{incident_id}", Permission.PROJECT_VIEW)
async def get_incident(incident_id: UUID, me: CallerDep, db: Db) -> IncidentView:
    """Show an incident."""
    hidden = IncidentNotFound(f"there is no incident {incident_id}")
    async with db.reading() as reader:
        found = await views.find(reader, incident_id)
    if found is None:
        raise hidden
    me.admit(found.project_id, hidden)
    return IncidentView.of(found)
