"""The door to what needs a person, and to the figures of the last days."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Query
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, Field

from stagewright.contexts.identity.api import Caller, Permission
from stagewright.contexts.overview import usecases, views
from stagewright.contexts.overview.model import DayFigures, InboxKind
from stagewright.contexts.overview.usecases import Shown
from stagewright.contexts.projects.api import ProjectNotFound
from stagewright.kit.db import Database, Tx
from stagewright.kit.http import Limit, Page, RequestBody
from stagewright.kit.http.once import Answer, OnceDep
from stagewright.kit.http.paging import Paging
from stagewright.kit.http.routes import ClockDep, CursorsDep, Db, Routes, caller
from stagewright.kit.http.shapes import Id, Instant

routes = Routes(tag="overview")
CallerDep = Annotated[Caller, Depends(caller)]
ItemId = Annotated[str, Path(max_length=200, pattern=r"^(wait|run|incident|review):[0-9a-f-]{36}(:\d{1,10})?$")]
Day = Annotated[str, Field(json_schema_extra={"format": "date"})]
Days = Annotated[int, Query(ge=1, le=90, description="how many days, today included")]
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class InboxAnswer(BaseModel):
    """One answer and what it does."""

    answer: str
    effect: str


class IfNothing(BaseModel):
    """What happens when nobody acts."""

    effect: str
    code: str | None
    at: Instant | None


class InboxItemView(BaseModel):
    """One thing that needs the caller: what it asks, why, since when, until when, what each answer does."""

    id: str
    kind: InboxKind
    asks: str
    why: str | None
    params: dict[str, Any]
    since: Instant
    expires_at: Instant | None
    answers: list[InboxAnswer]
    if_nothing: IfNothing
    project_id: Id | None
    project: str | None
    repository: str | None
    run_id: Id | None
    run_number: str | None
    stage: str | None
    issue_number: int | None
    pr_number: int | None
    url: str | None
    wait_id: Id | None
    incident_id: Id | None
    snoozed_until: Instant | None

    @classmethod
    def of(cls, shown: Shown) -> "InboxItemView":
        """Show ``shown``."""
        item, place = shown.item, shown.item.place
        ends = item.if_nothing.at.isoformat() if item.if_nothing.at else None
        return cls(
            id=item.id,
            kind=item.kind,
            asks=item.asks,
            why=item.why,
            params=dict(item.params),
            since=item.since.isoformat(),
            expires_at=ends,
            answers=[InboxAnswer(answer=answer, effect=effect) for answer, effect in item.answers],
            if_nothing=IfNothing(effect=item.if_nothing.effect, code=item.if_nothing.code, at=ends),
            project_id=_text(place.project_id),
            project=place.project,
            repository=place.repository,
            run_id=_text(place.run_id),
            run_number=place.run_number,
            stage=place.stage,
            issue_number=place.issue_number,
            pr_number=place.pr_number,
            url=item.url,
            wait_id=_text(item.wait_id),
            incident_id=_text(item.incident_id),
            snoozed_until=shown.snooze.until.isoformat() if shown.snooze else None,
        )


class SnoozeForm(RequestBody):
    """Until when the item is put aside; null takes it back."""

    until: AwareDatetime | None


class DayView(BaseModel):
    """What happened on one day (UTC). A cost of null is unknown, not zero.

    ``waits`` are those that ended on the day, ``approvals`` how many of them were decisions of a person.
    """

    day: Day
    started: int
    succeeded: int
    failed: int
    cancelled: int
    active_seconds: int
    tokens_in: int
    tokens_cached: int
    tokens_out: int
    cost_micros: int | None
    waits: int
    waited_seconds: int
    approvals: int
    pull_requests: int

    @classmethod
    def of(cls, item: DayFigures) -> "DayView":
        """Show ``item``."""
        values = {name: getattr(item, name) for name in cls.model_fields if name != "day"}
        return cls(day=item.day.isoformat(), **values)


class StatsView(BaseModel):
    """The figures of the last days, oldest first."""

    days: list[DayView]
    as_of: Instant


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None


@routes.get("/inbox", Permission.SIGNED_IN)
async def list_inbox(
    me: CallerDep,
    db: Db,
    clock: ClockDep,
    cursors: CursorsDep,
    kind: Annotated[list[InboxKind] | None, Query()] = None,
    snoozed: Annotated[bool, Query(description="what the caller has put aside, instead")] = False,
    limit: Limit = 50,
    cursor: str | None = None,
) -> Page[InboxItemView]:
    """List what needs the caller, the newest first."""
    paging = Paging(cursors, limit, cursor, "-since", {"kind": kind, "snoozed": snoozed})
    now = clock.now()
    async with db.reading() as reader:
        found = await usecases.list_inbox(reader, me, now=now, snoozed=snoozed)
    chosen = [shown for shown in found if kind is None or shown.item.kind in kind]
    return paging.slice(chosen, lambda shown: (_age(shown.item.since), shown.item.id), InboxItemView.of, as_of=now)


def _age(since: datetime) -> int:
    """Return a number that grows with age: pages are cut in ascending order."""
    return -((since - EPOCH) // timedelta(microseconds=1))


@routes.post("/inbox/{item}:snooze", Permission.SIGNED_IN, response_model=InboxItemView)
async def snooze_item(item: ItemId, form: SnoozeForm, me: CallerDep, once: OnceDep, clock: ClockDep) -> Response:
    """Put an item aside for the caller until a time. It comes back sooner when it comes up anew."""

    async def act(tx: Tx) -> Answer:
        shown = await usecases.snooze(tx, me, item, until=form.until, now=clock.now())
        return Answer(InboxItemView.of(shown))

    return await once.run(act)


@routes.get("/stats", Permission.PROJECT_VIEW)
async def get_stats(me: CallerDep, db: Db, clock: ClockDep, days: Days = 30) -> StatsView:
    """Show the figures of all visible projects by day."""
    seen = me.projects
    return await _stats(db, None if seen is None else list(seen), clock.now(), days)


@routes.get("/projects/{project_id}/stats", Permission.PROJECT_VIEW)
async def get_project_stats(project_id: UUID, me: CallerDep, db: Db, clock: ClockDep, days: Days = 30) -> StatsView:
    """Show the figures of a project by day."""
    hidden = ProjectNotFound(f"there is no project {project_id}")
    me.admit(project_id, hidden)
    async with db.reading() as reader:
        if not await views.project_keys(reader, [project_id]):
            raise hidden
    return await _stats(db, [project_id], clock.now(), days)


async def _stats(db: Database, visible: list[UUID] | None, now: datetime, days: int) -> StatsView:
    first: date = now.date() - timedelta(days=days - 1)
    since = datetime.combine(first, datetime.min.time(), tzinfo=now.tzinfo)
    async with db.reading() as reader:
        found = await views.list_days(reader, visible=visible, since=since, until=now)
    return StatsView(days=[DayView.of(item) for item in found], as_of=now.isoformat())
