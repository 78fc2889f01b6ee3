"""The door for people to the error journal: list, look, dismiss, mute, resolve."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from stagewright.contexts.identity.api import Caller, Permission, allows
from stagewright.contexts.incidents import views
from stagewright.contexts.incidents.errors import IncidentNotFound
from stagewright.contexts.incidents.model import Incident, IncidentState, Level, Seen
from stagewright.contexts.incidents.rules import incident_frame
from stagewright.contexts.incidents.usecases import handling
from stagewright.kit.db import Reader, Tx
from stagewright.kit.http import Limit, Page, RequestBody
from stagewright.kit.http.once import Answer, OnceDep
from stagewright.kit.http.paging import Paging
from stagewright.kit.http.routes import ClockDep, CursorsDep, Db, Routes, caller
from stagewright.kit.http.shapes import AllowedAction, Id, Instant

routes = Routes(tag="incidents")
CallerDep = Annotated[Caller, Depends(caller)]
Texts = Annotated[list[Annotated[str, Field(max_length=200)]] | None, Query()]
Ids = Annotated[list[UUID] | None, Query()]


class IncidentFrame(BaseModel):
    """The part of an incident that is equal for all readers and that its events carry."""

    id: Id
    fingerprint: str
    level: Level
    source: str
    code: str
    message: str
    count: int
    state: IncidentState
    project_id: Id | None
    run_id: Id | None
    deploy_id: Id | None
    environment_id: Id | None
    namespace: str | None
    job_name: str | None
    request_id: Id | None
    delivery_id: str | None
    correlation_id: str | None
    first_seen: Instant
    last_seen: Instant
    reopened_at: Instant
    muted_until: Instant | None
    muted_reason: str | None
    resolved_at: Instant | None
    previous_id: Id | None
    version: int


class IncidentView(IncidentFrame):
    """Equal problems of one place, counted; and whether the caller has seen them and may act."""

    viewed: bool
    viewed_at: Instant | None
    allowed_actions: list[AllowedAction]

    @classmethod
    def of(cls, seen: Seen, me: Caller) -> "IncidentView":
        """Show ``seen`` to ``me``."""
        return cls(**_fields(seen, me))


class IncidentDetail(IncidentView):
    """An incident with its newest details and its stack, both redacted."""

    details: dict[str, Any]
    stack: str | None
    muted_by: Id | None
    resolved_by: str | None
    resolved_reason: str | None

    @classmethod
    def whole(cls, seen: Seen, me: Caller) -> "IncidentDetail":
        """Show everything of ``seen`` to ``me``."""
        item = seen.incident
        return cls(
            **_fields(seen, me),
            details=dict(item.details),
            stack=item.stack,
            muted_by=str(item.muted_by) if item.muted_by else None,
            resolved_by=item.resolved_by,
            resolved_reason=item.resolved_reason,
        )


class IncidentPage(Page[IncidentView]):
    """A page of incidents. ``count`` was asked for with ``count=approx``; ``capped``: there are at least so many."""

    count: int | None = None
    capped: bool | None = None


class Viewed(BaseModel):
    """How many incidents became viewed."""

    viewed: int


class MuteForm(RequestBody):
    """For how long nobody is alerted, and why."""

    hours: int = Field(ge=1, le=168)
    reason: str = Field(min_length=1, max_length=500)


class ResolveForm(RequestBody):
    """What was done about it."""

    reason: str | None = Field(default=None, max_length=500)


class Nothing(RequestBody):
    """A verb without words."""


def _fields(seen: Seen, me: Caller) -> dict[str, Any]:
    return {
        **incident_frame(seen.incident),
        "viewed": seen.viewed,
        "viewed_at": seen.viewed_at.isoformat() if seen.viewed_at else None,
        "allowed_actions": incident_actions(seen.incident.project_id, seen.incident.state, me),
    }


def incident_actions(project_id: UUID | None, state: IncidentState, me: Caller) -> list[AllowedAction]:
    """Return what ``me`` may do with an incident: looking is everybody's, muting and resolving is not."""
    reason = None if allows(me.principal, Permission.INCIDENT_HANDLE, project_id) else "permission_denied"
    if reason is None and state is IncidentState.RESOLVED:
        reason = "incident_resolved"
    handled = [AllowedAction(verb=verb, mode="deny" if reason else "allow", reason_code=reason) for verb in HANDLING]
    return [AllowedAction(verb="view", mode="allow"), AllowedAction(verb="unview", mode="allow"), *handled]


HANDLING = ("mute", "resolve")


