"""The door to an Issue's lineage: where it is on its way, what was made, and what blocks or allows the next step."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path

from stagewright.contexts.identity.api import Caller, Permission
from stagewright.contexts.overview.errors import IssueNotFound
from stagewright.contexts.overview.http.shapes import LineageView, lineage_view
from stagewright.contexts.overview.usecases import lineage as usecases
from stagewright.contexts.projects import api as projects
from stagewright.kit.db import Reader
from stagewright.kit.http.routes import ClockDep, Db, Routes, caller

routes = Routes(tag="overview")
CallerDep = Annotated[Caller, Depends(caller)]
Part = Annotated[str, Path(max_length=100, pattern=r"^[\w.-]+$")]
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="of an issue, or of a pull request that belongs to one")]


@routes.get("/issues/{owner}/{repository}/{number}", Permission.PROJECT_VIEW)
async def get_lineage(
    owner: Part, repository: Part, number: Number, me: CallerDep, db: Db, clock: ClockDep
) -> LineageView:
    """Show an issue's way: stages, runs, pull requests, documents, labels, what blocks the next step and what follows.

    The forge is not asked: state and labels are those that the last delivery or scan told of.
    """
    now = clock.now()
    hidden = IssueNotFound(
        f"nothing is known of {owner}/{repository}#{number}: the first label or comment there makes it known"
    )
    async with db.reading() as reader:
        found = await _visible(reader, f"{owner}/{repository}", me, hidden)
        traced = await usecases.trace_issue(reader, found, number, now=now)
    if traced is None:
        raise hidden
    return lineage_view(traced, me, now=now)


async def _visible(reader: Reader, full_name: str, me: Caller, hidden: IssueNotFound) -> projects.Repository:
    """Return the bound repository of that name that the caller may see; several forges may have one each."""
    seen: frozenset[UUID] | None = me.projects
    known = await projects.list_by_name(reader, full_name)
    found = next((item for item in known if seen is None or item.project_id in seen), None)
    me.admit(found.project_id if found is not None else None, hidden)
    if found is None:
        raise hidden
    return found
