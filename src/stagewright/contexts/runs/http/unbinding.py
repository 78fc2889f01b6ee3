"""Unbinding a repository: previewed, typed by name, and only while nothing of it runs."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from pydantic import BaseModel, Field

from stagewright.contexts.identity.api import FreshLoginRequired, Permission
from stagewright.contexts.projects import api as projects
from stagewright.contexts.runs.http.repositories import hidden_repository, visible_repository
from stagewright.contexts.runs.http.shapes import CallerDep
from stagewright.contexts.runs.usecases import binding
from stagewright.kit.consequences import Consequences
from stagewright.kit.http import RequestBody, VersionMismatch, expected_version
from stagewright.kit.http.confirm import Preview, check_name
from stagewright.kit.http.routes import ClockDep, ConfirmationsDep, Db, Routes
from stagewright.kit.http.shapes import Id, Instant

routes = Routes(tag="repositories")


class UnbindForm(RequestBody):
    """The token of the preview, the repository's full name as the person typed it, and why."""

    confirm_token: str | None = Field(default=None, max_length=2048)
    confirm_name: str | None = Field(default=None, max_length=200)
    reason: str | None = Field(default=None, max_length=500)


class UnboundView(BaseModel):
    """A repository that is not bound any more."""

    id: Id
    project_id: Id
    full_name: str
    version: int
    unbound_at: Instant


@routes.delete(
    "/projects/{project_id}/repositories/{repository_id}",
    Permission.REPOSITORY_MANAGE,
    response_model=UnboundView | Preview,
)
async def unbind_repository(
    project_id: UUID,
    repository_id: UUID,
    request: Request,
    me: CallerDep,
    db: Db,
    clock: ClockDep,
    confirmations: ConfirmationsDep,
    form: UnbindForm | None = None,
    preview: Annotated[bool, Query(description="show what would stop, and get the token that confirms it")] = False,
) -> UnboundView | Preview:
    """Unbind a repository: its runs stay, its credentials go, nothing changes on the forge.

    Needs ``If-Match``, the token of the preview, the exact name and a fresh sign-in. While runs are active: 409.
    """
    wanted = form or UnbindForm()
    subject = {"user": str(me.user.id), "verb": "repository.unbind", "resource": str(repository_id)}
    async with db.reading() as reader:
        repository = await visible_repository(reader, project_id, repository_id, me)
        if preview:
            shown = await binding.what_unbinding_does(reader, repository)
            return confirmations.preview(subject, repository.version, shown, name=repository.full_name)
    if not me.principal.fresh:
        raise FreshLoginRequired("this needs a sign-in or an API token younger than one hour")
    version = expected_version(request)

    def agreed(found: projects.Repository, does: Consequences) -> None:
        if found.version != version:
            raise VersionMismatch("the repository was changed since you read it: read it again")
        confirmations.check(wanted.confirm_token, subject, found.version, does)
        check_name(wanted.confirm_name, found.full_name)

    async with db.transaction(me.actor, correlation_id=str(request.state.request_id)) as tx:
        gone = await binding.disconnect_repository(
            tx, repository_id, now=clock.now(), agreed=agreed, reason=wanted.reason
        )
    if gone is None:
        raise hidden_repository(repository_id)
    assert gone.unbound_at is not None
    return UnboundView(
        id=str(gone.id),
        project_id=str(gone.project_id),
        full_name=gone.full_name,
        version=gone.version,
        unbound_at=gone.unbound_at.isoformat(),
    )