@routes.get("/incidents", Permission.PROJECT_VIEW)
async def list_incidents(
    me: CallerDep,
    db: Db,
    clock: ClockDep,
    cursors: CursorsDep,
    state: Annotated[list[IncidentState] | None, Query()] = None,
    level: Annotated[list[Level] | None, Query()] = None,
    source: Texts = None,
    code: Texts = None,
    project: Ids = None,
    run: Ids = None,
    viewed: Annotated[bool | None, Query(description="seen by the caller since it last came up")] = None,
    muted: Annotated[bool, Query(description="muted ones, which are left out otherwise")] = False,
    count: Annotated[Literal["approx"] | None, Query(description="count too, up to 1,000")] = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> IncidentPage:
    """List incidents of visible projects, the last seen first; platform admins see those of no project too.

    The alert stack is ``state=open&level=error&level=critical&viewed=false&limit=5&count=approx``.
    """
    filters: Mapping[str, Any] = {
        "states": state,
        "levels": level,
        "sources": source,
        "codes": code,
        "projects": project,
        "runs": run,
        "viewed": viewed,
        "muted": muted,
    }
    paging = Paging(cursors, limit, cursor, "-last_seen", filters)
    seen = me.projects
    who: dict[str, Any] = {"user": me.user.id, "visible": None if seen is None else list(seen), "now": clock.now()}
    async with db.reading() as reader:
        found = await views.list_page(reader, filters, **who, after=paging.after, limit=paging.fetch)
        total = await views.count(reader, filters, **who) if count else None
    page = paging.page(
        found,
        lambda item: (item.incident.last_seen, item.incident.id),
        lambda item: IncidentView.of(item, me),
        as_of=who["now"],
    )
    capped = None if total is None else total >= views.MOST_COUNTED
    return IncidentPage(items=page.items, next_cursor=page.next_cursor, as_of=page.as_of, count=total, capped=capped)


@routes.post("/incidents:view-all", Permission.PROJECT_VIEW, response_model=Viewed)
async def view_all_incidents(me: CallerDep, once: OnceDep, clock: ClockDep, form: Nothing | None = None) -> Response:
    """Note that the caller has seen all open incidents they may see."""
    seen = me.projects

    async def act(tx: Tx) -> Answer:
        visible = None if seen is None else list(seen)
        return Answer(Viewed(viewed=await handling.view_all(tx, me.user.id, visible=visible, now=clock.now())))

    return await once.run(act)


@routes.get("/incidents/{incident_id}", Permission.PROJECT_VIEW)
async def get_incident(incident_id: UUID, me: CallerDep, db: Db) -> IncidentDetail:
    """Show an incident."""
    async with db.reading() as reader:
        found = await _visible(reader, incident_id, me)
    return IncidentDetail.whole(found, me)


async def _visible(reader: Reader, incident_id: UUID, me: Caller) -> Seen:
    """Return the incident if ``me`` may see it and do what the route declares."""
    hidden = IncidentNotFound(f"there is no incident {incident_id}")
    found = await views.find(reader, incident_id, user=me.user.id)
    if found is None:
        raise hidden
    me.admit(found.incident.project_id, hidden)
    return found


async def _again(tx: Tx, incident: Incident, me: Caller) -> Answer:
    return Answer(IncidentDetail.whole(await _visible(tx, incident.id, me), me))


@routes.post("/incidents/{incident_id}:view", Permission.PROJECT_VIEW, response_model=IncidentDetail)
async def view_incident(
    incident_id: UUID, me: CallerDep, once: OnceDep, clock: ClockDep, form: Nothing | None = None
) -> Response:
    """Dismiss an incident for the caller until it comes up again."""

    async def act(tx: Tx) -> Answer:
        found = await _visible(tx, incident_id, me)
        await handling.view(tx, me.user.id, found.incident, now=clock.now())
        return await _again(tx, found.incident, me)

    return await once.run(act)


@routes.post("/incidents/{incident_id}:unview", Permission.PROJECT_VIEW, response_model=IncidentDetail)
async def unview_incident(incident_id: UUID, me: CallerDep, once: OnceDep, form: Nothing | None = None) -> Response:
    """Undo the caller's dismissal."""

    async def act(tx: Tx) -> Answer:
        found = await _visible(tx, incident_id, me)
        await handling.unview(tx, me.user.id, found.incident)
        return await _again(tx, found.incident, me)

    return await once.run(act)


@routes.post("/incidents/{incident_id}:mute", Permission.INCIDENT_HANDLE, response_model=IncidentDetail)
async def mute_incident(incident_id: UUID, form: MuteForm, me: CallerDep, once: OnceDep, clock: ClockDep) -> Response:
    """Hide an open incident from everybody for some hours. It is counted all the same."""

    async def act(tx: Tx) -> Answer:
        await _visible(tx, incident_id, me)
        muted = await handling.mute(
            tx, incident_id, length=timedelta(hours=form.hours), reason=form.reason, by=me.user.id, now=clock.now()
        )
        return await _again(tx, muted, me)

    return await once.run(act)


@routes.post("/incidents/{incident_id}:resolve", Permission.INCIDENT_HANDLE, response_model=IncidentDetail)
async def resolve_incident(
    incident_id: UUID, me: CallerDep, once: OnceDep, clock: ClockDep, form: ResolveForm | None = None
) -> Response:
    """Close an incident. If it happens again, a new one is opened, linked to this one."""

    async def act(tx: Tx) -> Answer:
        await _visible(tx, incident_id, me)
        reason = form.reason if form else None
        resolved = await handling.resolve(tx, incident_id, by=me.actor.id, reason=reason, now=clock.now())
        return await _again(tx, resolved, me)

    return await once.run(act)
